"""Pictures of a model's results, as PNG."""

import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import matplotlib
import numpy as np

from fercomp.core.files import atomic_file
from fercomp.core.palette import BLUE, ORANGE
from fercomp.decisions.metrics import calibration_error, reliability, wilson_interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A photo whose name the font cannot write has boxes below it.
warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
matplotlib.use("Agg")  # files only: a window system need not be there
_ROWS, _COLUMNS = 6, 8
PLACES: Final = _ROWS * _COLUMNS
"""Photos on a contact sheet, at the most."""
_SIDE: Final = 96
"""Side in pixels of a photo on a sheet."""
_NAME: Final = 20
"""Letters that fit below a photo."""
_FEWEST: Final = 5
"""Columns that the title of a sheet needs."""


def plot_confusion(counts: np.ndarray, classes: Sequence[str], model: str, path: Path) -> None:
    """Draws a confusion matrix, each row as shares of its given label.

    Args:
        counts: `(K, K)` int; rows are given labels, columns predicted ones.
        classes: The K class names.
        model: Name of the model.
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
    axes.set(xlabel="predicted", ylabel="given label (photos)")
    set_title(axes, f"{model}: share of each given label")
    save_figure(figure, path)


def plot_reliability(
    calibrated: np.ndarray, before: np.ndarray, labels: np.ndarray, model: str, path: Path
) -> None:
    """Draws accuracy against confidence; on the diagonal, probabilities mean what they say.

    Args:
        calibrated: `(N, K)` float, after temperature.
        before: `(N, K)` float, as the network gave them.
        labels: `(N,)` int class indices.
        model: Name of the model.
        path: The PNG to write.
    """
    figure, axes = new_figure(5, 5.6)
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1)
    for name, colour, pred_probs in (("before", ORANGE, before), ("after", BLUE, calibrated)):
        confidence, accuracy, share = reliability(pred_probs, labels)
        error = calibration_error(pred_probs, labels)
        axes.scatter(confidence, accuracy, s=10 + 600 * share, color=colour, alpha=0.5)
        axes.plot(confidence, accuracy, color=colour, linewidth=1, label=f"{name} temperature: {error:.3f}")
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
    set_title(axes, f"{model}: reliability on the holdout\n(dot: share of photos)")
    figure.legend(title="calibration error", loc="outside lower center", ncols=2)
    save_figure(figure, path)


def plot_per_class(by_class: "pd.DataFrame", predicted: np.ndarray, model: str, path: Path) -> None:
    """Draws precision, recall and F1 of each class as bars, beside its number of photos.

    Precision and recall are shares of photos, so they have intervals (Wilson, 95 %).

    Args:
        by_class: One row per class: `emotion`, `precision`, `recall`, `f1` (0 to 1), `photos`.
        predicted: `(K,)` int, photos that were given each class.
        model: Name of the model.
        path: The PNG to write.
    """
    figure, axes = new_figure(10, 4)
    places, width = np.arange(len(by_class)), 0.27
    for i, (measure, colour) in enumerate((("precision", BLUE), ("recall", ORANGE), ("F1", "grey"))):
        heights = by_class[measure.lower()].to_numpy()
        of = {"precision": predicted, "recall": by_class["photos"].to_numpy()}.get(measure)
        spread = None if of is None else spread_of(heights, of)
        bars = axes.bar(
            places + (i - 1) * width,
            heights,
            width,
            yerr=spread,
            ecolor="#333333",
            color=colour,
            label=measure,
        )
        axes.bar_label(bars, fmt="%.2f", fontsize=7, padding=1)
    names = [f"{name}\n{n:,} photos" for name, n in zip(by_class["emotion"], by_class["photos"], strict=True)]
    axes.set_xticks(places, names)
    axes.set(ylim=(0, 1.05))
    set_title(axes, f"{model}: scores of each class on the holdout, with 95 % intervals")
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=3)
    save_figure(figure, path)


def sheet_faces(raw: Path, image_paths: Sequence[str]) -> tuple[list[int], list[np.ndarray]]:
    """Reads the first photos that can be read, as many as there are places on a sheet: `readable_faces`."""
    from fercomp.data.inputs import readable_faces  # not above: other pictures need no OpenCV

    return readable_faces(raw, image_paths, _SIDE, PLACES)


def plot_sheet(faces: Sequence[np.ndarray], captions: Sequence[str], title: str, path: Path) -> None:
    """Draws a contact sheet of `PLACES` at most, filled row by row, as large as what is on it.

    Args:
        faces: At most as many as the sheet has places, each `(S, S, 3)` uint8 RGB.
        captions: What stands under each, two lines or three, all alike.
        title: What stands above all.
        path: The PNG to write.
    """
    columns = max(min(len(faces), _COLUMNS), _FEWEST)
    rows = max(1, -(-len(faces) // columns))
    lines = max((caption.count("\n") + 1 for caption in captions), default=0)
    high = 1 + 0.14 * lines  # of a photo of side 1 and its caption
    figure, axes = new_figure(1.3 * columns, 1.31 * high * rows + 0.3)
    for i, (face, caption) in enumerate(zip(faces, captions, strict=True)):
        row, column = divmod(i, columns)
        axes.imshow(face, extent=(column, column + 0.94, row * high + 0.94, row * high))
        place = (column + 0.47, row * high + 0.97)
        # A photo may be called `$x^.jpg`.
        axes.text(*place, caption, ha="center", va="top", fontsize=7.5, parse_math=False)
    axes.set(xlim=(0, columns), ylim=(rows * high, 0), aspect="equal")
    set_title(axes, title)
    axes.axis("off")
    save_figure(figure, path)


def shown_name(image_path: str) -> str:
    """Returns the name of a photo's file, cut in its middle where a sheet has no room for it."""
    name = PurePosixPath(image_path).name
    return name if len(name) <= _NAME else f"{name[: _NAME // 2]}…{name[-(_NAME // 2) + 1 :]}"


def plot_history(history: "pd.DataFrame", best: int | None, model: str, path: Path) -> None:
    """Draws loss and accuracy over the epochs; the best epoch and where a phase begins are marked.

    Args:
        history: Table `history.csv` of a training run.
        best: The epoch that the weights are from, if it is known.
        model: Name of the model.
        path: The PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.4), layout="constrained")
    begins = history.loc[history["phase"] != history["phase"].shift(), ["epoch", "phase"]].iloc[1:]
    both = figure.subplots(1, 2)
    for axes, measure in zip(both, ("loss", "accuracy"), strict=True):
        axes.plot(history["epoch"], history[measure], color=BLUE, marker="o", markersize=3, label="train")
        holdout = history[f"holdout_{measure}"]
        axes.plot(history["epoch"], holdout, color=ORANGE, marker="o", markersize=3, label="holdout")
        for epoch in begins["epoch"]:
            axes.axvline(epoch - 0.5, color="grey", linestyle="--", linewidth=1, label="next phase")
        if best is not None:
            axes.axvline(best, color="black", linestyle=":", linewidth=1, label=f"best epoch, {best}")
        axes.set(xlabel="epoch", title=measure)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    figure.suptitle(model, parse_math=False)
    lines = {line.get_label(): line for line in both[0].get_lines()}
    figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=len(lines))
    save_figure(figure, path)


def spread_of(shares: np.ndarray, photos: np.ndarray) -> np.ndarray:
    """Returns how far the ends of the 95 % intervals (Wilson) are from shares, as error bars are given.

    Args:
        shares: `(n,)` float, 0 to 1; NaN where one is not known.
        photos: `(n,)` int, of how many photos each is; 0 where that is not known.

    Returns:
        `(2, n)` float, below and above, NaN where nothing is known.
    """
    ends = [wilson_interval(float(share), int(n)) for share, n in zip(shares, photos, strict=True)]
    low, high = np.array(ends, dtype=float).reshape(-1, 2).T
    spread: np.ndarray = np.maximum(np.stack([shares - low, high - shares]), 0)
    return spread


def set_title(axes: "Axes", title: str) -> None:
    """Writes a title as it is: a model's folder may be called `$x^`."""
    axes.set_title(title, parse_math=False)


def new_figure(width: float, height: float) -> "tuple[Figure, Axes]":
    """Makes a picture of a size in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def save_figure(figure: "Figure", path: Path) -> None:
    """Writes a picture as a PNG, atomically."""
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=110)
