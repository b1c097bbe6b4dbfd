"""What keeps a local page private: its address, a secret in it, and who may connect."""

import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.responses import Response

from fercomp.core.errors import FercompError

HOST: Final = "127.0.0.1"
NAMES: Final = frozenset({HOST, "localhost"})
"""Host names under which a browser on this machine reaches the server."""

MAX_MESSAGE: Final = 4 * 2**20
"""Bytes of a message from the browser; a frame has some 50,000."""


@dataclass(frozen=True)
class Access:
    """Decides who may talk to the server.

    The secret in the address keeps other users of the machine out. The check of host and origin keeps out
    the pages of other sites that are open in the same browser, also those whose name leads to 127.0.0.1.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def allows(self, token: str, headers: Mapping[str, str]) -> bool:
        """Says whether a request may be answered.

        Args:
            token: What the request names as the secret.
            headers: Its headers; a browser sends `origin` with every WebSocket.
        """
        host = headers.get("host", "")
        if urlsplit(f"//{host}").hostname not in NAMES:
            return False
        if "origin" in headers and headers["origin"] != f"http://{host}":
            return False
        return secrets.compare_digest(token.encode(), self.token.encode())


def page(html: str) -> Response:
    """Returns a page that runs the script in it and talks to its own server, and to nobody else."""
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return Response(html.replace("{{nonce}}", nonce), media_type="text/html", headers=headers)


def serve(app: FastAPI, access: Access, port: int, ready: Callable[[str], None]) -> None:
    """Serves until Ctrl-C.

    Args:
        app: What answers.
        access: Its secret becomes a part of the address.
        port: Where to listen; 0 for any that is free.
        ready: Is told the page's address once browsers can connect.

    Raises:
        FercompError: The port is taken.
    """
    import uvicorn

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise FercompError(f"port {port} cannot be used ({error}): choose another --port") from error
        listener.listen()
        config = uvicorn.Config(
            app,
            log_level="warning",
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE,
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        ready(f"http://{HOST}:{listener.getsockname()[1]}/?token={access.token}")
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:  # how such a server ends
            return
