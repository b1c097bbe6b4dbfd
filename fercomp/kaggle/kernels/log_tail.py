"""The last lines that a running kernel has printed, read beside the questions how far it is.

Kaggle sends what there is from the beginning, then what comes, for as long as it likes; read again, it begins
anew. Whatever fails here costs these lines only.
"""

import json
from collections import deque
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any, Final, Self

import requests
from urllib3.exceptions import HTTPError

from fercomp.core.errors import FercompError
from fercomp.kaggle.client.account import Account
from fercomp.kaggle.client.refusals import UNFORESEEN, printable
from fercomp.kaggle.kernels.calls import read_log

SHOWN: Final = 5
"""Lines that are kept between two looks."""

READ_AGAIN = 30.0
"""Seconds between two readings."""

_END: Final = "END_OF_LOG"
_LONGEST_LINE: Final = 2**16


class LogTail:
    """Reads a kernel's log in a thread, from `with` to its end.

    Args:
        kaggle: The account.
        slug: The kernel.
    """

    def __init__(self, kaggle: Account, slug: str) -> None:
        self._kaggle, self._slug = kaggle, slug
        self._lines: deque[str] = deque(maxlen=SHOWN)
        self._seen = 0
        self._stop = Event()
        self._thread = Thread(target=self._read_all, daemon=True)  # it may wait for a line when we end

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def new_lines(self) -> list[str]:
        """Returns the last lines that came since the last call."""
        lines = []
        while self._lines:
            lines.append(self._lines.popleft())
        return lines

    def _read_all(self) -> None:
        while not self._stop.is_set():
            try:
                for number, line in enumerate(self._read(), 1):
                    if self._stop.is_set():
                        return
                    if number > self._seen:
                        self._seen = number
                        self._lines.append(line)
            except (FercompError, requests.RequestException, HTTPError, OSError, *UNFORESEEN):
                pass  # the question how far the kernel is tells of what is wrong
            self._stop.wait(READ_AGAIN)

    def _read(self) -> Iterator[str]:
        answer: Any = self._kaggle.call(
            "kernels", "GetKernelSessionLogsStream", user_name=self._kaggle.owner, kernel_slug=self._slug
        )
        with answer:
            if "event-stream" not in answer.headers.get("Content-Type", ""):
                return  # it has ended: its whole log is among its output
            rest = b""
            while piece := answer.raw.read1(2**16, decode_content=True):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    yield from _printed(line.decode("utf-8", "replace"))
                if len(rest) > _LONGEST_LINE:
                    return


def _printed(event: str) -> list[str]:
    """Reads an event of the stream.

    Examples:
        >>> _printed('data: {"stream_name": "stdout", "data": "epoch 1"}')
        ['epoch 1']
    """
    field, _, content = event.strip().partition(":")
    content = content.strip()
    if field != "data" or content == _END:
        return []
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return [printable(content)]
    return read_log(f"[{content}]")
