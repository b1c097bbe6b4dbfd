"""Pictures of decisions and of emotions as points, as PNG."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fercomp.core.palette import BLUE, ORANGE, emotion_colour
from fercomp.decisions.circumplex import NEUTRAL_RADIUS, RAYS, directions
from fercomp.decisions.thresholds import Score, Sweep
from fercomp.report.plots import new_figure, save_figure, set_title


def plot_sweep(found: Sweep, on: Score, chosen: float | None, model: str, path: Path) -> None:
    """Draws accuracy, macro-F1 and coverage against the threshold.

    Args:
        found: What thresholds are worth.
        on: What they are on.
        chosen: The threshold that is used, drawn as a line; `None` for none.
        model: Name of the model.
        path: The PNG to write.
    """
    figure, axes = new_figure(7, 4.4)
    for name, values, colour in (
        ("accuracy", found.accuracy, BLUE),
        ("macro-F1", found.macro_f1, ORANGE),
        ("coverage", found.coverage, "grey"),
    ):
        axes.plot(found.thresholds, values, color=colour, label=name)
    if chosen is not None:
        axes.axvline(chosen, color="black", linestyle="--", linewidth=1, label=f"used: {chosen:.3g}")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=f"uncertain below this {on}")
    set_title(axes, f"{model}: thresholds on the holdout")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=4)
    save_figure(figure, path)


def plot_points(
    points: np.ndarray, targets: np.ndarray, emotions: Sequence[str], model: str, path: Path
) -> None:
    """Draws points in the circle of emotions, by given label, and beside it against what they should be.

    Args:
        points: `(N, 2)` valence and arousal.
        targets: `(N, 2)` what they should be, NaN where that is not known.
        emotions: N given labels.
        model: Name of the model.
        path: The PNG to write.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    figure = Figure(figsize=(14, 5.8), layout="constrained")
    circle, against = figure.subplots(1, 2)
    labels = np.array(emotions)
    for name in sorted(set(emotions)):
        here = labels == name
        circle.scatter(*points[here].T, s=6, alpha=0.5, color=emotion_colour(name), label=name)
    for radius in (NEUTRAL_RADIUS, 1.0):
        circle.add_patch(Circle((0, 0), radius, fill=False, color="grey", linewidth=1))
    for name, (x, y) in zip(RAYS, directions(RAYS), strict=True):
        circle.plot([0, x], [0, y], color="grey", linewidth=1)
        circle.annotate(name, (1.08 * x, 1.08 * y), ha="center", va="center", fontsize=8)
    circle.set(xlim=(-1.25, 1.25), ylim=(-1.2, 1.2), aspect="equal", xlabel="valence", ylabel="arousal")
    circle.set_title("What the model says, by given label")
    circle.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
    for axis, (name, colour) in enumerate((("valence", BLUE), ("arousal", ORANGE))):
        against.scatter(targets[:, axis], points[:, axis], s=6, alpha=0.3, color=colour, label=name)
    against.plot([-1, 1], [-1, 1], color="grey", linestyle="--", linewidth=1)
    against.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), xlabel="target", ylabel="model", aspect="equal")
    against.set_title("Against the targets of the holdout")
    against.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=2)
    figure.suptitle(model, parse_math=False)
    save_figure(figure, path)
