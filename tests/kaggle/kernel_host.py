"""Kaggle's kernels and datasets on this machine: what is pushed runs here, in a folder of its own.

Competition, datasets and other kernels' output lie read-only under `input/`. A session that is longer than
its limit is killed, and all that it has written is thrown away, as at Kaggle.
"""

import ast
import base64
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.make_tiny import TINY

OWNER = "ada"
CUT_OFF = "Your notebook was stopped because it exceeded the max allowed execution duration."


class Refuse(Exception):
    """An answer that is an error: status and message."""


@dataclass
class Session:
    """One version of a kernel and what it does."""

    slug: str
    version: int
    body: dict
    folder: Path
    status: str = "QUEUED"
    failure: str = ""
    log: str = ""
    process: subprocess.Popen | None = None
    lines: list = field(default_factory=list)  # what it has printed so far, where `play` says so

    @property
    def working(self) -> Path:
        return self.folder / "working"

    @property
    def job(self) -> dict:
        """What the script was told."""
        return json.loads(
            ast.literal_eval(re.search(r"json\.loads\((['\"].*['\"])\)\n", self.body["text"])[1])
        )


@dataclass
class KernelHost:
    """What Kaggle knows of kernels and datasets.

    Attributes:
        root: Where sessions have their folders.
        uploads: Bytes by token, shared with the storage.
        competition: Its slug, and the folder of its files.
        play: What a session does in place of running its script, where tests are about the client.
        gpu: Whether a session that asks for one has a GPU.
        limit: Seconds of a session, at the most.
        python: What runs the script: Kaggle's image.
        page: Files on a page of a kernel's output.
        quota: Hours used, and hours of a week.
        error: What `SaveKernel` answers with 200, in place of running anything.
        invalid: Fields of that answer, such as `invalidCompetitionSources`.
        ask_to_end: Words in the log at which a session is asked to end (SIGTERM), the first one in the first
            session, and so on; then as `limit` would.
        expired: How many addresses of the storage are refused, for they have expired.
    """

    root: Path
    uploads: dict
    competition: tuple[str, Path]
    play: Callable[[Session], None] | None = None
    gpu: bool = True
    limit: float = 300.0
    python: str = sys.executable
    page: int = 4
    quota: tuple[float, float] = (2.0, 30.0)
    error: str = ""
    invalid: dict = field(default_factory=dict)
    ask_to_end: list = field(default_factory=list)
    expired: int = 0
    sessions: dict = field(default_factory=dict)  # slug: versions
    datasets: dict = field(default_factory=dict)  # slug: files by name
    lock: threading.Lock = field(default_factory=threading.Lock)

    # -- kernels ------------------------------------------------------------------------------------

    def SaveKernel(self, body):
        slug = self._slug(body["slug"])
        assert body["isPrivate"] is True
        assert body["newTitle"].lower().replace(" ", "-") == slug and 5 <= len(slug) <= 50
        assert len(body["text"].encode()) < 2**20
        if self.error:
            return {"error": self.error}
        if self.invalid:
            return {"ref": "", **self.invalid}
        missing = [
            s for s in body.get("kernelDataSources", []) if self._last(self._slug(s)).status != "COMPLETE"
        ]
        missing += [s for s in body.get("datasetDataSources", []) if self._slug(s) not in self.datasets]
        assert not missing, missing
        assert body["competitionDataSources"] == [self.competition[0]]
        with self.lock:
            version = len(self.sessions.get(slug, ())) + 1
            session = Session(slug, version, body, self.root / f"{slug}-{version}" / "kaggle")
            self.sessions.setdefault(slug, []).append(session)
        threading.Thread(target=self._run, args=(session,), daemon=True).start()
        return {"ref": f"/code/{OWNER}/{slug}", "versionNumber": version}

    def GetKernel(self, body):
        session = self._last(body["kernelSlug"])
        return {
            "metadata": {"slug": session.slug, "currentVersionNumber": session.version},
            "blob": {"source": session.body["text"], "slug": session.slug},
        }

    def GetKernelSessionStatus(self, body):
        session = self._last(body["kernelSlug"])
        return {"status": session.status, "failureMessage": session.failure}

    def ListKernelSessionOutput(self, body):
        session, start = self._last(body["kernelSlug"]), int(body.get("pageToken") or 0)
        files = (
            sorted(p for p in session.working.rglob("*") if p.is_file())
            if session.status == "COMPLETE"
            else []
        )
        names = [path.relative_to(session.working).as_posix() for path in files]
        url = f"http://storage.test/output/{session.slug}/{session.version}"
        end = start + self.page
        return {
            "files": [
                {"fileName": name, "url": f"{url}/{name}?signature=secret"} for name in names[start:end]
            ],
            "log": session.log,
            "nextPageToken": str(end) if end < len(names) else "",
        }

    def GetKernelSessionLogsStream(self, body) -> bytes:
        session = self._last(body["kernelSlug"])
        log = session.folder / "log.txt"
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else session.lines
        events = [json.dumps({"stream_name": "stdout", "time": 1.0, "data": f"{line}\n"}) for line in lines]
        return "".join(f"data: {event}\n\n" for event in events).encode()

    def GetAcceleratorQuotaStatistics(self, body):
        used, allowed = (f"{hours * 3600:.0f}s" for hours in self.quota)
        return {"gpuQuota": {"timeUsed": used, "totalTimeAllowed": allowed}}

    def DeleteKernel(self, body):
        session = self._last(body["kernelSlug"])
        del self.sessions[session.slug]
        self._end(session)
        return {}

    def output(self, path: str) -> bytes | None:
        """The bytes of a file of a kernel's output; None for an address that has expired."""
        if self.expired > 0:
            self.expired -= 1
            return None
        slug, version, name = path.split("/", 2)
        return (self.sessions[slug][int(version) - 1].working / name).read_bytes()

    def packed(self, session: Session) -> tarfile.TarFile:
        """What travelled with a session: in its text, or in a dataset."""
        text = re.search(r'^PAYLOAD: str = "(.*)"$', session.body["text"], re.MULTILINE)[1]
        content = base64.b85decode(text) or next(iter(self.datasets.values())).popitem()[1]
        return tarfile.open(fileobj=io.BytesIO(content))

    def versions(self) -> dict:
        """How many versions there are of each kernel."""
        return {slug: len(versions) for slug, versions in self.sessions.items()}

    def by_hand(self, slug: str, text: str) -> None:
        """A kernel that somebody made in the browser."""
        folder = self.root / slug / "kaggle"
        self.sessions[slug] = [Session(slug, 1, {"text": text}, folder, "COMPLETE")]

    # -- datasets -----------------------------------------------------------------------------------

    def StartBlobUpload(self, body):
        token = f"blob-{len(self.uploads)}"
        self.uploads[token] = None
        self.uploads[f"name of {token}"] = body["name"]
        return {"token": token, "createUrl": f"http://storage.test/put/{token}"}

    def CreateDataset(self, body):
        assert body["isPrivate"] is True and 6 <= len(body["slug"]) <= 50 and body["licenseName"]
        if body["slug"] in self.datasets:
            return {"status": "error", "error": "The requested title is already in use by a dataset."}
        tokens = [file["token"] for file in body["files"]]
        self.datasets[body["slug"]] = {self.uploads[f"name of {t}"]: self.uploads[t] for t in tokens}
        return {"status": "ok", "url": ""}

    def DeleteDataset(self, body):
        del self.datasets[body["datasetSlug"]]
        return {}

    def GetDatasetStatus(self, body):
        if body["datasetSlug"] not in self.datasets:
            raise Refuse(403, "Permission 'datasets.get' was denied")
        return {"status": "READY"}

    # -- how a session runs -------------------------------------------------------------------------

    def _slug(self, ref):
        owner, slug = ref.split("/")
        assert owner == OWNER
        return slug

    def _last(self, slug) -> Session:
        if slug not in self.sessions:
            raise Refuse(403, "Permission 'kernels.get' was denied")
        return self.sessions[slug][-1]

    def _run(self, session):
        self._lay_out(session)
        session.status = "RUNNING"
        before = contents(session.folder / "input")
        if self.play is not None:
            try:
                self.play(session)
            except Exception as error:  # the test's own, which must not leave a session running for ever
                session.failure, session.status = f"{type(error).__name__}: {error}", "ERROR"
            return
        script, log = session.folder / "script.py", session.folder / "log.txt"
        script.write_text(session.body["text"])
        with log.open("wb") as file:
            session.process = subprocess.Popen(
                [self.python, str(script)],
                cwd=session.working,
                env=self._environment(session),
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        late, code = False, self._wait(session, log)
        if code is None:
            late, code = True, 1
            self._end(session)
        lines = log.read_text(errors="replace").splitlines(keepends=True)
        session.log = json.dumps([{"stream_name": "stdout", "time": 1.0, "data": line} for line in lines])
        if contents(session.folder / "input") != before:
            session.failure, code = "input/ was changed", 1
        if late:
            session.failure = CUT_OFF
        if code:
            shutil.rmtree(session.working)
            session.working.mkdir()
        session.status = "ERROR" if code else "COMPLETE"

    def _wait(self, session, log) -> int | None:
        word, limit = self.ask_to_end.pop(0) if self.ask_to_end else "", self.limit
        end = time.monotonic() + min(limit, session.body["sessionTimeoutSeconds"])
        while time.monotonic() < end:
            with suppress(subprocess.TimeoutExpired):
                return session.process.wait(0.05)
            if word and word in log.read_text(errors="replace"):
                session.process.terminate()
                word = ""
        return None

    def _environment(self, session):
        tools = session.folder / "tools"
        tools.mkdir()
        if session.body.get("enableGpu") and self.gpu:
            (tools / "nvidia-smi").write_text("#!/bin/sh\necho Tesla T4\n")
            (tools / "nvidia-smi").chmod(0o755)
        taken = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
        own = {k: v for k, v in os.environ.items() if "KAGGLE" not in k and not k.lower().endswith("_proxy")}
        own = {name: value for name, value in own.items() if name not in taken}
        return {
            **own,
            "PATH": f"{tools}{os.pathsep}{own['PATH']}",
            "HOME": str(session.folder),
            "FERCOMP_KAGGLE": str(session.folder),
            "KAGGLE_KERNEL_RUN_TYPE": "Batch",
            "PIP_NO_INDEX": "1",  # no internet
        }

    def _lay_out(self, session):
        (session.folder / "working").mkdir(parents=True)
        place = session.folder / "input"
        shutil.copytree(self.competition[1], place / "competitions" / self.competition[0])
        for ref in session.body.get("kernelDataSources", []):
            source = self._last(self._slug(ref))
            shutil.copytree(source.working, place / source.slug)
        for ref in session.body.get("datasetDataSources", []):
            folder = place / self._slug(ref)
            folder.mkdir()
            for name, content in self.datasets[self._slug(ref)].items():
                (folder / name).write_bytes(content)
        for path in place.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)

    def _end(self, session):
        if session.process is None:
            return
        with suppress(psutil.NoSuchProcess):
            script = psutil.Process(session.process.pid)
            for process in (*script.children(recursive=True), script):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        session.process.wait()

    def close(self) -> None:
        """Ends all that still runs."""
        for versions in self.sessions.values():
            for session in versions:
                self._end(session)
        deadline = time.monotonic() + 10
        while any(s.status == "RUNNING" for v in self.sessions.values() for s in v) and self.play is None:
            time.sleep(0.02)
            assert time.monotonic() < deadline


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of each file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def leave(session: Session, content: dict[str, bytes], state: str = "done", **changed) -> None:
    """Lets a session end well, with some files and their manifest.

    Args:
        session: The session.
        content: Contents by their path in the kernel's folder.
        state: `done` or `cut`.
        **changed: Fields of the manifest that are otherwise.
    """
    entries = []
    for path, written in content.items():
        stored = "/".join(f"_{part[1:]}" if part.startswith(".") else part for part in path.split("/"))
        target = session.working / "fercomp" / stored
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(written)
        digest = hashlib.sha256(written).hexdigest()
        entries.append({"path": path, "stored": stored, "sha256": digest, "bytes": len(written)})
    manifest = {"run": session.job["run"], "slug": session.slug, "state": state, "files": entries, **changed}
    (session.working / "fercomp").mkdir(exist_ok=True)
    (session.working / "fercomp" / "manifest.json").write_text(json.dumps(manifest))
    session.status = "COMPLETE"


def fail(session: Session, *lines: str, failure: str = "") -> None:
    """Lets a session end with an error."""
    session.log = json.dumps([{"stream_name": "stderr", "time": 1.0, "data": f"{line}\n"} for line in lines])
    session.failure, session.status = failure, "ERROR"


def bundle(name: str = "mine") -> dict[str, bytes]:
    """What a training leaves, without training."""
    tiny = TINY / "models" / "tiny"
    files = {f"models/{name}/{p.relative_to(tiny)}": p.read_bytes() for p in tiny.rglob("*") if p.is_file()}
    return {**files, "datasets/photos.csv": (TINY / "datasets" / "photos.csv").read_bytes()}
