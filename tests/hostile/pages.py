"""Hostile requests to the local pages: each gets an answer or a closed connection, and the page lives on."""

import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .case import Case, Outcome, Result

PATIENCE = 20.0
"""Seconds within which a request is answered or its connection closed."""

SERVERS = {
    "live": ["live", "--no-browser", "--model", "tiny", "--port", "0"],
    "review": ["review", "--no-browser", "--port", "0"],
}


def page_requests(host: str, token_path: str) -> dict[str, bytes]:
    """Returns what is sent, by what is hostile about it."""
    head = f"Host: {host}\r\n".encode()
    get = b"GET " + token_path.encode() + b" HTTP/1.1\r\n"
    post = b"POST " + token_path.encode() + b" HTTP/1.1\r\n" + head + b"Content-Type: application/json\r\n"
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    return {
        "nothing": b"",
        "no HTTP": b"hello\r\n\r\n",
        "TLS": bytes.fromhex("160301020001000100"),
        "zeros": b"\0" * 4096,
        "no host": get + b"\r\n",
        "host [": get + b"Host: [\r\n\r\n",
        "host ]": get + b"Host: ]:1\r\n\r\n",
        "host of another": get + b"Host: evil.example\r\n\r\n",
        "two hosts": get + head + b"Host: evil.example\r\n\r\n",
        "host of 60 kB": get + b"Host: " + b"h" * 60_000 + b"\r\n\r\n",
        "10,000 headers": get + head + b"x: y\r\n" * 10_000 + b"\r\n",
        "header without end": get + head + b"x: " + b"y" * 200_000,
        "path of 100 kB": b"GET /" + b"p" * 100_000 + b" HTTP/1.1\r\n" + head + b"\r\n",
        "path that is not UTF-8": b"GET /\xff\xfe HTTP/1.1\r\n" + head + b"\r\n",
        "path with ..": b"GET /../../etc/passwd HTTP/1.1\r\n" + head + b"\r\n",
        "path with %2e": b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + head + b"\r\n",
        "path with a zero": b"GET /%00 HTTP/1.1\r\n" + head + b"\r\n",
        "absolute address": b"GET http://evil.example/ HTTP/1.1\r\n" + head + b"\r\n",
        "version 9": b"GET / HTTP/9.9\r\n" + head + b"\r\n",
        "unknown method": b"BREW / HTTP/1.1\r\n" + head + b"\r\n",
        "connect": b"CONNECT evil.example:443 HTTP/1.1\r\n" + head + b"\r\n",
        "bad chunk": post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
        "huge chunk": post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        "length and chunks": post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "negative length": post + b"Content-Length: -1\r\n\r\n{}",
        "length that is no number": post + b"Content-Length: x\r\n\r\n{}",
        "huge length": post + b"Content-Length: 99999999999999999999\r\n\r\n{}",
        "deep JSON": post + b"Content-Length: 200000\r\n\r\n" + b"[" * 200_000,
        "not UTF-8": post + b"Content-Length: 2\r\n\r\n\xff\xfe",
        "folded header": get + head + b"x: a\r\n b\r\n\r\n",
        "space before colon": get + head + b"x : a\r\n\r\n",
        "lone line feeds": b"GET / HTTP/1.1\n" + b"Host: x\n\n",
        "half a request": get[:9],
        "half of its headers": get + head[:7],
        "websocket without key": get + head + upgrade + b"\r\n",
        "websocket with a bad key": get
        + head
        + upgrade
        + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n",
        "websocket frames that nobody opened": b"\x81\xfe\xff\xff" * 100,
        "origin of another": get + head + b"Origin: http://evil.example\r\n\r\n",
        "100 requests at once": (get + head + b"\r\n") * 100,
    }


def page_results(base: Path) -> Iterator[Result]:
    """Sends every request to both pages and gives what came of each."""
    for name, words in SERVERS.items():
        yield from _results_of(name, words, base)


def _results_of(name: str, words: list[str], base: Path) -> Iterator[Result]:
    command = [sys.executable, "-m", "fercomp", *words]
    with subprocess.Popen(
        command, cwd=base, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            host, path = _address(server)
            for what, data in page_requests(host, path).items():
                case = Case("pages", f"{name}: {what}", lambda folder: [])
                outcome, why = _send(host, data)
                if outcome == "clear" and server.poll() is not None:
                    outcome, why = "crash", f"the server ended with {server.returncode}"
                yield Result(case, outcome, why)
            wanted = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            alive = _send(host, wanted.encode(), half_close=False)
            case = Case("pages", f"{name}: still answers", lambda folder: [])
            yield Result(case, *(alive if "200" in alive[1] else ("wrong", alive[1])))
        finally:
            server.terminate()
            said = server.communicate(timeout=30)[0]
    outcome, why = ("traceback", said[-300:]) if "Traceback" in said else ("clear", "")
    yield Result(Case("pages", f"{name}: no traceback", lambda folder: []), outcome, why)  # type: ignore[arg-type]


def _address(server: subprocess.Popen[str]) -> tuple[str, str]:
    """Returns host with port, and path with token, of the address that the server says."""
    assert server.stdout is not None
    end, said = time.monotonic() + 60, ""
    while time.monotonic() < end and server.poll() is None:
        if select.select([server.stdout], [], [], 1)[0]:
            said += server.stdout.readline()
            if found := re.search(r"http://(127\.0\.0\.1:\d+)(/\S*)", said):
                return found[1], found[2]
    raise RuntimeError(f"no address: {said}")


def _send(host: str, data: bytes, half_close: bool = True) -> tuple[Outcome, str]:
    """Sends bytes, then says that nothing follows if wanted; there has to be an answer or an end."""
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4096)
        except TimeoutError:
            return "hang", "neither an answer nor an end"
        except OSError as error:
            return "clear", str(error)
        line = answer.split(b"\r\n", 1)[0].decode("latin-1")
        return ("wrong", line) if line.startswith("HTTP/1.1 500") else ("clear", line)
