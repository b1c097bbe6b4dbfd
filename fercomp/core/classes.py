"""The nine classes of the competition, in the one order that every array and table uses."""

from collections.abc import Sequence
from typing import Final
from unicodedata import normalize

EMOTIONS: Final[tuple[str, ...]] = (
    "anger",
    "contempt",
    "disgust",
    "fear",
    "happy",
    "neutral",
    "sad",
    "surprise",
    "uncertain",
)
"""Class names in alphabetical order: column `k` of any `pred_probs (N, K)` is `EMOTIONS[k]`."""

UNCERTAIN: Final = "uncertain"


def class_names(number: int) -> tuple[str, ...]:
    """Returns the nine classes, or the eight without `uncertain`."""
    return EMOTIONS if number == len(EMOTIONS) else tuple(name for name in EMOTIONS if name != UNCERTAIN)


LONGEST_NAME: Final = 100
"""Characters of a class name."""


def names_fault(names: Sequence[str]) -> str | None:
    """Says why some class names cannot be used: each becomes a column, a word in a picture and on a terminal.

    Args:
        names: The names.

    Returns:
        What is wrong, `None` for names that are printable and differ in more than upper and lower case.
    """
    for name in names:
        if not name or not name.isprintable() or name != name.strip() or len(name) > LONGEST_NAME:
            return f"the class {name!r}: 1 to {LONGEST_NAME} printable characters were expected"
    folded = [normalize("NFC", name).casefold() for name in names]
    twice = [name for name, low in zip(names, folded, strict=True) if folded.count(low) > 1]
    return f"the classes {twice} cannot be told apart" if twice else None
