"""The nine classes of the competition, in the one order that every array and table uses."""

from typing import Final

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
