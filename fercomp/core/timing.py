"""How long work will take, said before the time is spent."""

import sys
import time
from collections.abc import Callable
from typing import Final

from fercomp.core.progress import say

TOLD: Final = 60.0
"""Seconds from which on it is said how long work takes."""

LONG: Final = 3600.0
"""Seconds from which on it is said what else would do, where there is no GPU."""

_TIMED: Final = 2
"""Parts of work that say how long all will take."""

_CLOCKS: Final = ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC")
"""On Linux and on macOS, where `time.monotonic` stops while the computer sleeps; not so on Windows."""


def sleepless() -> float:
    """Returns the seconds since some moment, those in which the computer slept among them."""
    if sys.platform != "win32":
        for name in _CLOCKS:
            if (clock := getattr(time, name, None)) is not None:
                return time.clock_gettime(clock)
    return time.monotonic()


def seconds_each(call: Callable[[], object], times: int = 2) -> float:
    """Returns how many seconds a call takes, the mean of a few after a first one that makes things ready."""
    call()
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def duration(seconds: float) -> str:
    """Returns a time in words, rounded: `40 s`, `12 min`, `3 h 20 min`, `2 days 4 h`.

    Args:
        seconds: How long, 0 or more.

    Example:
        >>> duration(12_000)
        '3 h 20 min'
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes >= 600:
        minutes = 60 * round(minutes / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "days" if days > 1 else "day"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n)


def say_duration(what: str, seconds: float, gpu: bool, instead: str, several: bool = False) -> None:
    """Says how long work will take where that is a minute or more.

    Args:
        what: What takes so long.
        seconds: How long.
        gpu: Whether it runs on a GPU.
        instead: What else would do, for work of more than an hour without one.
        several: Whether it runs on several.
    """
    if seconds < TOLD:
        return
    where = f"{'these' if several else 'this'} {'GPU' if gpu else 'CPU'}{'s' if several else ''}"
    say(f"{what}: about {duration(seconds)} on {where}")
    if seconds > LONG and not gpu:
        say(f"in less time: {instead}")


class Foretold:
    """Says how long work in equal parts will take, once a few of them are done.

    Args:
        what: See `say_duration`.
        parts: How many parts there are.
        gpu: See `say_duration`.
        instead: Likewise.
    """

    def __init__(self, what: str, parts: float, gpu: bool, instead: str) -> None:
        self._what, self._parts, self._gpu, self._instead = what, parts, gpu, instead
        self._begun, self._start = 0, 0.0

    def begin(self) -> None:
        """Notes that a part begins; the first one, which makes things ready, is not timed."""
        self._begun += 1
        if self._begun == 2:
            self._start = time.perf_counter()
        elif self._begun == 2 + _TIMED:
            seconds = (time.perf_counter() - self._start) / _TIMED * self._parts
            say_duration(self._what, seconds, self._gpu, self._instead)
