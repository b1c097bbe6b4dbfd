"""All models side by side: what each is worth, what it costs, and how far it has come."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.reading import is_there
from fercomp.core.tables import PHOTOS
from fercomp.core.text_table import fitting_table, numbers, texts
from fercomp.decisions.metrics import wilson_interval
from fercomp.kaggle.submissions.history import find_origin, kaggle_scores
from fercomp.modeling.bundle.card import CARD, read_card
from fercomp.modeling.bundle.card_keys import REFIT_OF
from fercomp.modeling.bundle.cost import size_in_bytes
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.stages.bench import BENCH
from fercomp.stages.expected import expected_parts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_T = TypeVar("_T")


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


def _say_left_out(line: str) -> None:
    say(f"left out: {line}")


def list_models(workspace: Workspace, left_out: Callable[[str], None] = _say_left_out) -> list[ModelRow]:
    """Describes all models under `models/`, the newest first, and those that came with fercomp.

    Args:
        workspace: The files.
        left_out: Is told of what cannot be read: a card, `models/bench.csv`, the record of submissions.
    """
    cards = [*workspace.models.glob(f"[!.]*/{CARD}")]
    newest = sorted(cards, key=lambda card: (-card.stat().st_mtime, card))
    scores, speed = _told(left_out, kaggle_scores, workspace), _told(left_out, _measured, workspace)
    tests = _tests(workspace)
    rows = []
    for card in (*newest, *(folder / CARD for folder in CAME_ALONG.values())):
        try:
            rows.append(_row(card.parent, workspace, speed, scores, tests))
        except FercompError as error:
            left_out(str(error))
    return rows


def _told(
    left_out: Callable[[str], None], read: Callable[[Workspace], dict[str, _T]], workspace: Workspace
) -> dict[str, _T]:
    try:
        return read(workspace)
    except FercompError as error:
        left_out(str(error))
        return {}


def _row(
    folder: Path,
    workspace: Workspace,
    speed: dict[str, float],
    scores: dict[str, tuple[float, float]],
    tests: int,
) -> ModelRow:
    card, name = read_card(folder), folder.name
    accuracy, photos = card.scores.get("accuracy", math.nan), int(card.scores.get("n", 0))
    low, high = wilson_interval(accuracy, photos)
    expected = expected_parts(accuracy, photos, tests, REFIT_OF in card.trained)[1]
    made = (folder / CARD).stat().st_mtime
    bench = workspace.models / "bench.csv"
    return ModelRow(
        model=name,
        backbone=card.backbone,
        made=datetime.fromtimestamp(made, UTC).isoformat(timespec="seconds"),
        accuracy=accuracy,
        accuracy_low=low,
        accuracy_high=high,
        photos=photos,
        private_low=expected.low,
        private_high=expected.high,
        macro_f1=card.scores.get("macro_f1", math.nan),
        megabytes=_megabytes(folder),
        ms_per_face=speed[name] if name in speed and made <= bench.stat().st_mtime else math.nan,
        csv=_csv(name, workspace),
        public=scores.get(name, (math.nan, math.nan))[0],
        private=scores.get(name, (math.nan, math.nan))[1],
        before_refit=REFIT_OF in card.trained,
    )


def _tests(workspace: Workspace) -> int:
    if not workspace.photos.is_file():
        return 0
    try:
        return int((PHOTOS.read(workspace.photos)["split"] == "test").sum())
    except FercompError:  # told by the commands that need it
        return 0


def _megabytes(folder: Path) -> float:
    try:
        return size_in_bytes(folder) / 1e6
    except OSError:  # a file is missing: `predict` says which
        return math.nan


def _csv(name: str, workspace: Workspace) -> str:
    csv = workspace.submission(name)
    if not csv.is_file():
        return ""
    try:
        find_origin(csv, workspace)
    except FercompError:
        return "old"
    return "yes"


def _measured(workspace: Workspace) -> dict[str, float]:
    bench = workspace.models / "bench.csv"
    if not is_there(bench):
        return {}
    table = BENCH.read(bench)
    known = table[(table["problem"] == "") & (table["ms_per_face"] != "")]
    return dict(zip(known["model"], known["ms_per_face"].astype(float), strict=True))


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
    shapes = {
        "accuracy": ".4f",
        "macro_f1": ".4f",
        "megabytes": ".1f",
        "ms_per_face": ".1f",
        "public": ".5f",
    }
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
