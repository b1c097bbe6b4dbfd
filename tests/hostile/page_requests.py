"""What hostile clients send to the local pages."""

import random
import socket
import struct
from dataclasses import dataclass

PATIENCE = 25.0
"""Seconds within which a client is answered or its connection closed; the pages themselves wait for ten."""

HARMLESS = ("10,000 headers", "another upgrade", "version 9")
"""What may be answered as if nothing were wrong; nothing else may."""

HOSTS = (
    "[",
    "]:1",
    "[::1",
    "[v1.x]",
    "[]",
    "127.0.0.1:",
    "127.0.0.1:x",
    "127.0.0.1:99999999",
    "@",
    "a@127.0.0.1",
)
HOSTS += (
    "",
    " ",
    "\u0661",
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
    "//",
    "\xff\xfe",
)
CAMERAS = (
    b'{"camera": null}',
    b'{"camera": [0, -1]}',
    b'{"camera": [1e999, 480]}',
    b'{"camera": [640, 480, 3]}',
    b'{"camera": {"0": 640, "1": 480}}',
    b'{"camera": [' + b"9" * 5000 + b", 480]}",
    b'{"camera": [16384, 1]}',
)
ORIGINS = ("null", "http://evil.example", "http://[", "http://127.0.0.1:1", "\xff", "file://")


@dataclass(frozen=True)
class Page:
    """A page that is served.

    Attributes:
        host: Name and port.
        token: The query with its secret.
    """

    host: str
    token: str

    def head(self, line: str, *headers: str) -> bytes:
        """Returns the head of a request without its empty line."""
        lines = (f"{line} HTTP/1.1", f"Host: {self.host}", f"Origin: http://{self.host}", *headers)
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1")

    def get(self, path: str = "/") -> bytes:
        """Returns a good request, which ends its connection."""
        return self.head(f"GET {path}{self.token}", "Connection: close") + b"\r\n"

    def talk(self, *headers: str) -> bytes:
        """Returns the request that opens the camera's WebSocket."""
        key = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
        upgrade = ("Upgrade: websocket", "Connection: Upgrade", *key, *headers)
        return self.head(f"GET /frames{self.token}", *upgrade) + b"\r\n"

    def connect(self) -> socket.socket:
        """Opens a connection."""
        name, _, port = self.host.partition(":")
        return socket.create_connection((name, int(port)), timeout=PATIENCE)


def frame(first: int, data: bytes, masked: bool = True) -> bytes:
    """Returns a WebSocket frame; `first` is its first byte: FIN, reserved bits, kind."""
    length = len(data)
    sizes = struct.pack(">B", length) if length < 126 else struct.pack(">BQ", 127, length)
    return bytes([first, sizes[0] | 128 * masked]) + sizes[1:] + bytes(4 * masked) + data


def heads(page: Page) -> dict[str, bytes]:
    """Returns requests with something wrong in the head."""
    line, get = f"GET /{page.token}", page.head(f"GET /{page.token}")
    hosts = {
        f"host {host!r}": f"{line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1", "ignore")
        for host in HOSTS
    }
    origins = {
        f"origin {origin!r}": f"{line} HTTP/1.1\r\nHost: {page.host}\r\nOrigin: {origin}\r\n\r\n".encode(
            "latin-1"
        )
        for origin in ORIGINS
    }
    paths = (
        "/../../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/%00",
        "/\xff\xfe",
        "/photos/" + "9" * 5000,
        "/photos/-1",
        "//",
    )
    others = {f"path {path[:20]!r}": page.head(f"GET {path}{page.token}") + b"\r\n" for path in paths}
    secret = page.token.partition("=")[2]
    parts = {"wrong": "wrong/page.js", "none": "/page.js"}
    parts |= {
        name: f"{secret}/{name}" for name in ("..%2F..%2Flocal.py", "live.html", "%00", "\xff.js", "9" * 5000)
    }
    for name, part in parts.items():
        others[f"file {name[:20]!r}"] = page.head(f"GET /files/{part}") + b"\r\n"
    foreign = page.head(f"GET /files/{secret}/page.js").replace(b"Origin: http://", b"Origin: http://evil.")
    others["file for another site"] = foreign + b"\r\n"
    for large in ("9" * 5000, "%00", "NaN", "true&large=no-size"):
        line = f"GET /photos/0{page.token}&large={large}"
        others[f"large {large[:20]!r}"] = page.head(line) + b"\r\n"
    methods = (
        "BREW /",
        "CONNECT evil.example:443",
        "GET http://evil.example/",
        "PUT /",
        "OPTIONS *",
        "GET",
        "\0 /",
    )
    others |= {f"method {method!r}": page.head(method) + b"\r\n" for method in methods}
    return hosts | origins | others | {
        "no HTTP": b"hello\r\n\r\n",
        "TLS": bytes.fromhex("160301020001000100") + bytes(600),
        "zeros": b"\0" * 4096,
        "no host": f"{line} HTTP/1.1\r\n\r\n".encode(),
        "two hosts": get + b"Host: evil.example\r\n\r\n",
        "host of 60 kB": f"{line} HTTP/1.1\r\nHost: ".encode() + b"h" * 60_000 + b"\r\n\r\n",
        "10,000 headers": get + b"x: y\r\n" * 10_000 + b"\r\n",
        "header of 200 kB": get + b"x: " + b"y" * 200_000 + b"\r\n\r\n",
        "path of 100 kB": b"GET /" + b"p" * 100_000 + b" HTTP/1.1\r\n\r\n",
        "version 9": get.replace(b"HTTP/1.1", b"HTTP/9.9") + b"\r\n",
        "version 1.0 without host": f"{line} HTTP/1.0\r\n\r\n".encode(),
        "space before colon": get + b"x : a\r\n\r\n",
        "wrong secret": page.head("GET /?token=%ff%fe") + b"\r\n",
        "secret twice": page.head(f"GET /{page.token}&token=x") + b"\r\n",
        "lone line feeds": b"GET / HTTP/1.1\nHost: x\n\n",
    }  # fmt: skip


def bodies(page: Page) -> dict[str, bytes]:
    """Returns requests with something wrong in the body."""
    post = page.head(f"POST /decisions{page.token}", "Content-Type: application/json")
    chunked = post + b"Transfer-Encoding: chunked\r\n\r\n"

    def sized(body: bytes, length: object = None) -> bytes:
        return post + f"Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body

    return {
        "bad chunk": chunked + b"zz\r\nx\r\n0\r\n\r\n",
        "bad second chunk": chunked + b"1\r\n[\r\n-5\r\nx\r\n0\r\n\r\n",
        "bad chunk after a refused head": chunked.replace(page.token.encode(), b"") + b"zz\r\nx\r\n",
        "huge chunk": chunked + b"ffffffffffffffff\r\nx",
        "chunk without end": chunked + b"5\r\n[1,2,",
        "endless trailers": chunked + b"0\r\n" + b"x: y\r\n" * 5000 + b"\r\n",
        "length and chunks": post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "negative length": sized(b"{}", -1),
        "length that is no number": sized(b"{}", "x"),
        "two lengths": sized(b"{}", "2\r\nContent-Length: 3"),
        "huge length": sized(b"{}", 99999999999999999999),
        "too long": sized(b" " * 5 * 2**20),
        "deep JSON": sized(b"[" * 200_000),
        "deep objects": sized(b'{"a":' * 100_000),
        "not UTF-8": sized(b"\xff\xfe"),
        "lone surrogate": sized(b'[{"photo": 0, "label": "\\ud800", "was": null}]'),
        "surrogate before": sized(b'[{"photo": 0, "label": null, "was": "\\ud800"}]'),
        "deep before": sized(b'[{"photo": 0, "label": null, "was": ' + b"[" * 100_000),
        "no step": sized(b'[{"photo": 0, "label": "sad", "was": null, "same_step": 1e999}]'),
        "no before": sized(b'[{"photo": 0, "label": null}]'),
        "huge number": sized(b'[{"photo": ' + b"9" * 10_000 + b', "label": "happy", "was": null}]'),
        "NaN": sized(b'[{"photo": NaN, "label": "happy", "was": null}]'),
        "no JSON": sized(b"photo=1"),
        "empty": sized(b""),
        "no origin": sized(b"[]").replace(b"Origin", b"X-Nothing"),
        "unknown expectation": post + b"Expect: 200-maybe\r\nContent-Length: 1\r\n\r\n{",
    }


def talks(page: Page) -> dict[str, bytes]:
    """Returns what is wrong with a WebSocket: how it is opened, its frames, its messages."""
    opened, upgrade = (
        page.talk(),
        page.head(f"GET /frames{page.token}", "Upgrade: websocket", "Connection: Upgrade"),
    )
    frames = {
        "not masked": frame(0x82, b"x", masked=False),
        "reserved bits": frame(0xF2, b"x"),
        "unknown kind": frame(0x83, b"x"),
        "rest without a beginning": frame(0x80, b"x"),
        "long ping": frame(0x89, bytes(200)),
        "ping in pieces": frame(0x09, b"x"),
        "close of one byte": frame(0x88, b"x"),
        "close for no reason": frame(0x88, b"\0\1"),
        "close that is not UTF-8": frame(0x88, b"\x03\xe8\xff"),
        "a length of 2^63": b"\x82\xff" + b"\xff" * 8,
        "a message that is too long": frame(0x82, bytes(5 * 2**20)),
        "text that is not UTF-8": frame(0x81, b"\xff\xfe"),
        "text in pieces that is not UTF-8": frame(0x01, b"{") + frame(0x80, b"\xff"),
        "deep JSON": frame(0x81, b"[" * 200_000),
        "other JSON": frame(0x81, b'{"record": {"record": 1}}')
        + frame(0x81, b"3")
        + frame(0x81, b'"\\ud800"'),
        "cameras that there are not": b"".join(frame(0x81, sizes) for sizes in CAMERAS),
        "a recording begun twice and ended thrice": b"".join(
            frame(0x81, b'{"record": %s}' % wanted) for wanted in (b"true", b"true", *[b"false"] * 3)
        ),
        "a frame that is no picture": frame(0x82, bytes(range(256))) + frame(0x82, b""),
        "half a frame": frame(0x82, bytes(1000))[:500],
        "1,000 pings": frame(0x89, b"x") * 1000,
    }
    return {
        "websocket without key": upgrade + b"\r\n",
        "websocket with a bad key": upgrade + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n",
        "websocket by POST": opened.replace(b"GET", b"POST"),
        "websocket elsewhere": opened.replace(b"/frames", b"/none"),
        "websocket with 300 headers": page.talk(*["x: y"] * 300),
        "websocket with a header of 10 kB": page.talk("x: " + "y" * 10_000),
        "websocket with a body": page.talk("Content-Length: 5") + b"hello",
        "websocket of other extensions": page.talk(
            "Sec-WebSocket-Extensions: x; y=\xff, permessage-deflate; z"
        ),
        "websocket of another site": opened.replace(b"Origin: http://", b"Origin: http://evil."),
        "another upgrade": page.head(f"GET /{page.token}", "Connection: Upgrade", "Upgrade: h2c") + b"\r\n",
        "frames that nobody opened": b"\x81\xfe\xff\xff" * 100,
        **{f"websocket: {what}": opened + data for what, data in frames.items()},
    }


def halves(page: Page) -> dict[str, bytes]:
    """Returns what is never ended: every second, another byte of it comes, at the most."""
    post = page.head(f"POST /decisions{page.token}", "Content-Length: 500")
    requests = (page.get(), page.get("/state"), post + b"\r\n" + b" " * 490, page.talk())
    rng = random.Random(5)
    cuts = {
        f"{i}.{j}": data[: rng.randrange(len(data) - 1)] for i, data in enumerate(requests) for j in range(5)
    }
    return {"nothing": b"", "body but for a byte": post + b"\r\n" + b"[" * 499, **cuts}
