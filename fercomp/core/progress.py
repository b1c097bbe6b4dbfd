"""What is said to people: progress on stderr, bars where somebody watches, lines everywhere."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, Never, Self, TypeVar

from fercomp.core.terminal import escaped, one_line, raw

if TYPE_CHECKING:
    from tqdm import tqdm

_T = TypeVar("_T")

_LOOK: Final[Mapping[str, Any]] = MappingProxyType({"disable": None, "leave": False, "dynamic_ncols": True})
"""How every bar looks: it is there on terminals only, and goes at its end."""

_FORMAT: Final = "{l_bar}{bar}| {n_fmt}/{total_fmt} {unit} [{elapsed}<{remaining}{postfix}]"

_DELAY: Final = 0.5
"""Seconds of work after which a bar comes."""

_BETWEEN: Final = 10.0
"""Seconds at least between two lines about the same work."""


class Lines(Generic[_T]):
    """Tells how far work is, by a line for each tenth of it; what is done in a few seconds has none.

    Args:
        items: What is worked through.
        description: What is being done.
        total: Number of items; of an unknown number, nothing is said.
    """

    def __init__(self, items: Iterable[_T], description: str, total: int | None) -> None:
        self._items = items
        self._description = description
        self._total = total
        self._done, self._tenths, self._postfix = 0, 0, ""
        self._start = self._told = time.monotonic()

    def __iter__(self) -> Iterator[_T]:
        """Yields the items."""
        for item in self._items:
            yield item
            self.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def update(self, n: int = 1) -> None:
        """Counts items as done."""
        self._done += n
        now, tenths = time.monotonic(), 10 * self._done // self._total if self._total else 0
        if self._tenths < tenths < 10 and now - self._told >= _BETWEEN:
            self._tenths, self._told = tenths, now
            say(f"{self._description}: {10 * tenths} %, {self._postfix}after {now - self._start:.0f} s")

    def set_postfix(self, refresh: bool = True, **values: str) -> None:  # noqa: ARG002 - as tqdm has it
        """Sets what a line says besides."""
        self._postfix = "".join(f"{name} {value}, " for name, value in values.items())


def track(
    items: Iterable[_T], description: str, unit: str, total: int | None = None, at_once: bool = False
) -> "tqdm[_T] | Lines[_T]":
    """Iterates over the items behind a progress bar, or lines where stderr is not a terminal.

    Args:
        items: What is worked through.
        description: What is being done, shown before the bar.
        unit: What one item is, such as `"photo"`.
        total: Number of items where `items` has no length.
        at_once: Whether the bar is there before the first item is done, which may take long.

    Returns:
        The same items.
    """
    from tqdm import tqdm

    if not raw(sys.stderr).isatty():
        return Lines(items, description, len(items) if total is None and isinstance(items, Sized) else total)
    return tqdm(
        items,
        desc=escaped(description),
        unit=f"{unit}es" if unit.endswith("ch") else f"{unit}s",
        total=total,
        bar_format=_FORMAT,
        delay=0 if at_once else _DELAY,
        file=raw(sys.stderr),
        **_LOOK,
    )


def count_done(bar: "tqdm[Any] | Lines[Any]", n: int, is_first: bool) -> None:
    """Counts items as done; what the first ones took, by making things ready, foretells nothing.

    Args:
        bar: What `track` gave.
        n: How many items.
        is_first: Whether they are the first ones, whose time is left out of the estimate.
    """
    if isinstance(bar, Lines) or not is_first:
        bar.update(n)
    else:
        bar.n, bar.last_print_n = bar.n + n, bar.last_print_n + n
        bar.unpause()
        bar.initial = bar.n
        bar.refresh()


def close_bars() -> None:
    """Takes all bars off the screen: when a command is cut short, its last word has a line of its own."""
    if tqdm := getattr(sys.modules.get("tqdm"), "tqdm", None):
        for bar in list(getattr(tqdm, "_instances", ())):
            bar.close()


def meter(description: str, total: int | None, initial: int = 0) -> "tqdm[Never]":
    """Gives a progress bar over bytes; its `update` takes how many have come.

    Args:
        description: What is being done, shown before the bar.
        total: Number of bytes, `None` where it is not known.
        initial: Bytes that were there before.

    Returns:
        The bar, to be closed by `with`. It is not drawn where stderr is not a terminal.
    """
    from tqdm import tqdm

    return tqdm(
        desc=escaped(description),
        unit="B",
        unit_scale=True,
        total=total,
        initial=initial,
        delay=_DELAY,
        file=raw(sys.stderr),
        **_LOOK,
    )


@contextmanager
def waiting(description: str) -> Iterator[None]:
    """Turns a spinner on stderr while the block waits; where stderr is not a terminal, there is none."""
    from rich.console import Console
    from rich.text import Text

    with Console(file=raw(sys.stderr)).status(Text(escaped(description))):
        yield


def say(line: str) -> None:
    """Writes a line to stderr, above any bar that is being drawn."""
    from tqdm import tqdm

    tqdm.write(one_line(line), file=raw(sys.stderr))


def count(n: int, what: str) -> str:
    """Returns a number with what it counts: `1 photo`, `2,000 photos`.

    Args:
        n: How many, 0 or more.
        what: One of them.
    """
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
