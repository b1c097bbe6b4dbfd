"""Pictures of a model's results, as PNG."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import matplotlib
import numpy as np
from matplotlib.transforms import Bbox

from fercomp.core.files import atomic_file
from fercomp.core.palette import BLUE, ORANGE
from fercomp.decisions.metrics import calibration_error, reliability

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A photo whose name the font cannot write has boxes below it.
warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
matplotlib.use("Agg")  # files only: a window system need not be there
SHEET: Final = (6, 8)
"""Rows and columns of a contact sheet."""
_SIDES: Final = (
    *((8, 0, "left"), (-8, 0, "right"), (0, 11, "center"), (0, -11, "center")),
    *((8, dy, "left") for dy in (11, -11, 22, -22, 33, -33)),
)
"""Places of a label beside a dot: offset in points, and which end of the label is there."""


def plot_confusion(counts: np.ndarray, classes: Sequence[str], path: Path) -> None:
    """Draws a confusion matrix, each row as shares of its given label.

    Args:
        counts: `(K, K)` int; rows are given labels, columns predicted ones.
        classes: The K class names.
        path: The PNG to write.
    """
    figure, axes = new_figure(7, 6)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.5 else "black"
        axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), [f"{c} ({n})" for c, n in zip(classes, counts.sum(1), strict=True)])
    axes.set(xlabel="predicted", ylabel="given label (photos)", title="Share of each given label")
    save_figure(figure, path)


def plot_reliability(calibrated: np.ndarray, before: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Draws accuracy against confidence; on the diagonal, probabilities mean what they say.

    Args:
        calibrated: `(N, K)` float, after temperature.
        before: `(N, K)` float, as the network gave them.
        labels: `(N,)` int class indices.
        path: The PNG to write.
    """
    figure, axes = new_figure(5, 5)
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    for name, colour, pred_probs in (("before", ORANGE, before), ("after", BLUE, calibrated)):
        confidence, accuracy, share = reliability(pred_probs, labels)
        error = calibration_error(pred_probs, labels)
        axes.scatter(confidence, accuracy, s=10 + 600 * share, color=colour, alpha=0.5)
        axes.plot(confidence, accuracy, color=colour, linewidth=1, label=f"{name} temperature: {error:.3f}")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
    axes.set_title("Reliability on the holdout (dot: share of photos)")
    axes.legend(title="calibration error", loc="upper left")
    save_figure(figure, path)


def plot_per_class(by_class: "pd.DataFrame", path: Path) -> None:
    """Draws precision, recall and F1 of each class as bars, beside its number of photos.

    Args:
        by_class: One row per class: `emotion`, `precision`, `recall`, `f1` (0 to 1), `photos`.
        path: The PNG to write.
    """
    figure, axes = new_figure(10, 4)
    places, width = np.arange(len(by_class)), 0.27
    for i, (measure, colour) in enumerate((("precision", BLUE), ("recall", ORANGE), ("F1", "grey"))):
        heights = by_class[measure.lower()].to_numpy()
        bars = axes.bar(places + (i - 1) * width, heights, width, color=colour, label=measure)
        axes.bar_label(bars, fmt="%.2f", fontsize=7, padding=1)
    names = [f"{name}\n{n:,} photos" for name, n in zip(by_class["emotion"], by_class["photos"], strict=True)]
    axes.set_xticks(places, names)
    axes.set(ylim=(0, 1.05), title="Scores of each class on the holdout")
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=3)
    save_figure(figure, path)


def plot_sheet(faces: Sequence[np.ndarray], captions: Sequence[str], title: str, path: Path) -> None:
    """Draws a contact sheet of `SHEET` places, filled row by row.

    Args:
        faces: At most as many as the sheet has places, each `(S, S, 3)` uint8 RGB.
        captions: What stands under each, in two lines.
        title: What stands above all.
        path: The PNG to write.
    """
    rows, columns = SHEET
    figure, axes = new_figure(1.3 * columns, 1.68 * rows)
    high = 1.28  # of a photo of side 1 and its caption
    for i, (face, caption) in enumerate(zip(faces, captions, strict=True)):
        row, column = divmod(i, columns)
        axes.imshow(face, extent=(column, column + 0.94, row * high + 0.94, row * high))
        place = (column + 0.47, row * high + 0.97)
        # A photo may be called `$x^.jpg`.
        axes.text(*place, caption, ha="center", va="top", fontsize=7.5, parse_math=False)
    axes.set(xlim=(0, columns), ylim=(rows * high, 0), aspect="equal", title=title)
    axes.axis("off")
    save_figure(figure, path)


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
    save_figure(figure, path)


def plot_speed(
    names: Sequence[str], milliseconds: np.ndarray, accuracy: np.ndarray, budget: float, path: Path
) -> None:
    """Draws accuracy against speed: the best networks are at the upper left.

    Args:
        names: Of n networks, n at least 1.
        milliseconds: `(n,)` float, per face.
        accuracy: `(n,)` float, 0 to 1.
        budget: Milliseconds that a face may take, drawn as a line.
        path: The PNG to write.
    """
    figure, axes = new_figure(8, 5)
    axes.axvline(budget, color="grey", linestyle="--", linewidth=1)
    axes.scatter(milliseconds, accuracy, s=40, color=BLUE)
    axes.set_xscale("log")
    times = [budget, *milliseconds]
    axes.set(xlim=(min(times) / 2, max(times) * 6), xlabel="ms per face, one at a time")
    axes.margins(y=0.15)
    axes.set(ylabel="holdout accuracy", title="Accuracy against speed")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.text(budget, 0.02, f" {budget:g} ms", transform=axes.get_xaxis_transform(), color="grey")
    axes.grid(alpha=0.3)
    figure.draw_without_rendering()  # after which positions in pixels are known
    _label_dots(axes, names, np.column_stack([milliseconds, accuracy]))
    save_figure(figure, path)


def plot_scores(
    names: Sequence[str], holdout: np.ndarray, scores: Mapping[str, np.ndarray], path: Path
) -> None:
    """Draws holdout accuracy against a leaderboard's scores; on the diagonal, the holdout foretells them.

    Args:
        names: Of n submissions, n at least 1.
        holdout: `(n,)` float, 0 to 1.
        scores: By the kind of score, `(n,)` float, NaN where there is none. Names stand beside the first.
        path: The PNG to write.
    """
    figure, axes = new_figure(6, 6)
    everything = np.concatenate([holdout, *scores.values()])
    low, high = float(np.nanmin(everything)), float(np.nanmax(everything))
    space = max(0.01, 0.15 * (high - low))
    axes.set(xlim=(low - space, high + 2 * space), ylim=(low - space, high + space))
    axes.axline((low, low), slope=1, color="grey", linestyle="--", linewidth=1)
    for (kind, values), colour in zip(scores.items(), (BLUE, ORANGE), strict=False):
        axes.scatter(holdout, values, s=40, color=colour, label=kind)
    axes.set(xlabel="holdout accuracy", ylabel="Kaggle's score", title="Holdout against leaderboard")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.draw_without_rendering()  # after which positions in pixels are known
    first = next(iter(scores.values()))
    known = ~np.isnan(first)
    shown = [name for name, there in zip(names, known, strict=True) if there]
    _label_dots(axes, shown, np.column_stack([holdout, first])[known])
    save_figure(figure, path)


def _label_dots(axes: "Axes", names: Sequence[str], dots: np.ndarray) -> None:
    """Writes a name beside each dot, on the first side where it covers no other, or else on the last."""
    taken = [Bbox.from_extents(*(dot - 4), *(dot + 4)) for dot in axes.transData.transform(dots)]
    for name, dot in zip(names, dots, strict=True):
        for dx, dy, align in _SIDES:
            label = axes.annotate(
                name, dot, (dx, dy), textcoords="offset points", ha=align, va="center", fontsize=9
            )
            box = label.get_window_extent()
            if (dx, dy, align) == _SIDES[-1] or not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            label.remove()


def new_figure(width: float, height: float) -> "tuple[Figure, Axes]":
    """Makes a picture of a size in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def save_figure(figure: "Figure", path: Path) -> None:
    """Writes a picture as a PNG, atomically."""
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=110)
