"""How requests travel: never without a timeout, and again where a repetition does no harm.

The Kaggle client sends its requests once and waits for ever. It sends them through sessions of `requests`,
whose adapters are the place where that can be changed without touching the client.
"""

import io
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError, ResponseError
from urllib3.util.retry import Retry

from fercomp.core.progress import say
from fercomp.kaggle.client.refusals import LONGEST_PAUSE

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0
"""How long Kaggle may be silent, not how long an answer may take."""

REPEATS = 4
"""How often a request is sent again at most."""

BACKOFF = 1.0
"""Pauses between repetitions are 0, 2, 4, 8 ... times this, in seconds (urllib3's rule)."""

TALKATIVE: Final = ("VERBOSE", "VERBOSE_OUTPUT")
"""Variables that make the client print each request, credentials included."""

LEAST_RATE: Final = 1000
"""Bytes a second that an answer brings at least, over `READ_SECONDS` each: a server that drips is left."""

LARGEST_ANSWER: Final = 2**26
"""Bytes of an answer that is read whole: a page of 200 entries has about 100,000."""

_PIECE: Final = 2**18

_BUSY: Final = (429, 500, 502, 503, 504)
"""Answers after which the same request may well succeed."""


class Patience(Retry):
    """urllib3's rules for repetitions, told to the user and bounded in time."""

    def get_retry_after(self, response: "BaseHTTPResponse") -> float | None:
        """Returns the pause that an answer asks for in seconds, `None` where it is not a valid one."""
        try:
            return super().get_retry_after(response)
        except InvalidHeader:
            return None

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: "BaseHTTPResponse | None" = None,
        error: Exception | None = None,
        _pool: Any = None,
        _stacktrace: Any = None,
    ) -> Self:
        """Counts a repetition; gives up where the answer asks for a longer pause than a user would wait."""
        if response is not None and (self.get_retry_after(response) or 0) > LONGEST_PAUSE:
            raise MaxRetryError(_pool, url or "", ResponseError("a long pause is asked for"))
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def sleep(self, response: "BaseHTTPResponse | None" = None) -> None:
        """Waits before the next try, and says so where it is long."""
        asked = self.get_retry_after(response) if response is not None else None
        seconds = asked or self.get_backoff_time()
        if seconds >= 2:
            answered = (
                f"Kaggle answers {response.status}" if response is not None else "no answer from Kaggle"
            )
            say(f"{answered}: trying again in {seconds:.0f} s")
        super().sleep(response)


class _Timed(HTTPAdapter):
    """Gives every request a timeout that has none."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Sends a request, see `HTTPAdapter.send`."""
        timeout = timeout or (CONNECT_SECONDS, READ_SECONDS)
        answer = super().send(request, stream, timeout, verify, cert, dict(proxies or {}))
        if not stream:  # else `requests` reads it, for as long as the server likes
            answer._content = _whole(answer)
            answer._content_consumed = True
        return answer


def pieces(answer: requests.Response) -> Iterator[bytes]:
    """Reads an answer as it comes.

    Raises:
        requests.RequestException: It breaks off, or comes more slowly than `LEAST_RATE`.
    """
    begun, came = time.monotonic(), 0
    while True:
        try:
            piece = answer.raw.read1(_PIECE, decode_content=True)
        except HTTPError as error:
            raise requests.ConnectionError(error) from error
        if not piece:
            return
        yield piece
        came += len(piece)
        seconds = time.monotonic() - begun
        if seconds >= READ_SECONDS:
            if came < LEAST_RATE * seconds:
                raise requests.ReadTimeout("the answer comes in drips")
            begun, came = time.monotonic(), 0


def _whole(answer: requests.Response) -> bytes:
    body = bytearray()
    for piece in pieces(answer):
        body += piece
        if len(body) > LARGEST_ANSWER:
            answer.close()
            raise requests.RequestException("an answer without an end")
    return bytes(body)


def guard(session: requests.Session, repeatable: Iterable[str]) -> requests.Session:
    """Makes a session send with timeouts, and some of its requests again where they fail.

    Args:
        session: The session; it is changed.
        repeatable: How the addresses begin whose requests may be repeated, whatever their method. Others
            are sent once.

    Returns:
        The session.
    """
    for prefix in ("https://", "http://"):
        session.mount(prefix, _Timed(max_retries=0))
    patience = Patience(
        REPEATS,
        allowed_methods=None,
        status_forcelist=_BUSY,
        backoff_factor=BACKOFF,
        backoff_max=LONGEST_PAUSE,
        raise_on_status=False,  # the last answer is handed on, with its reason
    )
    for prefix in repeatable:
        session.mount(prefix, _Timed(max_retries=patience))
    return session


@contextmanager
def silenced() -> Iterator[None]:
    """Keeps a block, in which the client is imported, from printing and from sending.

    The client signs in while it is imported, and gives that up without a word where it cannot.
    """

    def refuse(*_: object, **__: object) -> NoReturn:
        raise requests.ConnectionError("nothing is sent while kaggle is imported")

    send = requests.Session.send
    talkative = {name: os.environ.pop(name) for name in TALKATIVE if name in os.environ}
    requests.Session.send = refuse  # type: ignore[method-assign]
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        requests.Session.send = send  # type: ignore[method-assign]
        os.environ.update(talkative)
