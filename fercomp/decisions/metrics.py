"""What a table of probabilities is worth: arrays in, numbers out."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.tables import AXES
from fercomp.decisions.thresholds import macro_f1

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scores:
    """Scores of one model on one set of labelled photos.

    Attributes:
        n: Number of photos, N.
        accuracy: Share of photos whose answer is the given label: Kaggle's metric, 0 to 1.
        macro_f1: F1 averaged over the labels that occur, each counting the same, 0 to 1.
        calibration_error: Expected calibration error, 0 to 1, lower is better. Like the log-loss, over the
            photos whose label is one of the model's classes.
        log_loss: Mean negative log-probability of the given label in nats, lower is better.
    """

    n: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    log_loss: float

    def rounded(self) -> dict[str, float | int]:
        """Returns the scores as plain numbers with six decimals."""
        return {key: round(value, 6) for key, value in asdict(self).items()}


def score(pred_probs: np.ndarray, labels: np.ndarray, decided: np.ndarray | None = None) -> Scores:
    """Scores probabilities, and what is decided by them, against given labels.

    Args:
        pred_probs: `(N, K)` float, rows sum to 1.
        labels: `(N,)` int, class indices in 0 to K - 1, or K for a label that the model does not have; at
            least one of them is below K.
        decided: `(N,)` int, what is answered, likewise; by default the likeliest class.

    Returns:
        The scores.

    Raises:
        ValueError: There is no photo with a class of the model, or the lengths differ.
    """
    named = labels < pred_probs.shape[1]
    if not named.any() or pred_probs.shape[0] != len(labels):
        raise ValueError(
            f"expected as many labels as rows, at least one; got {len(labels)}, {pred_probs.shape}"
        )
    if decided is None:
        decided = pred_probs.argmax(axis=1)
    likelihood = np.clip(pred_probs[named][np.arange(named.sum()), labels[named]], 1e-12, 1.0)
    return Scores(
        n=len(labels),
        accuracy=float((decided == labels).mean()),
        macro_f1=macro_f1(decided, labels),
        calibration_error=calibration_error(pred_probs[named], labels[named]),
        log_loss=float(-np.log(likelihood).mean()),
    )


BINS: Final = 15
"""Number of equally wide bins of confidence (Guo et al., 2017)."""


def calibration_error(pred_probs: np.ndarray, labels: np.ndarray) -> float:
    """Returns the expected calibration error of the most probable class (Guo et al., 2017).

    Args:
        pred_probs: `(N, K)` float.
        labels: `(N,)` int class indices.

    Returns:
        Mean distance between confidence and accuracy over the bins, weighted by photos, 0 to 1.
    """
    confidence, accuracy, weight = reliability(pred_probs, labels)
    return float((np.abs(confidence - accuracy) * weight).sum())


def reliability(pred_probs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compares confidence with accuracy, bin by bin of confidence.

    Args:
        pred_probs: `(N, K)` float.
        labels: `(N,)` int class indices.

    Returns:
        For each bin that holds a photo: mean confidence, accuracy, and share of the photos.
    """
    top = pred_probs.max(axis=1)
    right = pred_probs.argmax(axis=1) == labels
    which = np.clip(np.ceil(top * BINS).astype(int) - 1, 0, BINS - 1)
    count = np.bincount(which, minlength=BINS)
    filled = count > 0
    confidence = np.bincount(which, weights=top, minlength=BINS)[filled] / count[filled]
    accuracy = np.bincount(which, weights=right, minlength=BINS)[filled] / count[filled]
    return confidence, accuracy, count[filled] / count.sum()


def confusion(decided: np.ndarray, labels: np.ndarray, n_answers: int) -> np.ndarray:
    """Counts photos by label (row) and answer (column), `(N,)` int each: `(n_answers, n_answers)` int."""
    counts = np.bincount(labels * n_answers + decided, minlength=n_answers * n_answers)
    return counts.reshape(n_answers, n_answers)


def per_class(decided: np.ndarray, labels: np.ndarray, answers: Sequence[str]) -> "pd.DataFrame":
    """Returns one row per answer: `emotion`, `precision`, `recall`, `f1` (0 to 1) and `photos`."""
    import pandas as pd
    from sklearn.metrics import precision_recall_fscore_support

    precision, recall, f1, photos = precision_recall_fscore_support(
        labels, decided, labels=range(len(answers)), zero_division=0
    )
    return pd.DataFrame(
        {"emotion": list(answers), "precision": precision, "recall": recall, "f1": f1, "photos": photos}
    )


def agreement(points: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Scores points against targets, where those are known.

    Args:
        points: `(N, 2)` valence and arousal.
        targets: `(N, 2)`, NaN where a point is not known.

    Returns:
        For valence and arousal each: `ccc_` concordance (Lin, 1989), -1 to 1, higher is better; `rmse_` root
        mean squared error, lower is better; `sign_` share of photos on the same side of 0. Six decimals;
        empty where no target is known.
    """
    known = ~np.isnan(targets).any(axis=1)
    if not known.any():
        return {}
    scores = {}
    for axis, name in enumerate(AXES):
        said, meant = points[known, axis].astype(np.float64), targets[known, axis].astype(np.float64)
        scores[f"ccc_{name}"] = concordance(said, meant)
        scores[f"rmse_{name}"] = float(np.sqrt(np.square(said - meant).mean()))
        scores[f"sign_{name}"] = float((np.sign(said) == np.sign(meant)).mean())
    return {name: round(value, 6) for name, value in scores.items()}


def concordance(a: np.ndarray, b: np.ndarray) -> float:
    """Returns the concordance correlation of `(N,)` arrays (Lin, 1989), 0 where both are constant."""
    covariance = ((a - a.mean()) * (b - b.mean())).mean()
    spread = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    return float(2 * covariance / spread) if spread > 0 else 0.0


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Returns the interval that holds the true share in 95 of 100 cases (Wilson, 1927).

    Unlike the share plus and minus two standard errors, it is right near 0 and 1 and for few photos, too.

    Args:
        share: Share of n that was right, 0 to 1.
        n: How many there were.

    Returns:
        Its lower and upper end, 0 to 1; NaN where the share is not known or n is 0.

    Examples:
        >>> [round(end, 3) for end in wilson_interval(0.596, 3088)]
        [0.579, 0.613]
    """
    if n == 0:
        return math.nan, math.nan
    z = 1.959964  # 0.975 quantile of the normal distribution
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half
