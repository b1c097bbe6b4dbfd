"""The connections to a local page: how long they may take, how many there may be, how errors are told."""

import logging
from asyncio import BaseTransport, TimerHandle
from contextlib import suppress
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CLIENTS: Final = 64
"""Connections that are answered at once; a browser makes six to a page. Up to twice as many are told 503."""

REQUEST_SECONDS: Final = 10.0
"""Seconds that a client may take to send a request, and to fetch its answer."""


class Visitor(H11Protocol):
    """A connection that ends when its client keeps the server waiting.

    uvicorn ends one that is idle between two requests; a request or an answer that never ends is for the
    proxy that usually stands before it.
    """

    _deadline: TimerHandle

    def connection_made(self, transport: BaseTransport) -> None:
        """Begins, where there is room."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._watch()
        if len(self.connections) > 2 * MAX_CLIENTS:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends."""
        self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Gives the next request its time."""
        self._deadline.cancel()
        self._watch()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP; where an answer is under way or gone, just ends."""
        if self.cycle is not None:
            self.cycle.disconnected = True  # or it would answer after this answer
        with suppress(h11.LocalProtocolError):
            super().send_400_response(msg)
        self.transport.close()

    def _watch(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        protocol = self.transport.get_protocol()
        if protocol is self and self._is_our_turn():
            self._watch()
        elif not getattr(protocol, "handshake_complete", False):  # pings look after an open WebSocket
            self.transport.abort()

    def _is_our_turn(self) -> bool:
        """Says whether the client has sent everything and fetches what there is."""
        done = self.cycle is None or self.cycle.response_complete
        return not (done or self.cycle.more_body or self.flow.write_paused)


def log_in_lines() -> None:
    """Makes errors of the server one line each, as those of photos are: what comes is not ours."""
    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(_in_one_line)


def _in_one_line(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        record.msg = f"{record.getMessage().strip()} ({error!r})"
        record.args, record.exc_info = None, None
    return True
