"""All models side by side, as a table for the terminal."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fercomp.core.text_table import fitting_table, numbers, texts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True)
class ModelRow:
    """What is known of a model; a number that is not known is NaN.

    Attributes:
        model: Name of its folder.
        backbone: Name of the backbone, or `ensemble`.
        made: When it was written: ISO 8601, UTC.
        accuracy: On the holdout, 0 to 1.
        accuracy_low: Lower end of the interval that holds the true accuracy in 95 of 100 cases.
        accuracy_high: Its upper end.
        photos: Number of holdout photos.
        macro_f1: On the holdout, 0 to 1.
        megabytes: What runs, on disk, in 10^6 bytes.
        ms_per_face: As `bench` measured it, after the model was made.
        csv: `yes` where its Kaggle CSV is there, `old` where the model is newer than that.
        public: Its best public score at Kaggle.
        private: Its best private score there.
        before_refit: Whether the scores are those of the network before `refit`.
        private_low: Lower end of the range that holds its private score at Kaggle in 9 of 10 cases.
        private_high: Its upper end.
    """

    model: str
    backbone: str
    made: str
    accuracy: float = math.nan
    accuracy_low: float = math.nan
    accuracy_high: float = math.nan
    photos: int = 0
    macro_f1: float = math.nan
    megabytes: float = math.nan
    ms_per_face: float = math.nan
    csv: str = ""
    public: float = math.nan
    private: float = math.nan
    before_refit: bool = False
    private_low: float = math.nan
    private_high: float = math.nan


_COLUMNS: Final = {
    "backbone": "backbone",
    "accuracy": "holdout\naccuracy",
    "interval": "95 %\ninterval",
    "private": "private\nin 9 of 10",
    "macro_f1": "macro\nF1",
    "megabytes": "MB",
    "ms_per_face": "ms per\nface",
    "csv": "CSV",
    "public": "Kaggle\npublic",
}
"""What the terminal shows beside the name: column and heading."""

_DROPPED: Final = ("megabytes", "ms_per_face", "backbone", "macro_f1", "csv", "public", "private", "interval")
"""Columns that go where there is no room for all, in this order."""


def models_table(rows: Sequence[ModelRow], console: "Console") -> "Table":
    """Lays models out for a terminal: only columns of which something is known, and for which there is room.

    Args:
        rows: Of `list_models`.
        console: Where it is shown.
    """
    cells = [_cells(row) for row in rows]
    shown = [name for name in _COLUMNS if any(row[name] for row in cells)]
    columns = texts("model")
    for name in shown:
        columns |= (texts if name in ("backbone", "csv") else numbers)(_COLUMNS[name])
    lines = ((row["model"], *(row[name] for name in shown)) for row in cells)
    return fitting_table(columns, lines, [_COLUMNS[name] for name in _DROPPED], console)


def _cells(row: ModelRow) -> dict[str, str]:
    shapes = {"accuracy": ".4f", "macro_f1": ".4f", "megabytes": ".1f", "ms_per_face": ".1f", "public": ".5f"}
    cells = {"model": row.model, "backbone": row.backbone, "csv": row.csv, "interval": "", "private": ""}
    for name, shape in shapes.items():
        value = getattr(row, name)
        cells[name] = "" if math.isnan(value) else format(value, shape)
    if row.before_refit and cells["accuracy"]:
        cells["accuracy"] += "*"
    if not math.isnan(row.accuracy_low):
        cells["interval"] = f"{row.accuracy_low:.3f}-{row.accuracy_high:.3f}"
    if not math.isnan(row.private_low):
        cells["private"] = f"{row.private_low:.3f}-{row.private_high:.3f}"
    return cells


def models_remarks(rows: Sequence[ModelRow]) -> list[str]:
    """Says what marks and empty cells of the table mean, a line each.

    Args:
        rows: Of `list_models`.
    """
    remarks = []
    if any(row.before_refit and not math.isnan(row.accuracy) for row in rows):
        remarks.append("* scored before its last training, which used the holdout too")
    if unscored := [row.model for row in rows if math.isnan(row.accuracy)]:
        remarks.append(f"never scored on a holdout: {', '.join(unscored)}")
    if any(row.csv == "old" for row in rows):
        remarks.append("old: the CSV is older than the model")
    return remarks
