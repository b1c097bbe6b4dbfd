"""The best accuracy that labels allow: people contradict one another, and so do copies of a photo."""

import math
from typing import NamedTuple

import numpy as np

from fercomp.labels.votes import per_picture


class Ceiling(NamedTuple):
    """What copies say of the best accuracy.

    Attributes:
        low: It is this at least: how often two labels of a picture agree.
        high: And this at most.
        photos: Photos that have a copy.
    """

    low: float
    high: float
    photos: int


def ceiling_of_copies(labels: np.ndarray, pictures: np.ndarray, k: int) -> Ceiling | None:
    """Bounds the best accuracy by how often labels of the same picture agree.

    Who answers a photo with the label of its copy does what the rule of the nearest neighbour does with very
    many photos. Its error R and the least possible one, R*, obey R* <= R <= R* (2 - K / (K - 1) R*)
    (Cover and Hart, 1967).

    Args:
        labels: `(N,)` int, given labels, 0 to K - 1.
        pictures: `(N,)`; photos with the same value show the same picture.
        k: Number of classes, K, two at least.

    Returns:
        The bounds, or `None` where no photo has a copy.
    """
    given = np.eye(k)[labels]
    votes = per_picture(given, pictures)
    others = votes.sum(axis=1) - 1
    copied = others > 0
    if not copied.any():
        return None
    agree = float((((votes * given).sum(axis=1) - 1)[copied] / others[copied]).mean())
    ratio = k / (k - 1)
    return Ceiling(agree, 1 - (1 - math.sqrt(max(0.0, 1 - ratio * (1 - agree)))) / ratio, int(copied.sum()))


def ceiling_of_opinions(labels: np.ndarray, pred_probs: np.ndarray) -> float:
    """Estimates how often a label is the right one, by networks that did not learn it.

    A photo of which a network is as sure of another class as it is of photos with that label counts as one of
    that class (confident learning: Northcutt et al., 2021); who always named the right one would have this
    accuracy.

    Args:
        labels: `(N,)` int, given labels, 0 to K - 1, each of which occurs.
        pred_probs: `(N, K)` float, out of fold.
    """
    from cleanlab.count import estimate_joint

    return float(np.trace(estimate_joint(labels, pred_probs)))
