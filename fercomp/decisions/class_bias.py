"""A bias for each class, with which the likeliest class is right most often."""

from typing import Final

import numpy as np

ROUNDS: Final = 20
"""Largest number of passes over the classes in `fit_bias`; a handful are enough."""


def fit_bias(pred_probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Finds the class bias with which the likeliest class is right most often.

    One class after the other gets the bias that is best while the others keep theirs, which is found
    exactly by sorting (coordinate ascent). A class that gains nothing keeps what it has; of equally good
    values the smallest is taken.

    Args:
        pred_probs: `(N, K)` float of photos that the model was not trained on.
        labels: `(N,)` int, given labels as answers; those that are no class of the model count as wrong.

    Returns:
        `(K,)` float64 in nats, to be added to log-probabilities.
    """
    logs = np.log(np.clip(pred_probs, 1e-12, 1.0)).astype(np.float64)
    bias = np.zeros(logs.shape[1])
    for _ in range(ROUNDS):
        before = bias.copy()
        for k in range(len(bias)):
            bias[k] = _best_bias(logs, bias, labels, k)
        if np.array_equal(before, bias):
            break
    return bias


def _best_bias(logs: np.ndarray, bias: np.ndarray, labels: np.ndarray, k: int) -> float:
    """Returns the best bias of class k, given those of the others."""
    others = logs + bias
    others[:, k] = -np.inf
    rival, needed = others.argmax(axis=1), others.max(axis=1) - logs[:, k]
    # From the bias `needed` on, a photo is called k and no longer its rival.
    order = np.argsort(needed, kind="stable")
    change = np.where(labels == k, 1, 0) - np.where(labels == rival, 1, 0)
    gains = np.concatenate([[0], np.cumsum(change[order])])
    edges = np.concatenate([[-np.inf], needed[order], [np.inf]])
    low, high = edges[:-1], edges[1:]
    wide = high - low > 1e-9  # between two photos that switch at the same bias there is nothing to choose
    best = wide & (gains == gains[wide].max())
    low, high = low[best], high[best]
    if ((low <= bias[k]) & (bias[k] <= high)).any():
        return float(bias[k])
    # The middle of an interval, away from photos on either side; of an open one, a little inside.
    middles = np.where(np.isinf(low), high - 0.1, np.where(np.isinf(high), low + 0.1, (low + high) / 2))
    return float(middles[np.abs(middles).argmin()])


def biased(pred_probs: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Returns log-probabilities `(N, K)` with the bias `(K,)` added: the largest of a row is the answer."""
    standing: np.ndarray = np.log(np.clip(pred_probs, 1e-12, 1.0)) + bias
    return standing
