"""What changes of photos cost models, as PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fercomp.core.palette import SERIES
from fercomp.core.tables import CHANGES
from fercomp.report.plots import save_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS: Final = 3


def plot_robustness(measured: "Mapping[str, pd.DataFrame]", path: Path) -> None:
    """Draws accuracy against the strength of each change, a small picture each; dashed: photos as they are.

    Args:
        measured: Table `ROBUSTNESS` by name of the model, one at least, all of the same changes.
        path: The PNG to write.
    """
    from matplotlib.figure import Figure

    rows = -(-len(CHANGES) // _COLUMNS)
    figure = Figure(figsize=(3.2 * _COLUMNS, 2.4 * rows + 0.4 * len(measured)), layout="constrained")
    pictures = figure.subplots(rows, _COLUMNS, sharey=True, squeeze=False).ravel()
    for axes, change in zip(pictures, CHANGES, strict=False):
        for number, table in enumerate(measured.values()):
            _draw(axes, table, change, SERIES[number % len(SERIES)])
        axes.set(title=change, xlabel=CHANGES[change].replace("{:g}", "…"))
        axes.grid(alpha=0.3)
    for axes in pictures[len(CHANGES) :]:
        axes.axis("off")
    pictures[0].set_ylim(bottom=0)
    for axes in pictures[::_COLUMNS]:
        axes.set_ylabel("accuracy")
    photos = next(iter(measured.values()))["n"].iloc[0]
    figure.suptitle(f"{photos:,} holdout photos, changed (dashed: as they are)")
    lines = pictures[0].get_lines()[1::2]  # of each model a dashed line, then this
    # Not the name first: matplotlib leaves out what begins with an underscore.
    labels = [f"{table['accuracy'].iloc[0]:.3f} as they are: {name}" for name, table in measured.items()]
    for text in figure.legend(lines, labels, loc="outside lower center").get_texts():
        text.set_parse_math(False)  # a model's folder may be called `$x^`
    save_figure(figure, path)


def _draw(axes: "Axes", table: "pd.DataFrame", change: str, colour: str) -> None:
    as_they_are, some = table["accuracy"].iloc[0], table[table["change"] == change]
    axes.axhline(as_they_are, color=colour, linestyle="--", linewidth=1)
    places = range(len(some))
    axes.plot(places, some["accuracy"], color=colour, marker="o", markersize=3)
    axes.fill_between(places, some["accuracy_low"], some["accuracy_high"], color=colour, alpha=0.15)
    axes.set_xticks(places, [f"{strength:g}" for strength in some["strength"]])
