"""What keeps a local page private: its address, a secret in it, and who may connect."""

import re
import secrets
import signal
import socket
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fastapi import FastAPI

from fercomp.core.errors import FercompError

HOST: Final = "127.0.0.1"
_HOSTS: Final = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?", re.IGNORECASE)
"""What a browser on this machine calls the server; not parsed further, so that nothing can be wrong in it."""

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
        if not _HOSTS.fullmatch(host):
            return False
        if "origin" in headers and headers["origin"] != f"http://{host}":
            return False
        return secrets.compare_digest(token.encode(), self.token.encode())


@contextmanager
def door(address: str) -> Iterator[str]:
    """Gives the address of a file that leads to the page, and removes the file in the end.

    A browser is opened on it, since every user of a machine may read the command lines of all processes, and
    with them the secret; the file only its owner.
    """
    with TemporaryDirectory(prefix="fercomp-") as folder:
        file = Path(folder, "open.html")
        file.touch(mode=0o600)
        file.write_text(
            f'<meta http-equiv="refresh" content="0; url={address}">', encoding="utf-8", newline="\n"
        )
        yield file.as_uri()


def serve(app: FastAPI, access: Access, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serves until Ctrl-C, SIGTERM, or the end of the terminal.

    Args:
        app: What answers.
        access: Its secret becomes a part of the address.
        port: Where to listen; 0 for any that is free.
        browser: Whether to open the page in a browser.
        say: Is told the page's address once browsers can connect.

    Raises:
        FercompError: The port is taken.
    """
    import uvicorn

    from fercomp.web.clients import MAX_CLIENTS, Visitor, log_in_lines

    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise FercompError(f"port {port} cannot be used ({error}): choose another --port") from error
        listener.listen()
        config = uvicorn.Config(
            app,
            http=Visitor,
            log_level="warning",
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE,
            limit_concurrency=MAX_CLIENTS + 1,  # uvicorn counts the one that asks, too
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        log_in_lines()
        _end_as_by_ctrl_c()
        try:
            address = f"http://{HOST}:{listener.getsockname()[1]}/?token={access.token}"
            say(f"open {address} (Ctrl-C ends)")
            if browser:
                webbrowser.open(stack.enter_context(door(address)))
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:  # how such a server ends
            return


def _end_as_by_ctrl_c() -> None:
    """Makes every end of the server one that removes what it put on the disk."""
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # `nohup` ignores SIGHUP
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
