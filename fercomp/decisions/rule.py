"""From probabilities to a label."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from fercomp.core.classes import UNCERTAIN
from fercomp.core.errors import FercompError
from fercomp.decisions.class_bias import biased
from fercomp.decisions.thresholds import SCORES, Score


@dataclass(frozen=True)
class Rule:
    """How a model decides.

    Attributes:
        classes: Its K class names.
        threshold: An answer less sure than this is `uncertain`; `None` for never.
        threshold_on: What the threshold is on.
        bias: The class bias, K values in nats, added to log-probabilities before the likeliest class is
            chosen; `None` for none.
        uncertain: Whether an answer may be `uncertain`; otherwise it is the likeliest of the other classes.
    """

    classes: tuple[str, ...]
    threshold: float | None = None
    threshold_on: Score = "probability"
    bias: tuple[float, ...] | None = None
    uncertain: bool = True

    @property
    def answers(self) -> tuple[str, ...]:
        """The class names, then `uncertain` where it is no class of the model."""
        return self.classes if UNCERTAIN in self.classes else (*self.classes, UNCERTAIN)

    @property
    def unsure(self) -> int:
        """Index of `uncertain` among the answers."""
        return self.answers.index(UNCERTAIN)

    def decide(self, pred_probs: np.ndarray) -> np.ndarray:
        """Decides for the likeliest class, or for none.

        Args:
            pred_probs: `(N, K)` float; N may be 0.

        Returns:
            `(N,)` int, indices into `answers`.
        """
        likeliest = self.likeliest(pred_probs)
        if self.threshold is None or not self.uncertain:
            return likeliest
        return np.where(SCORES[self.threshold_on](pred_probs) < self.threshold, self.unsure, likeliest)

    def likeliest(self, pred_probs: np.ndarray) -> np.ndarray:
        """Returns the likeliest class, bias counted, whatever the threshold says: `(N,)` int."""
        standing = pred_probs if self.bias is None else biased(pred_probs, np.array(self.bias))
        if not self.uncertain and UNCERTAIN in self.classes:
            standing = standing.copy()
            standing[:, self.unsure] = -np.inf
        winners: np.ndarray = standing.argmax(axis=1)
        return winners

    def confidences(self, pred_probs: np.ndarray) -> np.ndarray:
        """Returns the probability of the likeliest class, whatever the threshold says: `(N,)`, same dtype."""
        return np.take_along_axis(pred_probs, self.likeliest(pred_probs)[:, None], axis=1)[:, 0]

    def labels(self, pred_probs: np.ndarray) -> np.ndarray:
        """Returns the names of what is decided: `(N,)` of str objects."""
        names: np.ndarray = np.array(self.answers, dtype=object)[self.decide(pred_probs)]
        return names

    def indices(self, labels: list[str], place: str) -> np.ndarray:
        """Returns given labels as answers, so that they compare with what is decided.

        Args:
            labels: N names.
            place: Where they are from, for the error.

        Returns:
            `(N,)` int.

        Raises:
            FercompError: One of them is no answer of the model.
        """
        strange = sorted(set(labels) - set(self.answers))
        if strange:
            raise FercompError(
                f"{place} has labels unknown to the model {strange}: run `fercomp train` again"
            )
        return np.array([self.answers.index(label) for label in labels], dtype=np.int64)


def labels_among(rule: Rule, pred_probs: np.ndarray, names: Collection[str]) -> np.ndarray:
    """Decides among some of the classes: of the others, no share is left.

    Args:
        rule: How the model decides.
        pred_probs: `(N, K)` float.
        names: The classes that may be answered.

    Returns:
        `(N,)` of str objects.

    Raises:
        FercompError: None of them is a class of the model.
    """
    kept = [k for k, name in enumerate(rule.classes) if name in names]
    if not kept:
        raise FercompError(
            f"none of the classes {', '.join(sorted(names))} is one of the model's: {', '.join(rule.classes)}"
        )
    smaller = replace(
        rule,
        classes=tuple(rule.classes[k] for k in kept),
        bias=None if rule.bias is None else tuple(rule.bias[k] for k in kept),
        uncertain=rule.uncertain and UNCERTAIN in names,
    )
    shares = pred_probs[:, kept]
    return smaller.labels(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-12))
