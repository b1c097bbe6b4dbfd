"""Pictures that compare models and submissions, as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.transforms import Bbox

from fercomp.core.palette import BLUE, ORANGE, SERIES
from fercomp.report.plots import new_figure, save_figure, spread_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIDES: Final = (
    *((8, 0, "left"), (-8, 0, "right"), (0, 11, "center"), (0, -11, "center")),
    *((8, dy, "left") for dy in (11, -11, 22, -22, 33, -33)),
)
"""Places of a label beside a dot: offset in points, and which end of the label is there."""


def plot_study(names: Sequence[str], scores: Mapping[str, tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    """Draws the accuracies of experiments as dots with their intervals, on an axis that shows differences.

    Args:
        names: Of n experiments, n at least 1.
        scores: By what they are scored on, at most two: `(n,)` float in 0 to 1, NaN where there is no score,
            and `(n,)` int, of how many photos.
        path: The PNG to write.
    """
    figure, axes = new_figure(8, 1.5 + 0.5 * len(names))
    places = np.arange(len(names))
    for i, ((name, (values, photos)), colour) in enumerate(zip(scores.items(), SERIES, strict=False)):
        rows = places + (i - 0.5) * 0.3
        axes.errorbar(values, rows, xerr=spread_of(values, photos), fmt="o", color=colour, label=name)
        for value, row in zip(values, rows, strict=True):
            if not np.isnan(value):
                above = (value, row), (0, 5)
                axes.annotate(f"{value:.3f}", *above, textcoords="offset points", ha="center", fontsize=8)
    axes.set_yticks(places, names, parse_math=False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set(xlabel="accuracy, with 95 % intervals", title="Accuracy on the holdout")
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=len(scores))
    save_figure(figure, path)


def plot_speed(
    names: Sequence[str],
    milliseconds: np.ndarray,
    accuracy: np.ndarray,
    photos: np.ndarray,
    budget: float,
    path: Path,
) -> None:
    """Draws accuracy against speed: the best networks are at the upper left.

    Args:
        names: Of n networks, n at least 1.
        milliseconds: `(n,)` float, per face.
        accuracy: `(n,)` float, 0 to 1.
        photos: `(n,)` int, of how many photos; 0 where that is not known.
        budget: Milliseconds that a face may take, drawn as a line.
        path: The PNG to write.
    """
    figure, axes = new_figure(8, 5)
    axes.axvline(budget, color="grey", linestyle="--", linewidth=1)
    spread = spread_of(accuracy, photos)
    axes.errorbar(milliseconds, accuracy, spread, fmt="none", color=BLUE, alpha=0.4)
    axes.scatter(milliseconds, accuracy, s=40, color=BLUE)
    axes.set_xscale("log")
    times = [budget, *milliseconds]
    axes.set(xlim=(min(times) / 2, max(times) * 6), xlabel="ms per face, one at a time")
    axes.margins(y=0.15)
    axes.set(ylabel="holdout accuracy, with 95 % intervals", title="Accuracy against speed")
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
    figure.legend(loc="outside lower center", ncols=len(scores))
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
