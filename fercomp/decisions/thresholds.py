"""When to say `uncertain`: a threshold on how sure a model is.

Answers are indices: 0 to K - 1 are the model's classes, and `unsure` is `uncertain`, which is K for a model
that does not have it as a class.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

Score = Literal["probability", "margin", "entropy"]


def _probability(pred_probs: np.ndarray) -> np.ndarray:
    top: np.ndarray = pred_probs.max(axis=1)
    return top


def _margin(pred_probs: np.ndarray) -> np.ndarray:
    second, first = np.sort(pred_probs, axis=1)[:, -2:].T
    lead: np.ndarray = first - second
    return lead


def _entropy(pred_probs: np.ndarray) -> np.ndarray:
    logs = np.log(np.clip(pred_probs, 1e-12, 1.0))
    certainty: np.ndarray = 1 + (pred_probs * logs).sum(axis=1) / np.log(pred_probs.shape[1])
    return certainty


SCORES: Final[Mapping[Score, Callable[[np.ndarray], np.ndarray]]] = MappingProxyType(
    {"probability": _probability, "margin": _margin, "entropy": _entropy}
)
"""How sure a model is of its answer, `(N, K)` to `(N,)`, higher is surer: the top probability (1/K to 1), its
lead over the second (0 to 1), or 1 less the entropy's share of its largest value (0 to 1)."""


@dataclass(frozen=True)
class Sweep:
    """What T thresholds are worth.

    Attributes:
        thresholds: `(T,)` ascending; an answer less sure than that is `uncertain`.
        accuracy: `(T,)` 0 to 1.
        macro_f1: `(T,)` F1 averaged over the labels that occur, 0 to 1.
        coverage: `(T,)` share of the photos that are not called uncertain for want of sureness, 0 to 1.
    """

    thresholds: np.ndarray
    accuracy: np.ndarray
    macro_f1: np.ndarray
    coverage: np.ndarray

    @property
    def best(self) -> int:
        """Index of the most accurate threshold, of several the lowest."""
        return int(self.accuracy.argmax())


def thresholds(score: Score, k: int) -> np.ndarray:
    """Returns the thresholds that are tried: the floor, below which no answer can fall, then hundredths."""
    floor = 1 / k if score == "probability" else 0.0
    hundredths = np.arange(1, 100) / 100
    return np.concatenate([[floor], hundredths[hundredths > floor]])


def sweep(pred_probs: np.ndarray, labels: np.ndarray, unsure: int, score: Score) -> Sweep:
    """Scores one threshold after another.

    Args:
        pred_probs: `(N, K)` float; N at least 1.
        labels: `(N,)` int, given labels as answers.
        unsure: The answer `uncertain`.
        score: What the threshold is on.

    Returns:
        Their scores.
    """
    tried = thresholds(score, pred_probs.shape[1])
    sure, predicted = SCORES[score](pred_probs), pred_probs.argmax(axis=1)
    answers = [np.where(sure < threshold, unsure, predicted) for threshold in tried]
    return Sweep(
        tried,
        np.array([(given == labels).mean() for given in answers]),
        np.array([macro_f1(given, labels) for given in answers]),
        np.array([(sure >= threshold).mean() for threshold in tried]),
    )


def macro_f1(answers: np.ndarray, labels: np.ndarray) -> float:
    """Returns F1 averaged over the labels that occur, 0 to 1, from `(N,)` int answers and labels."""
    size = int(max(answers.max(), labels.max())) + 1
    right = np.bincount(labels[answers == labels], minlength=size)
    given, occurring = np.bincount(answers, minlength=size), np.bincount(labels, minlength=size)
    there = occurring > 0
    return float((2 * right[there] / (given + occurring)[there]).mean())
