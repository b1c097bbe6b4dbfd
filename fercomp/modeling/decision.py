"""From probabilities to a label."""

import numpy as np

from fercomp.core.classes import UNCERTAIN


def most_likely(pred_probs: np.ndarray, classes: tuple[str, ...], threshold: float | None) -> np.ndarray:
    """Decides for the likeliest class, or for none.

    Args:
        pred_probs: `(N, K)` float; N may be 0.
        classes: The K class names.
        threshold: Where the likeliest class is less probable, the answer is `uncertain`; `None` for never.

    Returns:
        `(N,)` of str objects.
    """
    labels: np.ndarray = np.array(classes, dtype=object)[pred_probs.argmax(axis=1)]
    if threshold is not None:
        labels[pred_probs.max(axis=1) < threshold] = UNCERTAIN
    return labels
