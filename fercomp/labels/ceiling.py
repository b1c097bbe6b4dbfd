"""The best accuracy that labels allow: people contradict one another, and so do copies of a photo."""

import math
from typing import Final, NamedTuple

import numpy as np

from fercomp.labels.votes import per_picture, vote_shares

_NETWORK_VOTES: Final = 2.5
"""How many votes a network has beside a copy's label."""


class Ceiling(NamedTuple):
    """What copies say of the best accuracy.

    Attributes:
        low: It is this at least: how often a label is found from those of the picture's other copies.
        agree: How often two labels of a picture agree.
        high: And this at most.
        photos: Photos that have a copy.
    """

    low: float
    agree: float
    high: float
    photos: int


def ceiling_of_copies(
    labels: np.ndarray, pictures: np.ndarray, k: int, pred_probs: np.ndarray | None = None
) -> Ceiling | None:
    """Bounds the best accuracy by how often labels of the same picture agree.

    Who answers a photo with the label of its copy does what the rule of the nearest neighbour does with very
    many photos. Its error R and the least possible one, R*, obey R* <= R <= R* (2 - K / (K - 1) R*)
    (Cover and Hart, 1967). With a network's opinion besides, more labels may be found; the best answer is
    right at least as often, since to who knows the picture the labels of its copies are no news.

    Args:
        labels: `(N,)` int, given labels, 0 to K - 1.
        pictures: `(N,)`; photos with the same value show the same picture.
        k: Number of classes, K, two at least.
        pred_probs: `(N, K)` float, by networks that did not learn these photos.

    Returns:
        The bounds, or `None` where no photo has a copy.
    """
    given = np.eye(k)[labels]
    others = per_picture(given, pictures) - given
    copies = others.sum(axis=1)
    copied = copies > 0
    if not copied.any():
        return None
    agree = low = float(((others * given).sum(axis=1)[copied] / copies[copied]).mean())
    if pred_probs is not None:
        shares = vote_shares(others[copied], pred_probs[copied], np.arange(copied.sum()), _NETWORK_VOTES)
        low = max(low, float((shares.argmax(axis=1) == labels[copied]).mean()))
    ratio = k / (k - 1)
    high = 1 - (1 - math.sqrt(max(0.0, 1 - ratio * (1 - agree)))) / ratio
    return Ceiling(low, agree, max(low, high), int(copied.sum()))
