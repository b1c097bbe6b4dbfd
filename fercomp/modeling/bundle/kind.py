"""What kind of photos a model has learned from, and whether others are of another kind.

A card keeps the mean and the spread of four things that can be seen in the network's input or its answers;
the mean of a batch of photos is compared with them in units of the spread (d in Cohen, 1988, *Statistical
power analysis for the behavioral sciences*). An effect size, no significance: of thousands of photos, each
small difference is significant. That simple statistics, compared one by one, find most of what matters:
Rabanser et al., 2019, *Failing loudly*. What separates photos here: docs/experiments/other-photos.md.

The side in pixels is on the card, too, but does not count: the network sees photos at its own size, where
enlarged ones are what they were.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Self

import numpy as np
from pydantic import Field, model_validator

from fercomp.core.params import Group

if TYPE_CHECKING:
    import pandas as pd

    from fercomp.data.cache import PhotoCache

GRID: Final = 6
"""Framing is looked at in this many rows and columns of cells."""

WIDTHS: Final = {"colour": 1, "sharpness": 1, "framing": GRID**2, "confidence": 1}
"""How many numbers say it of a photo."""

_LEAST_SPREAD: Final = {"colour": 4.0, "sharpness": 0.02, "framing": 0.05, "confidence": 0.02}
"""Photos that are all alike, such as grey ones, would make any difference infinite."""

_ENOUGH: Final = {"colour": 20, "sharpness": 20, "framing": 64, "confidence": 20}
"""Fewer photos may differ by chance."""

_LARGE: Final = {"colour": 1.0, "sharpness": 1.5, "framing": 0.2, "confidence": 1.0}
"""Differences in spreads from which on photos are of another kind."""

_WORDS: Final = {
    "colour": ("grey", "in colour"),
    "sharpness": ("blurred", "sharp"),
    "framing": ("", "framed otherwise"),
    "confidence": ("the model is less sure than usual", "the model is surer than usual"),
}
"""What is said of photos that have less, or more, of something."""

MOST: Final = 1000
"""Training photos that are looked at."""

_SOME: Final = 200
"""Photos that are compared with these."""

_Number = Annotated[float, Field(ge=-1e6, le=1e6)]

Traits = dict[str, np.ndarray]
"""By a name of `WIDTHS`, `(n, width)` float of n photos."""


class PhotoKind(Group):
    """What photos of a set are like.

    Attributes:
        photos: How many were looked at.
        side: Median of their longer sides in pixels.
        mean: By a name of `WIDTHS`, its mean over the photos.
        spread: Likewise its standard deviation.
    """

    photos: int = Field(ge=1)
    side: int = Field(ge=1)
    mean: dict[str, tuple[_Number, ...]]
    spread: dict[str, tuple[_Number, ...]]

    @model_validator(mode="after")
    def _as_many_numbers_as_are_compared(self) -> Self:
        for values in (self.mean, self.spread):
            if {name: len(numbers) for name, numbers in values.items()} != {
                n: WIDTHS.get(n) for n in self.mean
            }:
                raise ValueError(f"mean and spread are to have, of {', '.join(WIDTHS)}, the same numbers")
        return self

    @property
    def faces(self) -> str:
        """What the photos show, such as `grey faces of 48 pixels`."""
        is_grey = self.mean.get("colour", (np.inf,))[0] < _LEAST_SPREAD["colour"]
        return f"{'grey' if is_grey else 'colour'} faces of {self.side:,} pixels"

    def with_traits(self, traits: Traits) -> "PhotoKind":
        """Returns the same kind with other traits added, or in the place of its own."""
        mean = {name: _rounded(values.mean(axis=0)) for name, values in traits.items()}
        spread = {name: _rounded(values.std(axis=0)) for name, values in traits.items()}
        return self.model_copy(update={"mean": self.mean | mean, "spread": self.spread | spread})

    def differences(self, traits: Traits) -> dict[str, float]:
        """Compares photos with this kind.

        Args:
            traits: Of n photos.

        Returns:
            By name the difference of the means in spreads. Of several numbers it is the root of the mean
            square, less what chance alone gives n photos.
        """
        result = {}
        for name in (name for name in self.mean if name in traits):
            spread = np.maximum(self.spread[name], _LEAST_SPREAD[name])
            shift = (traits[name].mean(axis=0) - np.array(self.mean[name])) / spread
            by_chance = 1 / len(traits[name])
            several = float(np.sqrt(max(0.0, np.square(shift).mean() - by_chance)))
            result[name] = float(shift[0]) if len(shift) == 1 else several
        return result

    def told(self, traits: Traits) -> str:
        """Says in one line that photos are of another kind; empty where they are not, or are too few."""
        n = min((len(values) for values in traits.values()), default=0)
        if n < min(_ENOUGH.values()):
            return ""
        words = [
            _WORDS[name][difference > 0]
            for name, difference in self.differences(traits).items()
            if n >= _ENOUGH[name] and abs(difference) >= _LARGE[name]
        ]
        if not words:
            return ""
        return (
            f"these photos are of another kind ({', '.join(words)}) than the {self.faces} "
            "that the model learned from: expect lower accuracy, see docs/reference/models.md"
        )


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)


def seen_traits(faces: np.ndarray) -> Traits:
    """Returns what can be seen in n photos, `(n, S, S, 3)` uint8 RGB, at the network's size.

    Colour is the mean distance of the largest from the smallest channel; sharpness the deviation of the
    Laplacian (Pech-Pacheco et al., 2000), by that of the light, so that contrast does not count; framing how
    much of a photo's edges lies in each cell of a grid, 1 where it is an equal share.
    """
    # Not `faces.max(axis=3)`: over an axis of three, that takes several times as long.
    red, green, blue = np.moveaxis(faces, 3, 0)
    largest, smallest = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    colour = (largest - smallest).mean(axis=(1, 2))
    grey = faces.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    inner = grey[:, 1:-1, 1:-1]
    around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    sharpness = (4 * inner - around).std(axis=(1, 2)) / (grey.std(axis=(1, 2)) + 1)
    edges = np.hypot(np.diff(grey, axis=2)[:, :-1], np.diff(grey, axis=1)[:, :, :-1])
    side = edges.shape[1] // GRID
    cells = edges[:, : side * GRID, : side * GRID].reshape(-1, GRID, side, GRID, side).mean(axis=(2, 4))
    framing = cells.reshape(-1, GRID**2) / (cells.mean(axis=(1, 2))[:, None] + 1e-3)
    return {"colour": colour[:, None], "sharpness": sharpness[:, None], "framing": framing}


def answer_traits(pred_probs: np.ndarray) -> Traits:
    """Returns what can be said of answers, probabilities `(n, K)`: how sure they are."""
    return {"confidence": pred_probs.max(axis=1)[:, None].astype(np.float64)}


def kind_of(
    photos: "pd.DataFrame", raw: Path, size: int, cache: "PhotoCache | None" = None
) -> PhotoKind | None:
    """Looks at what photos are like.

    Args:
        photos: Rows of table `PHOTOS`, of which `MOST` at most are looked at.
        raw: The folder that their paths are relative to.
        size: Side of the network's input, S.
        cache: Where decoded photos are kept; by default they are decoded each time.

    Returns:
        Their kind; none of no photo.
    """
    from fercomp.data.cache import open_photos  # not above: a card is read where OpenCV cannot be loaded, too

    if photos.empty:
        return None
    some = photos.iloc[evenly(len(photos), MOST)]
    faces = open_photos(raw, some["image_path"].tolist(), size, cache)
    traits = together([seen_traits(batch) for batch in faces.in_batches(64)])
    side = int(some[["width", "height"]].max(axis=1).median())
    return PhotoKind(photos=len(some), side=side, mean={}, spread={}).with_traits(traits)


def other_kind(kind: PhotoKind | None, faces: np.ndarray, pred_probs: np.ndarray | None = None) -> str:
    """Says in one line that photos are of another kind than a model's; empty where that is not so.

    Args:
        kind: What is on the model's card.
        faces: n photos at the network's size, `(n, S, S, 3)` uint8 RGB.
        pred_probs: What the model says of them, `(n, K)`.
    """
    if kind is None or not len(faces):
        return ""
    return kind.told(seen_traits(faces) | ({} if pred_probs is None else answer_traits(pred_probs)))


class Compared:
    """Photos or faces that come a few at a time, of which the first 200 are compared with a kind.

    Args:
        kind: What is on the model's card.
    """

    def __init__(self, kind: PhotoKind | None) -> None:
        self._kind = kind
        self._left = _SOME if kind else 0
        self._traits: list[Traits] = []

    def add(self, faces: np.ndarray, pred_probs: np.ndarray) -> None:
        """Takes n faces, as `other_kind` does."""
        if self._left > 0 and len(faces):
            self._left -= len(faces)
            self._traits.append(seen_traits(faces) | answer_traits(pred_probs))

    def told(self) -> str:
        """Says what `other_kind` says."""
        return self._kind.told(together(self._traits)) if self._kind and self._traits else ""


def together(parts: Sequence[Traits]) -> Traits:
    """Joins the traits of several batches of photos, one at least."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def evenly(n: int, most: int = _SOME) -> np.ndarray:
    """Returns which of n photos to look at: `(m,)` int, in order, no more than `most`."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int)) if n else np.arange(0)
