"""Which models there are: what each is worth, what it costs, and how far it has come."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.reading import is_there
from fercomp.core.tables import PHOTOS
from fercomp.decisions.metrics import wilson_interval
from fercomp.kaggle.submissions.history import find_origin, kaggle_scores
from fercomp.modeling.bundle.card import CARD, read_card
from fercomp.modeling.bundle.cost import size_in_bytes
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.report.model_table import ModelRow
from fercomp.stages.bench import BENCH
from fercomp.stages.expected import expected_parts

_T = TypeVar("_T")


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
    # What came along was scored on photos of its own, which say nothing of this competition's.
    here = math.nan if folder in CAME_ALONG.values() else accuracy
    expected = expected_parts(here, photos, tests, card.is_refit)[1]
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
        before_refit=card.is_refit,
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
