"""What blur, darkness, turned heads and the like cost a model, as its card tells it."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from fercomp.core.errors import FercompError
from fercomp.core.progress import count, say
from fercomp.core.reading import is_there
from fercomp.core.tables import CHANGES, ROBUSTNESS

if TYPE_CHECKING:
    import pandas as pd

ROBUSTNESS_CSV: Final = "robustness.csv"
"""Where the table stands, beside the card."""

ONE_LOOK: Final = "each photo answered by one look of the network: neither its mirror image nor other views"


def read_robustness(folder: Path) -> "pd.DataFrame | None":
    """Reads what changes cost a model; what cannot be read is told and left out.

    Args:
        folder: The bundle.

    Returns:
        Table `ROBUSTNESS`; none where it was not measured.
    """
    try:
        return ROBUSTNESS.read(folder / ROBUSTNESS_CSV) if is_there(folder / ROBUSTNESS_CSV) else None
    except FercompError as error:
        say(f"left out: {error}")
        return None


class ChangedRow(NamedTuple):
    """A row of table `ROBUSTNESS`, whose columns it has."""

    change: str
    strength: float
    n: int
    accuracy: float
    macro_f1: float
    accuracy_low: float
    accuracy_high: float

    @property
    def amount(self) -> str:
        """How much of the change there is, such as `quality 10`; nothing of photos as they are."""
        return CHANGES[self.change].format(self.strength) if self.change in CHANGES else ""


def rows_of(measured: "pd.DataFrame") -> list[ChangedRow]:
    """Returns the rows of table `ROBUSTNESS`; the first is of photos as they are."""
    return [
        ChangedRow(*values)
        for values in measured[list(ChangedRow._fields)].itertuples(index=False, name=None)
    ]


def sentence_of_losses(measured: "pd.DataFrame", most: int | None = None) -> str:
    """Says what changes cost a model where they cost most, in one sentence, the largest losses first.

    Args:
        measured: Table `ROBUSTNESS`.
        most: How many changes are named; by default all.
    """
    as_they_are, *changed = rows_of(measured)
    worst: dict[str, ChangedRow] = {}
    for row in sorted(changed, key=lambda row: row.accuracy):
        worst.setdefault(row.change, row)
    said = f"Accuracy is {as_they_are.accuracy:.3f} on {count(as_they_are.n, 'photo')} as they are"
    parts = [
        f"{row.accuracy - as_they_are.accuracy:+.3f} with {row.change} ({row.amount})"
        for row in worst.values()
    ][:most]
    return f"{said}, and at the worst {', '.join(parts)}." if worst else f"{said}."


def robustness_section(folder: Path, has_learned_them: bool) -> str:
    """Writes what changes cost a model as a section of Markdown, empty where that was not measured.

    Args:
        folder: The bundle.
        has_learned_them: Whether it has learned from the photos.
    """
    measured = read_robustness(folder)
    if measured is None:
        return ""
    only = " It has learned from these photos: only the differences count." if has_learned_them else ""
    rows = rows_of(measured)
    lines = [
        f"| {row.change} | {row.amount} | {row.accuracy:.3f} | {row.accuracy_low:.3f} to "
        f"{row.accuracy_high:.3f} | {row.accuracy - rows[0].accuracy:+.3f} | {row.macro_f1:.3f} |"
        for row in rows
    ]
    head = ["| change | | accuracy | 95 % interval | difference | macro-F1 |", "|---|---|---|---|---|---|"]
    said = f"{sentence_of_losses(measured)}{only} Measured on holdout photos, {ONE_LOOK}."
    return "\n".join(["", "## Robustness", "", said, "", *head, *lines, ""])
