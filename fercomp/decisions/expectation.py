"""What a model that was scored on a holdout will score on other photos: arrays and numbers in, ranges out."""

import math
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np

HOW_OFTEN: Final = 0.9
"""How often the true score is to lie in a range."""

SEEDS: Final = 0.007
"""Standard deviation of the accuracy over seeds of training: docs/experiments/expected-score.md."""

RESAMPLED: Final = 200
"""Resamplings by which the price of a choice is estimated."""


class Range(NamedTuple):
    """A range that holds a score in `HOW_OFTEN` of the cases, 0 to 1."""

    low: float
    high: float


def worth_of(right: np.ndarray, groups: np.ndarray) -> float:
    """Says how many photos of their own some photos are worth that are copies of one another.

    Args:
        right: `(N,)` bool, whether an answer is the label.
        groups: `(N,)` int; photos with the same number show the same picture.

    Returns:
        N over the design effect, at most N: the variance of the mean of whole groups, over that of as many
        independent photos (Korn and Graubard, 1998, for intervals of shares in samples by clusters).
    """
    n, share = len(right), float(right.mean()) if len(right) else 0.0
    if not 0 < share < 1:
        return float(n)
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], weights=right - share)
    between = float(np.square(sums).sum()) * len(sums) / max(1, len(sums) - 1)
    return min(float(n), n * n * share * (1 - share) / between) if between else float(n)


def expected_range(accuracy: float, n: float, others: float, spread: float = 0.0) -> Range:
    """Returns the range in which the accuracy on other photos of the same kind lies.

    Both samples differ from the truth by chance: a prediction interval (Nelson, 1982, *Applied life data
    analysis*, chapter 6), p plus and minus z times the root of p (1 - p) (1 / n + 1 / m), with Wilson's
    centre for p, which stays inside 0 to 1 where few photos are known.

    Args:
        accuracy: On the holdout, 0 to 1.
        n: Number of its photos, or what they are worth.
        others: Number of the other photos, m; infinite for the true accuracy.
        spread: Standard deviation of what else may differ, such as seeds.

    Returns:
        The range, NaN where nothing is known.
    """
    if n <= 0 or others <= 0 or math.isnan(accuracy):
        return Range(math.nan, math.nan)
    z = NormalDist().inv_cdf((1 + HOW_OFTEN) / 2)
    centre = (accuracy * n + z * z / 2) / (n + z * z)
    half = z * math.sqrt(centre * (1 - centre) * (1 / n + 1 / others) + spread * spread)
    return Range(max(0.0, centre - half), min(1.0, centre + half))


def price_of_choice(right: np.ndarray, seed: int = 0) -> float:
    """Says by how much the best of several models seems better on the holdout than it is.

    The photos are drawn again with replacement; the best on those drawn is scored on those that were not
    (the bootstrap bias-corrected cross-validation of Tsamardinos et al., 2018).

    Args:
        right: `(M, N)` bool, whether each of M models answers the label.
        seed: Of the random numbers.

    Returns:
        What is to be taken off the highest accuracy of the M, 0 or more.
    """
    m, n = right.shape
    if m < 2 or n < 2:
        return 0.0
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLED).T.astype(np.float32)
    said = right.astype(np.float32)
    best = (said @ drawn).argmax(axis=0)
    left = (drawn == 0).astype(np.float32)
    outside = (said @ left)[best, np.arange(RESAMPLED)] / np.maximum(left.sum(axis=0), 1)
    return max(0.0, float(right.mean(axis=1).max() - outside.mean()))


def shifted_accuracy(right: np.ndarray, decided: np.ndarray, others: np.ndarray) -> float:
    """Returns the accuracy to expect where classes have other shares, as answers tell.

    Each answer is right as often as on the holdout, and counts as often as it is given to the other photos
    (post-stratification, Holt and Smith, 1979). An answer that the holdout has not is right as often as all.

    Args:
        right: `(N,)` bool, of the holdout.
        decided: `(N,)` int, its answers.
        others: `(M,)` int, answers to the other photos, one at least.
    """
    overall = float(right.mean())
    shares = np.bincount(others) / len(others)
    return float(
        sum(
            share * (float(right[decided == answer].mean()) if (decided == answer).any() else overall)
            for answer, share in enumerate(shares)
        )
    )
