"""Facial expressions as intensities of facial action units (AUs).

The units and their numbers are those of the Facial Action Coding System (Ekman and Friesen, 1978; Ekman,
Friesen and Hager, 2002). Which units tell an emotion follows EMFACS and the FACS Investigator's Guide:
anger 4+5+7+23, contempt 14 on one side, disgust 9 or 10, fear 1+2+4+5+20, happiness 6+12, sadness
1+4+15, surprise 1+2+5+26.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fercomp.core.classes import EMOTIONS, UNCERTAIN
from fercomp.core.errors import unknown_name

ACTION_UNITS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "inner brow raiser",
        2: "outer brow raiser",
        4: "brow lowerer",
        5: "upper lid raiser",
        6: "cheek raiser",
        7: "lid tightener",
        9: "nose wrinkler",
        10: "upper lip raiser",
        12: "lip corner puller",
        14: "dimpler",
        15: "lip corner depressor",
        16: "lower lip depressor",
        17: "chin raiser",
        20: "lip stretcher",
        23: "lip tightener",
        24: "lip pressor",
        25: "lips part",
        26: "jaw drop",
        43: "eyes closed",
    }
)
"""The units that can be drawn, by their FACS number."""

PROTOTYPES: Final[Mapping[str, tuple[Mapping[int, float], ...]]] = MappingProxyType(
    {
        "anger": (
            {4: 1.0, 5: 0.5, 7: 0.8, 17: 0.4, 23: 0.9, 24: 0.7},
            {4: 1.0, 5: 0.6, 7: 0.7, 9: 0.3, 10: 0.4, 16: 0.5, 23: 0.3, 25: 0.9, 26: 0.2},
        ),
        "contempt": (
            {2: 0.5, 7: 0.2, 12: 0.45, 14: 1.0, 24: 0.5, 43: 0.25},
            {7: 0.3, 10: 0.5, 12: 0.35, 14: 1.0, 43: 0.35},
        ),
        "disgust": (
            {4: 0.5, 6: 0.4, 7: 0.6, 9: 1.0, 10: 0.9, 15: 0.4, 17: 0.8},
            {4: 0.5, 7: 0.7, 9: 1.0, 10: 1.0, 16: 0.5, 25: 0.7, 26: 0.25},
        ),
        "fear": (
            {1: 1.0, 2: 0.5, 4: 0.6, 5: 1.0, 20: 0.9, 25: 0.6},
            {1: 1.0, 2: 0.6, 4: 0.5, 5: 0.9, 20: 1.0, 25: 0.6, 26: 0.4},
        ),
        "happy": (
            {6: 0.9, 12: 1.0, 25: 0.9},
            {6: 0.8, 12: 1.0, 25: 0.8, 26: 0.4},
            {6: 0.6, 12: 0.8},
        ),
        "neutral": ({},),
        "sad": (
            {1: 1.0, 4: 0.6, 15: 1.0, 17: 0.5, 43: 0.3},
            {1: 0.9, 4: 0.4, 15: 0.9, 43: 0.45},
        ),
        "surprise": (
            {1: 0.9, 2: 1.0, 5: 0.7, 25: 0.5, 26: 1.0},
            {1: 1.0, 2: 1.0, 5: 0.8, 25: 0.4, 26: 0.85},
        ),
    }
)
"""Unit intensities, 0 to 1, of every emotion with a face of its own; each in a few common variants.

`uncertain` has no prototype: it is a weak blend of two others.
"""

ONE_SIDED: Final[Mapping[str, frozenset[int]]] = MappingProxyType({"contempt": frozenset({2, 10, 12, 14})})
"""Units that move one half of the face only; the same half for all of them."""

SIDES: Final = ((0, -1.0), (1, 1.0))
"""Either half of a face: its column of `Expression.intensity`, and the sign of its x."""

_ROW: Final = {unit: row for row, unit in enumerate(ACTION_UNITS)}


@dataclass(frozen=True)
class Expression:
    """How strongly each unit is active on either half of a face.

    Attributes:
        intensity: `(len(ACTION_UNITS), 2)` float64, 0 (at rest) to 1 (strongest). Rows in the order of
            `ACTION_UNITS`; column 0 is the half on the left of the picture.
    """

    intensity: NDArray[np.float64]

    @cached_property
    def _values(self) -> list[list[float]]:
        values: list[list[float]] = self.intensity.tolist()
        return values

    def of(self, unit: int, side: int) -> float:
        """Returns the intensity of a unit on one half of the face (0: left of the picture, 1: right)."""
        return self._values[_ROW[unit]][side]

    def mean(self, unit: int) -> float:
        """Returns the intensity of a unit over both halves."""
        return 0.5 * sum(self._values[_ROW[unit]])

    def blend(self, other: "Expression", share: float) -> "Expression":
        """Returns the expression on the way to `other`: 0 gives this one, 1 the other."""
        return Expression((1 - share) * self.intensity + share * other.intensity)


def random_expression(emotion: str, rng: np.random.Generator) -> Expression:
    """Draws one way to show an emotion: a variant, its strength, and small differences between the halves.

    Args:
        emotion: One of `EMOTIONS`.
        rng: Source of chance.

    Returns:
        The expression.

    Raises:
        FercompError: The emotion is not one of `EMOTIONS`.
    """
    if emotion == UNCERTAIN:
        first, second = rng.choice(list(PROTOTYPES), size=2, replace=False)
        blend = random_expression(first, rng).blend(random_expression(second, rng), rng.uniform(0.35, 0.65))
        return Expression(blend.intensity * rng.uniform(0.4, 0.7))
    if emotion not in PROTOTYPES:
        raise unknown_name("emotion", emotion, EMOTIONS)
    variants = PROTOTYPES[emotion]
    units = variants[rng.integers(len(variants))]
    side = int(rng.integers(2))
    strength = rng.uniform(0.7, 1.0)
    intensity = rng.uniform(0.0, 0.06, (len(ACTION_UNITS), 2))  # nobody's face is ever quite at rest
    intensity[_ROW[26]] = intensity[_ROW[25]] = 0.0
    for unit, value in units.items():
        halves = np.array([1 - side, side]) if unit in ONE_SIDED.get(emotion, ()) else np.ones(2)
        intensity[_ROW[unit]] += (
            value * strength * halves * rng.uniform(0.85, 1.1) * rng.uniform(0.95, 1.05, 2)
        )
    return Expression(np.clip(intensity, 0.0, 1.0))
