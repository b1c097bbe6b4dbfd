"""Answers about photos by what was fitted on other photos, so that no score is flattered by its fit."""

from collections.abc import Callable
from typing import Final

import numpy as np

PARTS: Final = 5
"""Parts of the photos in cross-fitting: each is answered by what was fitted on the others."""


def cross_fitted(n: int, answer: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """Answers photos by what was not fitted on them.

    Args:
        n: Number of photos, N, at least 2.
        answer: From rows to fit on and rows to answer, both int arrays, to answers of the latter, one in each
            row.

    Returns:
        N answers: each photo of a random fifth by what was fitted on the other four.
    """
    order = np.random.default_rng(0).permutation(n)
    parts = np.array_split(order, min(PARTS, n))
    joined = np.concatenate([answer(np.setdiff1d(order, part), part) for part in parts])
    answers = np.empty_like(joined)
    answers[order] = joined
    return answers
