"""What fits a model's rule, and whether that pays on photos that it was not fitted on."""

import math
from collections.abc import Callable

import numpy as np

from fercomp.decisions.class_bias import fit_bias
from fercomp.decisions.cross_fitting import cross_fitted
from fercomp.decisions.rule import Rule
from fercomp.decisions.thresholds import Score, sweep

Fit = Callable[[np.ndarray, np.ndarray], Rule]
"""From probabilities `(N, K)` and labels `(N,)` as answers to the rule that is right most often."""


def fit_of(classes: tuple[str, ...], on: Score) -> Fit:
    """Returns how a model's rule is fitted: a threshold where it lacks `uncertain`, or else a class bias.

    Args:
        classes: Its class names.
        on: What the threshold is on.
    """
    plain = Rule(classes)

    def threshold(probabilities: np.ndarray, labels: np.ndarray) -> Rule:
        found = sweep(probabilities, labels, plain.unsure, on)
        return Rule(classes, float(found.thresholds[found.best]), on)

    def class_bias(probabilities: np.ndarray, labels: np.ndarray) -> Rule:
        return Rule(classes, bias=tuple(round(float(b), 6) for b in fit_bias(probabilities, labels)))

    return class_bias if plain.unsure < len(classes) else threshold


def cross_fitted_answers(fit: Fit, probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Answers each photo by the rule that fits others: `(N,)` int."""
    return cross_fitted(
        len(labels),
        lambda others, rows: fit(probabilities[others], labels[others]).decide(probabilities[rows]),
    )


def pays(answers: np.ndarray, plain: np.ndarray, labels: np.ndarray) -> bool:
    """Says whether answers are right more often than others, by more than chance may do.

    The photos that only one of the two gets right decide: the difference of their numbers has to exceed its
    standard error, the root of their sum (McNemar, 1947).

    Args:
        answers: `(N,)` int.
        plain: `(N,)` int, the answers to compare with.
        labels: `(N,)` int.
    """
    won = int(((answers == labels) & (plain != labels)).sum())
    lost = int(((plain == labels) & (answers != labels)).sum())
    return won - lost > math.sqrt(won + lost)
