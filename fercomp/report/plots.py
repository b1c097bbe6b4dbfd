"""Pictures of a model's results, as PNG."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np

from fercomp.core.files import atomic_file
from fercomp.modeling.metrics import reliability

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

matplotlib.use("Agg")  # files only: a window system need not be there
BLUE, ORANGE = "#3366aa", "#dd7722"


def plot_confusion(counts: np.ndarray, classes: Sequence[str], path: Path) -> None:
    """Draws a confusion matrix, each row as shares of its given label.

    Args:
        counts: `(K, K)` int; rows are given labels, columns predicted ones.
        classes: The K class names.
        path: The PNG to write.
    """
    figure, axes = _figure(7, 6)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.5 else "black"
        axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), [f"{c} ({n})" for c, n in zip(classes, counts.sum(1), strict=True)])
    axes.set(xlabel="predicted", ylabel="given label (photos)", title="Share of each given label")
    _save(figure, path)


def plot_reliability(pred_probs: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Draws accuracy against confidence; on the diagonal, probabilities mean what they say.

    Args:
        pred_probs: `(N, K)` float.
        labels: `(N,)` int class indices.
        path: The PNG to write.
    """
    figure, axes = _figure(5, 5)
    confidence, accuracy, share = reliability(pred_probs, labels)
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    axes.scatter(confidence, accuracy, s=20 + 600 * share, color=BLUE, alpha=0.8)
    axes.plot(confidence, accuracy, color=BLUE, linewidth=1)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
    axes.set_title("Reliability on the holdout (dot: share of photos)")
    _save(figure, path)


def plot_history(history: "pd.DataFrame", path: Path) -> None:
    """Draws loss and accuracy over the epochs.

    Args:
        history: Table `history.csv` of a training run.
        path: The PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, measure in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(history["epoch"], history[measure], color=BLUE, marker="o", markersize=3, label="train")
        holdout = history[f"holdout_{measure}"]
        axes.plot(history["epoch"], holdout, color=ORANGE, marker="o", markersize=3, label="holdout")
        axes.set(xlabel="epoch", title=measure)
        axes.grid(alpha=0.3)
        axes.legend()
    _save(figure, path)


def _figure(width: float, height: float) -> "tuple[Figure, matplotlib.axes.Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _save(figure: "Figure", path: Path) -> None:
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=110)
