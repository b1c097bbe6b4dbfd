"""Progress on stderr: bars where somebody watches, lines everywhere."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

T = TypeVar("T")


def track(
    items: Iterable[T], description: str, unit: str, total: int | None = None, initial: int = 0
) -> "tqdm[T]":
    """Iterates over the items behind a progress bar that appears after half a second of work.

    Args:
        items: What is worked through.
        description: What is being done, shown before the bar.
        unit: What one item is, such as `"photo"`.
        total: Number of items where `items` has no length.
        initial: Items done before this run, where work goes on after a stop.

    Returns:
        The same items. No bar is drawn where stderr is not a terminal.
    """
    from tqdm import tqdm

    return tqdm(
        items,
        desc=description,
        unit=f" {unit}",
        total=total,
        initial=initial,
        delay=0.5,
        disable=None,
        leave=False,
        dynamic_ncols=True,
    )


def say(line: str) -> None:
    """Writes a line to stderr, above any bar that is being drawn."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)
