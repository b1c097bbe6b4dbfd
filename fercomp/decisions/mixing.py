"""Several models' probabilities as one: the weights of their mean."""

from typing import Final

import numpy as np

from fercomp.decisions.cross_fitting import cross_fitted

NEGLIGIBLE: Final = 0.01
"""A fitted weight below this becomes 0: such a model costs time and changes next to nothing."""


def fit_weights(pred_probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Finds the weights whose weighted mean of probabilities has the least log-loss.

    The problem is convex. Expectation maximisation for the shares of a mixture (Dempster et al., 1977)
    keeps the weights positive with sum 1, and the largest mean ratio of a model's likelihood to the
    mixture's, less 1, bounds how far the log-loss is from the least one.

    Args:
        pred_probs: `(M, N, K)` float: M models' probabilities of photos that none was trained on.
        labels: `(N,)` int class indices; photos whose label is no class of the models (K) are left out, and
            at least one stays.

    Returns:
        `(M,)` float64, sum 1; less than `NEGLIGIBLE` is 0.
    """
    known = labels < pred_probs.shape[2]
    likelihood = np.clip(pred_probs[:, known][:, np.arange(known.sum()), labels[known]], 1e-12, 1.0)
    weights = np.full(len(likelihood), 1 / len(likelihood))
    for _ in range(10_000):
        ratio = (likelihood / (weights @ likelihood)).mean(axis=1)
        if ratio.max() - 1 < 1e-6:  # nats
            break
        weights *= ratio
    # With more than 100 models all weights may be small.
    kept = np.where(weights < min(NEGLIGIBLE, weights.max()), 0.0, weights)
    result: np.ndarray = kept / kept.sum()
    return result


def cross_fitted_mean(pred_probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mixes models with weights that were not fitted on the photos they are used for.

    Args:
        pred_probs: `(M, N, K)` float.
        labels: `(N,)` int class indices; N at least 2.

    Returns:
        `(N, K)` float: each photo of a random fifth mixed with the weights fitted on the other four.
    """

    def mixed(rest: np.ndarray, part: np.ndarray) -> np.ndarray:
        weights = fit_weights(pred_probs[:, rest], labels[rest])
        mean: np.ndarray = np.average(pred_probs[:, part], axis=0, weights=weights)
        return mean

    return cross_fitted(len(labels), mixed)
