"""Hostile clients of the local pages: each gets an answer or a closed connection, and the page lives on."""

import random
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from multiprocessing.pool import ThreadPool
from pathlib import Path

from .case import Case, Outcome, Result
from .page_requests import HARMLESS, PATIENCE, Page, bodies, frame, halves, heads, talks

SERVERS = {
    "live": ["live", "--no-browser", "--model", "tiny", "--port", "0"],
    "review": ["review", "--no-browser", "--port", "0"],
}


Told = tuple[Outcome, str]


def page_cases() -> list[Case]:
    """Returns what is done to each page; `page_results` does it."""
    page = Page("127.0.0.1:1", "?token=x")
    names = [*_requests(page), *_half_open(page), *CROWDS]
    return [Case("pages", f"{server}: {name}", lambda folder: []) for server in SERVERS for name in names]


def page_results(base: Path, cases: list[Case]) -> Iterator[Result]:
    """Does what the cases say, and looks whether the pages live on without a traceback."""
    for server, words in SERVERS.items():
        names = {case.name.removeprefix(f"{server}: ") for case in cases if case.name.startswith(server)}
        for name, (outcome, why) in _results_of(words, base, names) if names else ():
            yield Result(Case("pages", f"{server}: {name}", lambda folder: []), outcome, why)


def _requests(page: Page) -> dict[str, tuple[bytes, bool]]:
    """Returns what is sent, and whether the client then says that nothing follows."""
    requests = {**heads(page), **bodies(page), **talks(page)}
    closed = {f"{name}, then nothing": (data, True) for name, data in requests.items()}
    return {name: (data, False) for name, data in requests.items()} | closed


def _half_open(page: Page) -> dict[str, bytes]:
    return {f"half-open: {name}": data for name, data in halves(page).items()}


def _results_of(words: list[str], base: Path, names: set[str]) -> Iterator[tuple[str, Told]]:
    with tempfile.TemporaryFile("w+") as said, ThreadPool(16) as pool:
        command = [sys.executable, "-m", "fercomp", *words]
        with subprocess.Popen(command, cwd=base, stdout=subprocess.PIPE, stderr=said, text=True) as server:
            try:
                page = _address(server)
                jobs = [(page, name, *sent) for name, sent in _requests(page).items() if name in names]
                yield from zip((job[1] for job in jobs), pool.starmap(_send, jobs), strict=True)
                half = {name: data for name, data in _half_open(page).items() if name in names}
                yield from _wait_for_ends(page, half).items()
                yield from ((name, act(page)) for name, act in CROWDS.items() if name in names)
                yield "still answers", _expect(page, page.get(), b"200")
                alive = server.poll() is None
                yield "still runs", ("clear", "") if alive else ("crash", str(server.returncode))
            finally:
                server.terminate()
                server.wait(timeout=30)
        said.seek(0)
        bad = re.search(r"(Traceback|Exception in|Fatal error|never retrieved).*", said.read(), re.DOTALL)
        yield "no traceback", ("traceback", bad[0][:300]) if bad else ("clear", "")


def _address(server: subprocess.Popen[str]) -> Page:
    """Returns the page that the server says."""
    assert server.stdout is not None
    select.select([server.stdout], [], [], 60)
    line = server.stdout.readline()
    found = re.search(r"http://(127\.0\.0\.1:\d+)/(\S*)", line)
    if not found:
        raise RuntimeError(f"no address: {line}")
    return Page(found[1], found[2])


def _send(page: Page, name: str, data: bytes, then_close: bool) -> Told:
    """Sends bytes, and then says that nothing follows if wanted; there has to be an answer or an end."""
    with page.connect() as connection:
        try:
            connection.sendall(data)
            if then_close:
                connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4096)
        except TimeoutError:
            return "hang", "neither an answer nor an end"
        except OSError as error:
            return "clear", str(error)
    line = answer.split(b"\r\n", 1)[0].decode("latin-1")
    wrong = re.match(r"HTTP/1.1 50[0-4]", line) or (
        " 200 " in line and name.removesuffix(", then nothing") not in HARMLESS
    )
    return ("wrong" if wrong else "clear"), line


def _expect(page: Page, data: bytes, status: bytes) -> Told:
    with page.connect() as connection:
        connection.sendall(data)
        line = connection.recv(4096).split(b"\r\n", 1)[0]
    return ("clear" if status in line else "wrong"), line.decode("latin-1")


def _wait_for_ends(page: Page, requests: dict[str, bytes]) -> dict[str, Told]:
    """Opens a connection for each and sends it another byte now and then: all have to be ended."""
    told: dict[str, Told] = dict.fromkeys(requests, ("hang", "kept open"))
    with ExitStack() as stack:
        waiting = {stack.enter_context(page.connect()): what for what in requests}
        for connection, what in waiting.items():
            connection.sendall(requests[what])
        end = time.monotonic() + PATIENCE
        while waiting and time.monotonic() < end:
            for connection in select.select([*waiting], [], [], 1)[0]:
                if _is_over(connection):
                    told[waiting.pop(connection)] = ("clear", "")
            for connection, what in waiting.items():
                if what not in ("nothing", "body but for a byte"):
                    with suppress(OSError):
                        connection.send(b"x")
    return told


def _is_over(connection: socket.socket) -> bool:
    try:
        return connection.recv(4096) == b""
    except OSError:
        return True


def _vanish(page: Page) -> Told:
    """Opens connections that are reset amid a request, an answer, a body, a frame."""
    rng = random.Random(7)
    post = page.head(f"POST /decisions{page.token}", "Content-Length: 900000") + b"\r\n" + b" " * 800_000
    frames = page.talk() + frame(0x82, bytes(100_000)) * 5
    for data in (page.get(), page.get("/state"), page.get("/photos/0"), post, frames, page.talk()) * 8:
        with page.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with suppress(OSError):
                connection.sendall(data[: rng.choice((len(data), rng.randrange(1, len(data))))])
            time.sleep(rng.choice((0, 0.003, 0.03)))
    return _expect(page, page.get(), b"200")


def _crowd(page: Page) -> Told:
    """Opens too many connections: the next is told, or not let in; all are served when these are gone."""
    for count, wanted in ((70, "503"), (300, "")):
        with ExitStack() as stack:
            for _ in range(count):
                stack.enter_context(page.connect())
            time.sleep(0.5)
            told = ""
            with page.connect() as connection, suppress(OSError):
                connection.sendall(page.get())
                told = connection.recv(4096).decode()
        if wanted not in told or "200" in told:
            return "wrong", f"beside {count} clients: {told[:50]!r}"
        time.sleep(0.5)
    return _expect(page, page.get(), b"200")


CROWDS = {
    "vanishing clients": _vanish,
    "too many clients": _crowd,
    "100 requests at once": lambda page: _expect(page, page.get() * 100, b"200"),
}
