"""A Kaggle of our own on this machine. The real client talks to it over HTTP and does not know.

With KAGGLE_API_ENVIRONMENT=LOCALHOST the client posts to http://localhost/api/..., and with http_proxy it
asks this server for that address. The server plays Kaggle's API and its storage, and refuses all other hosts.
"""

import io
import json
import os
import re
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.forks import EVERY_COMMAND, Forked, Forks
from tests.kaggle.kernel_host import KernelHost, Refuse
from tests.make_tiny import TINY

TOKEN = "KGAT_0123456789abcdef"  # noqa: S105
SLUG = "faces-in-the-test"
RULES = "You must accept this competition's rules before you'll be able to download files."
USED_UP = (
    "Submission not allowed: Your team has used its daily Submission allowance (5) today, please try again "
    "tomorrow UTC (5 hours from now)."
)
FILES = {
    "train.csv": b",image_path,emotion\n0,./train/anger/0.jpg,anger\n",
    "sample_submission.csv": b"image_path,emotion\n0.jpg,neutral\n1.jpg,neutral\n",
    "train/anger/0.jpg": os.urandom(300_000),
    "train/happy/0.jpg": os.urandom(300_000),
    "test_kaggle/0.jpg": os.urandom(200_000),
    "test_kaggle/1.jpg": os.urandom(200_000),
}
CSV = "image_path,emotion\n0.jpg,happy\n1.jpg,sad\n"


def make_zip(files) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return sink.getvalue()


@dataclass
class Fault:
    """How one request goes wrong: it takes long, gets an answer of its own, or the connection is dropped."""

    status: int = 0  # 0: the ordinary answer
    body: object = b""
    headers: dict = field(default_factory=dict)
    drop: str = ""  # "before" or "after" the request is carried out
    cut: int | None = None  # bytes of the archive before the connection breaks off
    delay: float = 0.0
    drip: float = 0.0  # seconds between two bytes of the answer
    then: Callable[[], None] = lambda: None  # what changes before it


@dataclass
class Loopback:
    """What Kaggle knows, and what happens to the next requests (`faults`, by API method, GET or PUT)."""

    archive: bytes = field(default_factory=lambda: make_zip(FILES))
    listing: dict = field(default_factory=lambda: {name: len(content) for name, content in FILES.items()})
    etag: str | None = '"one"'
    ranges: bool = True
    page: int = 2
    quota: int = 5
    polls: int = 0  # questions for a score before it is there
    delay_listing: float = 0.0  # seconds before a submission is listed
    slow: float = 0.0  # seconds between two pieces of the archive
    teams: list = field(default_factory=list)
    competition: dict = field(default_factory=dict)  # what GetCompetition says besides
    submissions: list = field(default_factory=list)
    uploads: dict = field(default_factory=dict)
    selected: tuple = ()  # numbers of submissions that are to count in the end
    rejected: str = ""
    score: str = "0.61234"
    faults: dict = field(default_factory=dict)
    log: list = field(default_factory=list)
    foreign: list = field(default_factory=list)
    ranges_asked: list = field(default_factory=list)
    port: int = 0
    kernels: KernelHost | None = None

    def calls(self, name: str) -> int:
        return self.log.count(name)

    def fail(self, name: str, *faults: Fault) -> None:
        self.faults[name] = list(faults)

    def environment(self, home: Path) -> dict[str, str]:
        return {
            "HOME": str(home),
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            "KAGGLE_API_TOKEN": TOKEN,
            "http_proxy": f"http://127.0.0.1:{self.port}",
            "https_proxy": f"http://127.0.0.1:{self.port}",
            "no_proxy": "",
        }

    # -- the API ------------------------------------------------------------------------------------

    def answer(self, method: str, body: dict) -> dict:
        if method == "IntrospectToken":
            return {"active": body.get("token") == TOKEN, "username": "ada"}
        if hasattr(self.kernels, method):
            return getattr(self.kernels, method)(body)
        if method != "GetSubmission" and body.get("competitionName") != SLUG:
            raise Refuse(404, "Not found")
        return getattr(self, method)(body)

    def ListDataFiles(self, body):
        start = int(body.get("pageToken") or 0)
        end = start + min(self.page, body["pageSize"])
        names = list(self.listing)[start:end]
        files = [{"name": name, "totalBytes": self.listing[name]} for name in names]
        return {"files": files, "nextPageToken": str(end) if end < len(self.listing) else ""}

    def StartSubmissionUpload(self, body):
        token = f"blob-{len(self.uploads)}"
        self.uploads[token] = None
        return {"token": token, "createUrl": f"http://storage.test/put/{token}"}

    def CreateSubmission(self, body):
        if self.quota <= 0:
            raise Refuse(400, USED_UP)
        content = self.uploads[body["blobFileTokens"]]
        assert content is not None, "submitted before it was uploaded"
        self.quota -= 1
        ref = 1000 + len(self.submissions)
        self.submissions.append(
            {
                "ref": ref,
                "date": f"2026-11-24T10:00:{len(self.submissions) % 60:02}.123Z",
                "description": body.get("submissionDescription", ""),
                "fileName": "x.csv",
                "status": "PENDING",
                "teamName": "Team [ada]",
                "content": content,
                "listed": time.monotonic() + self.delay_listing,
                "polls": self.polls,
            }
        )
        return {"message": "Successfully submitted", "ref": ref}

    def CreateCodeSubmission(self, body):
        (session,) = self.kernels.sessions[body["kernelSlug"]]
        assert (body["kernelOwner"], body["kernelVersion"]) == ("ada", session.version)
        assert session.status == "COMPLETE" and session.body["enableInternet"] is False
        token = f"output of {session.slug}"
        self.uploads[token] = (session.working / body["fileName"]).read_bytes()
        return self.CreateSubmission({**body, "blobFileTokens": token})

    def ListSubmissions(self, body):
        if body.get("group") == "SUBMISSION_GROUP_SELECTED":
            return {"submissions": [self._score(s) for s in self.submissions if s["ref"] in self.selected]}
        listed = [s for s in reversed(self.submissions) if s["listed"] <= time.monotonic()]
        page = (body.get("page") or 1) - 1
        return {"submissions": [self._score(s) for s in listed[page * 200 : page * 200 + 200]]}

    def GetSubmission(self, body):
        submission = next(s for s in self.submissions if s["ref"] == body["ref"])
        submission["polls"] -= 1
        return self._score(submission)

    def GetSubmissionLimits(self, body):
        sent = len(self.submissions)
        return {"numToday": sent, "numTotal": sent, "numAllowedNow": self.quota}

    def GetCompetition(self, body):
        ranks = [rank for rank, team in enumerate(self.teams, 1) if team["teamName"] == "Team [ada]"]
        own = {"userRank": ranks[0]} if ranks and self.submissions else {}
        return {"userHasEntered": True, "teamCount": len(self.teams), **own, **self.competition}

    def GetLeaderboard(self, body):
        start = int(body.get("pageToken") or 0)
        end = start + (body["pageSize"] if len(self.teams) > 200 else self.page)
        return {
            "submissions": self.teams[start:end],
            "nextPageToken": str(end) if end < len(self.teams) else "",
        }

    def _score(self, submission):
        if submission["polls"] < 0 or self.polls == 0:
            if self.rejected:
                submission.update(status="ERROR", errorDescription=self.rejected)
            else:
                submission.update(status="COMPLETE", publicScore=self.score)
        return {k: v for k, v in submission.items() if k not in ("content", "listed", "polls")}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer goes out in two pieces: the second would wait for 40 ms
    QUICKACK = getattr(socket, "TCP_QUICKACK", None)  # where the client's second piece would wait likewise

    def log_message(self, *_):
        pass

    def do_POST(self):
        self._serve(self._api, urlsplit(self.path).path.rpartition("/")[2], "localhost")

    def do_GET(self):
        self._serve(self._archive, "GET", "storage.test")

    def do_PUT(self):
        self._serve(self._upload, "PUT", "storage.test")

    def do_CONNECT(self):
        self._serve(lambda body: None, "CONNECT", "nobody")

    def _serve(self, work, name, host):
        server = self.server.state
        if self.QUICKACK is not None:
            self.connection.setsockopt(socket.IPPROTO_TCP, self.QUICKACK, 1)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length or (self.command in ("POST", "PUT") and "Content-Length" not in self.headers):
            self._drop()  # the client was killed while it sent this, so as at any server it was not asked
            return
        if urlsplit(self.path).netloc != host:
            server.foreign.append(self.path)
            self._send(502, b"no other host than Kaggle's")
            return
        server.log.append(name)
        fault = server.faults[name].pop(0) if server.faults.get(name) else None
        if fault:
            time.sleep(fault.delay)
            fault.then()
            if fault.drop == "before":
                self._drop()
                return
            if fault.drip and name == "GET":
                work(body, drip=fault.drip)
                return
            if fault.drip:
                self._drip(fault.drip)
                return
            if fault.cut is not None:
                work(body, cut=fault.cut)
                return
            if fault.drop == "after":
                work(body, silent=True)
                self._drop()
                return
            if fault.status:
                self._send(fault.status, fault.body, fault.headers)
                return
        work(body)

    def _api(self, body, silent=False):
        server, method = self.server.state, urlsplit(self.path).path.rpartition("/")[2]
        if self.headers.get("Authorization") not in (f"Bearer {TOKEN}", "Basic YWRhOnNlY3JldC1rZXk="):
            self._send(401, {"code": 401, "message": "Unauthenticated"})
            return
        if method == "DownloadDataFiles":
            if json.loads(body)["competitionName"] != SLUG:
                self._send(404, {"code": 404, "message": "Not found"})
                return
            self._send(302, b"", {"Location": "http://storage.test/get/archive.zip?signature=secret"})
            return
        try:
            answer = server.answer(method, json.loads(body))
        except Refuse as refused:
            status, message = refused.args
            self._send(status, {"error": {"code": status, "message": message}})
            return
        if not silent:
            self._send(
                200, answer, {"Content-Type": "text/event-stream"} if isinstance(answer, bytes) else {}
            )

    def _archive(self, body, cut=None, drip=0.0):
        server = self.server.state
        assert "Authorization" not in self.headers, "credentials were sent to the storage"
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range", server.etag) == server.etag
        content, headers = server.archive, {"Accept-Ranges": "bytes"}
        if "/output/" in self.path:
            content = server.kernels.output(urlsplit(self.path).path.split("/output/")[1])
            if content is None:
                self._send(403, b"<Error><Code>ExpiredToken</Code></Error>")
                return
        if server.etag:
            headers["ETag"] = server.etag
        status = 200
        if asked:
            server.ranges_asked.append(int(asked[1]))
        if asked and same and server.ranges:
            status, start = 206, int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content = content[start:]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        content = content if cut is None else content[:cut]
        with suppress(OSError):  # who listened was killed
            piece = 1 if drip else 65536
            for start in range(0, len(content), piece):
                self.wfile.write(content[start : start + piece])
                time.sleep(drip or server.slow)
        if cut is not None:
            self._drop()

    def _upload(self, body, silent=False):
        assert "Authorization" not in self.headers, "credentials were sent to the storage"
        self.server.state.uploads[self.path.rpartition("/")[2]] = body
        if not silent:
            self._send(200, b"")

    def _send(self, status, body, headers=None):
        kind = "application/json" if isinstance(body, dict) else "text/html"
        body = json.dumps(body).encode() if isinstance(body, dict) else body
        headers = {"Content-Type": kind, **(headers or {})}
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def _drip(self, seconds):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        with suppress(OSError):  # until nobody listens
            for _ in range(1000):
                self.wfile.write(b" ")
                time.sleep(seconds)

    def _drop(self):
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(SHUT_RDWR)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    errors: list

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            self.errors.append(sys.exc_info()[1])


@pytest.fixture
def fault():
    """Makes a `Fault`."""
    return Fault


@pytest.fixture
def kaggle(tmp_path):
    """The loopback server; a test fails with it where it was asked for anything but Kaggle."""
    state = Loopback()
    raw = TINY / "datasets" / "raw"
    state.kernels = KernelHost(tmp_path / "kaggle-kernels", state.uploads, (SLUG, raw))
    server = Server(("127.0.0.1", 0), Handler)
    server.state, server.errors, state.port = state, [], server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield state
    state.kernels.close()
    server.shutdown()
    server.server_close()
    thread.join()
    assert not state.foreign, f"other hosts were asked: {state.foreign}"
    assert not server.errors, server.errors


@pytest.fixture
def signed_in(kaggle, tmp_path, monkeypatch):
    """The loopback server as the Kaggle of this process; nothing waits long."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or "KAGGLE" in name]:
        monkeypatch.delenv(name)
    for name, value in kaggle.environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    from fercomp.kaggle.client import receive, transport
    from fercomp.kaggle.kernels import datasets, following, log_tail, pushing
    from fercomp.kaggle.submissions import pending, submit

    monkeypatch.setattr(datasets, "READY_EVERY", 0.05)
    monkeypatch.setattr(following, "POLL_KERNEL", 0.05)
    monkeypatch.setattr(following, "LONGEST_KERNEL_POLL", 0.05)
    monkeypatch.setattr(log_tail, "READ_AGAIN", 0.1)
    monkeypatch.setattr(pushing, "SHOW_EVERY", 0.05)
    monkeypatch.setattr(pushing, "SHOWS_UP", 0.5)
    monkeypatch.setattr(transport, "BACKOFF", 0.01)
    monkeypatch.setattr(receive, "PAUSE", 0.01)
    monkeypatch.setattr(pending, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(pending, "SETTLE", 0.5)
    monkeypatch.setattr(submit, "POLL", 0.02)
    return kaggle


IMPORTS = (
    EVERY_COMMAND
    + """
import sys
import numpy, pandas, openvino, pandas.io.formats.csvs, fercomp.modeling.backend.choice
import fercomp.kaggle.submissions.leaderboard
import fercomp.kaggle.submissions.submit
import fercomp.stages.at_kaggle.code_submission, fercomp.stages.at_kaggle.control
import fercomp.stages.train_distributed
import fercomp.kaggle.submissions.merged, fercomp.kaggle.submissions.refresh, fercomp.report.submissions
import fercomp.stages.fetch
from fercomp.kaggle.client.transport import silenced

with silenced():
    import kaggle.api.kaggle_api_extended
for name in [name for name in sys.modules if name.partition(".")[0] == "kaggle"]:
    del sys.modules[name]  # a child imports it anew: meanwhile it looks for credentials
"""
)

RUNNER = """
import sys
from functools import partial
from fercomp.kaggle.client import receive, transport
from fercomp.kaggle.kernels import datasets, following, log_tail, packing, pushing
from fercomp.kaggle.submissions import pending, submit
from fercomp.cli.app import main
packing.tarfile.TarFile.xzopen = partial(packing.tarfile.TarFile.xzopen, preset=0)  # a tenth of the time
transport.BACKOFF, receive.PAUSE = 0.01, 0.1
datasets.READY_EVERY, log_tail.READ_AGAIN = 0.05, 0.1
following.POLL_KERNEL = following.LONGEST_KERNEL_POLL = 0.05
pushing.SHOW_EVERY, pushing.SHOWS_UP = 0.05, 1.0
pending.LOOK_EVERY, pending.SETTLE, submit.POLL = 0.1, 1.0, 0.1
sys.argv = ["fercomp", *sys.argv[1:]]
main()
"""


def no_kaggle() -> dict[str, str]:
    """The environment without what concerns Kaggle."""
    return {
        name: value
        for name, value in os.environ.items()
        if not (name.lower().endswith("_proxy") or "KAGGLE" in name or name == "VERBOSE")
    }


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    """The process whose forks run `fercomp` in these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", no_kaggle())
        forks = Forks(IMPORTS, HOME=str(tmp_path_factory.mktemp("home")))
    yield forks
    forks.close()


@pytest.fixture
def start(forks, kaggle, tmp_path):
    """Starts `fercomp` with some words in a process of its own, in the folder `work`."""
    work, home = tmp_path / "work", tmp_path / "home"
    work.mkdir(exist_ok=True)
    home.mkdir(exist_ok=True)

    def run(
        *words: str, slug: str | None = SLUG, before: str = "", stderr: int | None = None, **environment: str
    ) -> Forked:
        words += ("--set", f"fetch.competition={slug}") if slug else ()
        env = {**no_kaggle(), **kaggle.environment(home), "COLUMNS": "200", **environment}
        return forks.start(before + RUNNER, *words, cwd=work, env=env, stderr=stderr)

    yield run
    forks.end_children()


@pytest.fixture
def run(start):
    """Runs `fercomp` to its end: exit code, stdout, stderr."""

    def finish(*words: str, **environment: Any) -> tuple[int, str, str]:
        process = start(*words, **environment)
        out, err = process.communicate(timeout=240)
        return process.returncode, out, err

    return finish
