"""Pictures of decisions and of emotions as points, as PNG."""

from pathlib import Path

from fercomp.core.files import atomic_file
from fercomp.labels.uncertain import Score, Sweep
from fercomp.report.plots import BLUE, ORANGE


def plot_sweep(found: Sweep, on: Score, chosen: float | None, path: Path) -> None:
    """Draws accuracy, macro-F1 and coverage against the threshold.

    Args:
        found: What thresholds are worth.
        on: What they are on.
        chosen: The threshold that is used, drawn as a line; `None` for none.
        path: The PNG to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, values, colour in (
        ("accuracy", found.accuracy, BLUE),
        ("macro-F1", found.macro_f1, ORANGE),
        ("coverage", found.coverage, "grey"),
    ):
        axes.plot(found.thresholds, values, color=colour, label=name)
    if chosen is not None:
        axes.axvline(chosen, color="black", linestyle="--", linewidth=1, label=f"used: {chosen:.3g}")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=f"uncertain below this {on}")
    axes.set_title("Thresholds on the holdout")
    axes.grid(alpha=0.3)
    axes.legend()
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=110)
