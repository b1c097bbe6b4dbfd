"""What both pages have in common: who may connect, how a browser gets there, and clients that misbehave."""

import http.client
import re
import signal
import socket
import time
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from fercomp.web.clients import MAX_CLIENTS, REQUEST_SECONDS
from fercomp.web.local import Access, door
from tests.web.conftest import ask

HOST = "127.0.0.1:8000"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:1", "localhost:65535", "LOCALHOST"])
def test_a_browser_on_this_machine_may_connect(host):
    access = Access()
    assert access.allows(access.token, {"host": host, "origin": f"http://{host}"})


PARTS = [
    "",
    "[",
    "]",
    "[::1",
    "[x]:1",
    "localhost:",
    "localhost:x",
    "localhost:1:1",
    "localhost\n",
    "é",
    "\0",
]
NAMES = [
    "evil.example",
    "localhost.evil.example",
    "localhost@evil.example",
    "evil@localhost",
    "localhost:\u0661",
]


@pytest.mark.parametrize("host", [*PARTS, *NAMES])
def test_any_other_host_may_not(host):
    access = Access()
    assert not access.allows(access.token, {"host": host})


@pytest.mark.parametrize("origin", ["", "null", "[", "http://[", f"https://{HOST}", f"http://{HOST}/", "é"])
def test_any_other_origin_may_not(origin):
    access = Access()
    assert not access.allows(access.token, {"host": HOST, "origin": origin})


def test_a_browser_is_led_by_a_file_of_its_user_alone():
    with door("http://127.0.0.1:1/?token=secret") as address:
        assert "secret" not in address
        file = Path(url2pathname(urlsplit(address).path))
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert re.search(r'url=([^"]+)"', file.read_text())[1] == "http://127.0.0.1:1/?token=secret"
    assert not file.parent.exists()


@pytest.fixture
def opened(start_review, review_workspace, tmp_path, monkeypatch):
    """A page whose browser is a script; gives the server and what was handed to the browser."""
    told, script = tmp_path / "told.txt", tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$@" > {told}.part && mv {told}.part {told}\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s &")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = start_review(review_workspace, browser=True)
    end = time.monotonic() + 60
    while not told.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return server, told.read_text().strip()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_no_command_line_has_the_secret_and_the_file_is_gone_in_the_end(opened, name):
    server, address = opened
    assert re.fullmatch(r"file:///\S+/open\.html", address)
    assert server.token not in address
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        assert server.token not in words.read_text(errors="replace")
    file = Path(url2pathname(urlsplit(address).path))
    assert server.address in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    code, out, err = server.stop(getattr(signal, name))
    assert (code, out) == (0, "decided: 0 photos\nNext: fercomp relabel --model NAME\n")
    assert "Traceback" not in err
    assert not file.parent.exists()
    assert list(server.journal.parent.glob(".*")) == []


PARTS_OF_PAGES = [
    part
    for part in files("fercomp.web.pages").iterdir()
    if part.name.rpartition(".")[2] in ("html", "css", "js")
]


@pytest.mark.parametrize("part", PARTS_OF_PAGES, ids=lambda part: part.name)
def test_pages_ask_nobody_else_and_run_nothing_that_is_written_at_run_time(part):
    text = part.read_text(encoding="utf-8")
    assert re.findall(r"https?:|[\"'(]//", text) == []
    assert re.findall(r"<(?:link|script|img|iframe)[^>]+(?:src|href)=\"(?!data:|\{\{files\}\}/)", text) == []
    assert re.findall(r"\beval\(|\bFunction\(|innerHTML|document\.write|\sstyle=|\son[a-z]+=\"", text) == []
    assert len(text.splitlines()) <= 250


def connect(server):
    name, port = server.host.split(":")
    return socket.create_connection((name, int(port)), timeout=30)


def status(server):
    return ask(server, f"/?token={server.token}", Connection="close")[0]


def upgrade(server):
    return (
        f"GET /frames?token={server.token} HTTP/1.1\r\nHost: {server.host}\r\nOrigin: http://{server.host}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )


@pytest.mark.slow
def test_who_keeps_the_server_waiting_is_cut_off(server):
    """By nothing, by a head, a body or an upgrade that never ends, by an answer that is never fetched."""
    get = f"GET /?token={server.token} HTTP/1.1\r\nHost: {server.host}\r\n"
    post = f"POST / HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 500000\r\n\r\n"
    halves = [
        "",
        "G",
        get,
        post,
        post + "x" * 1000,
        upgrade(server),
        upgrade(server) + "x: y\r\n" * 300 + "\r\n",
    ]
    with ExitStack() as stack:
        waiting = [stack.enter_context(connect(server)) for _ in halves]
        greedy = stack.enter_context(connect(server))
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.setblocking(False)
        start = time.monotonic()
        for connection, half in zip(waiting, halves, strict=True):
            connection.sendall(half.encode())
        open_still = {*waiting, greedy}
        while open_still and time.monotonic() < start + REQUEST_SECONDS + 10:
            for connection in list(open_still):
                data = b"x" if connection is not greedy else f"{get}\r\n".encode() * 100
                try:
                    connection.send(data)
                except BlockingIOError:
                    pass
                except OSError:
                    open_still.discard(connection)
            time.sleep(0.5)
        assert not open_still
        assert time.monotonic() > start + REQUEST_SECONDS / 2
    assert status(server) == 200
    assert "Traceback" not in server.stop()[2]


def test_so_many_clients_at_once_and_no_more(server):
    with ExitStack() as stack:
        for _ in range(MAX_CLIENTS - 1):
            stack.enter_context(connect(server))
        time.sleep(0.5)
        assert status(server) == 200
        time.sleep(0.5)
        stack.enter_context(connect(server))
        time.sleep(0.5)
        assert status(server) == 503
        for _ in range(MAX_CLIENTS):
            stack.enter_context(connect(server))
        time.sleep(0.5)
        with pytest.raises((OSError, http.client.HTTPException)):
            status(server)
    time.sleep(0.5)
    assert status(server) == 200
    assert "Traceback" not in server.stop()[2]
