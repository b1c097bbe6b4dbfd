"""A run: one trained model, with all that its files say of it."""

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fercomp.core.csv_checks import in_range, one_of, unique
from fercomp.core.csv_table import Table, existing
from fercomp.core.reading import is_there
from fercomp.core.tables import HISTORY, MEASURES
from fercomp.modeling.bundle.card import HISTORY_FILE, HOLDOUT, Card
from fercomp.modeling.bundle.card_keys import INFERENCE, REFIT_OF
from fercomp.report.html.notes import Notes
from fercomp.report.model_table import ModelRow

if TYPE_CHECKING:
    import pandas as pd

MOST_EPOCHS: Final = 300
"""Of which the curves are shown; of more, every second one, or third, and so on."""

_MOST_PARAMS: Final = 300
"""Parameters of a run; ours has some 70, but a card may come from anywhere."""

_AGAIN: Final = "run `fercomp evaluate` again"
_SCORED_ON: Final = Table({"image_path": "str", "emotion": "str"}, "run `fercomp train` again")


@dataclass(frozen=True)
class ReportedRun(ModelRow):
    """One model, with all that is shown of it; a text that is not known is empty.

    Attributes:
        answers: What it may answer: its classes, and `uncertain` where it lacks that.
        calibration: Expected calibration error, 0 to 1.
        other_holdout: Whether it was scored on other photos or labels than are the holdout now.
        commit: Git commit of the training.
        origin: Of which models it was made, in words.
        params: Its parameters, flat.
        best_epoch: The epoch that the weights are from, if that is known.
        history: Epochs and measures by name, as lists; `None` where one is not there, as of a refit.
        confusion: Photos by given label (row) and answer (column), or nothing.
        classes: Rows of `per_class.csv`: `emotion`, `precision`, `recall`, `f1`, `photos`.
        evaluated: Whether its tables are there and not older than the model.
    """

    answers: tuple[str, ...] = ()
    calibration: float = math.nan
    other_holdout: bool = False
    commit: str = ""
    origin: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    best_epoch: int | None = None
    history: Mapping[str, list[Any]] = field(default_factory=dict)
    confusion: list[list[int]] = field(default_factory=list)
    classes: list[dict[str, Any]] = field(default_factory=list)
    evaluated: bool = False


def params_of(card: Card) -> dict[str, str]:
    """Returns the parameters on a card, such as `augment.flip`, as they would be typed."""
    flat: dict[str, str] = {}

    def walk(values: Mapping[str, Any], before: str) -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                walk(value, f"{before}{key}.")
            else:
                flat[f"{before}{key}"] = _typed(value)

    walk(card.trained.get("params", {}), "")
    walk(card.trained.get(INFERENCE, {}), f"{INFERENCE}.")
    return dict(list(flat.items())[:_MOST_PARAMS])


def _typed(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def origin_of(card: Card) -> str:
    """Says of which models a model was made; nothing of a network that was trained on its own."""
    parts = []
    if card.members:
        parts.append(f"ensemble of {', '.join(member.name for member in card.members)}")
    if card.is_refit:
        before = card.trained[REFIT_OF]
        parts.append(
            f"refit of {before if isinstance(before, str) else ', '.join(map(str, before.values()))}"
        )
    return "; ".join(parts)


def read_history_of(folder: Path) -> dict[str, list[Any]]:
    """Reads the epochs of a training; without a file, as of an ensemble, there are none.

    Raises:
        FercompError: The file is damaged.
    """
    path = folder / HISTORY_FILE
    if not is_there(path):
        return {}
    history = HISTORY.read(path)
    history = history.iloc[:: math.ceil(len(history) / MOST_EPOCHS) or 1]
    known = {name: [None if math.isnan(x) else x for x in history[name].tolist()] for name in MEASURES}
    return {"epoch": history["epoch"].tolist(), "phase": history["phase"].tolist(), **known}


def is_elsewhere(folder: Path, holdout: set[tuple[str, str]]) -> bool:
    """Says whether a model was scored on photos or labels that are not in the holdout now.

    Args:
        folder: The bundle; without its holdout table it is not said.
        holdout: Paths and labels of the holdout.

    Raises:
        FercompError: The table is damaged.
    """
    path = existing(folder / HOLDOUT)
    if not path.exists():
        return False
    scored = _SCORED_ON.read(path)
    return not holdout.issuperset(zip(scored["image_path"], scored["emotion"], strict=True))


def read_evaluation(folder: Path, answers: tuple[str, ...]) -> tuple[list[list[int]], list[dict[str, Any]]]:
    """Reads what `evaluate` left.

    Args:
        folder: The bundle.
        answers: What the model may answer, as `confusion.csv` has it.

    Returns:
        The confusion, and the rows of `per_class.csv`.

    Raises:
        FercompError: A file is missing or damaged.
    """
    counts = _read_in_order(folder / "confusion.csv", dict.fromkeys(answers, "int64"), answers, 2**53)
    shares = {**dict.fromkeys(("precision", "recall", "f1"), "float64"), "photos": "int64"}
    classes = _read_in_order(folder / "per_class.csv", shares, answers, 2**53)
    rows = [{str(key): value for key, value in row.items()} for row in classes.to_dict("records")]
    return counts[list(answers)].to_numpy().tolist(), rows


def _read_in_order(
    path: Path, columns: dict[str, str], answers: tuple[str, ...], most: int
) -> "pd.DataFrame":
    """Reads a table with a row for each answer."""
    checks = [one_of("emotion", answers), unique("emotion")]
    checks += [in_range(name, 0, most if kind == "int64" else 1) for name, kind in columns.items()]
    table = Table({"emotion": "str", **columns}, _AGAIN, tuple(checks)).read(path)
    return table.set_index("emotion").reindex(answers, fill_value=0).reset_index()


def note_age(folder: Path, newest: float, notes: Notes) -> bool:
    """Says whether the tables of `evaluate` are not older than the model, and notes where they are.

    Args:
        folder: The bundle.
        newest: When card and decision were last written, as a file's time.
        notes: Where it is noted.
    """
    tables = [folder / name for name in ("confusion.csv", "per_class.csv")]
    if any(not table.exists() for table in tables):
        return False
    if min(table.stat().st_mtime for table in tables) < newest:
        notes.add(
            f"{folder.name}: its confusion and recalls are older than the model: run "
            f"`fercomp evaluate --model {shlex.quote(folder.name)}`"
        )
        return False
    return True
