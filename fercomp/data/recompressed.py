"""Recompressed copies: which photos were saved once more, and whether their labels are to be believed."""

from dataclasses import dataclass
from typing import Final

import numpy as np

LEVEL: Final = 0.01
"""Largest p-value at which the labels of recompressed copies are ignored."""

LEAST: Final = 20
"""Copies of either kind below which nothing is said about their labels."""


@dataclass(frozen=True)
class Contradictions:
    """How often a copy has another label than the picture's first photo that is not recompressed.

    Attributes:
        recompressed: Recompressed copies that have.
        of_recompressed: Recompressed copies that there are, of pictures with such a first photo.
        others: Other copies that have.
        of_others: Other copies that there are.
    """

    recompressed: int
    of_recompressed: int
    others: int
    of_others: int

    @property
    def p_value(self) -> float:
        """Probability of so large a difference by chance (Fisher's exact test, one-sided), 0 to 1."""
        from scipy.stats import fisher_exact

        agreeing = self.of_recompressed - self.recompressed, self.of_others - self.others
        counts = [[self.recompressed, agreeing[0]], [self.others, agreeing[1]]]
        return float(fisher_exact(counts, alternative="greater").pvalue)

    @property
    def ignored(self) -> bool:
        """Whether `auto` ignores the labels of recompressed copies."""
        return min(self.of_recompressed, self.of_others) >= LEAST and self.p_value < LEVEL


def recompressed(losses: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Finds the photos that are later copies: saved with more loss than another copy of the picture.

    Args:
        losses: `(N,)` float, how much detail each file was saved without (`images.jpeg_loss`); NaN where the
            format does not tell, and then the photo is no later copy, nor is another one for its sake.
        groups: `(N,)` int, which photos show the same picture.

    Returns:
        `(N,)` bool.
    """
    _, member = np.unique(groups, return_inverse=True)
    finest = np.full(member.max(initial=-1) + 1, np.inf)
    np.fmin.at(finest, member, losses)
    found: np.ndarray = losses > finest[member]
    return found


def contradictions(labels: np.ndarray, groups: np.ndarray, later: np.ndarray) -> Contradictions:
    """Counts how often copies contradict the first photo of their picture, recompressed ones and others.

    Each copy is held against one photo, so that the size of a group makes no difference.

    Args:
        labels: `(N,)` given labels of the labelled photos, of any kind.
        groups: `(N,)` int, which photos show the same picture.
        later: `(N,)` bool from `recompressed`.

    Returns:
        The counts.
    """
    n, (_, member) = len(labels), np.unique(groups, return_inverse=True)
    originals = np.flatnonzero(~later)
    first = np.full(member.max(initial=-1) + 1, n)  # of each picture; n where there is none
    np.minimum.at(first, member[originals], originals)
    held_against = first[member]
    compared = (held_against < n) & (held_against != np.arange(n))
    differs = compared & (labels != labels[np.minimum(held_against, n - 1)])
    return Contradictions(
        int((differs & later).sum()),
        int((compared & later).sum()),
        int((differs & ~later).sum()),
        int((compared & ~later).sum()),
    )
