"""`submissions/history.csv`: what was sent to Kaggle, from which experiment, and how it scored."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fercomp.core.csv_checks import matching
from fercomp.core.csv_table import Table
from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.reading import is_there
from fercomp.kaggle.client.answers import SCORE, Sent
from fercomp.modeling.bundle.card import CARD, DECISION, read_card
from fercomp.modeling.bundle.find import CAME_ALONG

if TYPE_CHECKING:
    import pandas as pd

HISTORY_TABLE: Final = Table(
    {
        "time": "str",  # when it was sent: ISO 8601, UTC
        "file": "str",
        "sha256": "str",  # of the file's bytes, or of what a kernel ran
        "message": "str",  # as Kaggle has it, with the tag
        "git_commit": "str",  # current when it was sent; the card has that of the training
        "experiment": "str",  # empty where the file is not a model's
        "params": "str",  # of the training, as JSON
        "holdout_accuracy": "str",
        "public": "str",  # scores as Kaggle writes them, empty where there is none
        "private": "str",
        "ref": "str",  # Kaggle's number of the submission
        "status": "str",  # pending | complete | error
    },
    "mend its columns, or move it away and send the next file",
    (
        matching("ref", "[0-9]{0,18}", "Kaggle's number or nothing"),
        matching("public", SCORE, "a score or nothing"),
        matching("private", SCORE, "a score or nothing"),
    ),
)
"""All columns are text: a cell may be empty, and a score keeps its digits."""

_SCORES: Final = Table(
    {"experiment": "str", "public": "str", "private": "str"}, "remove it, or mend its columns"
)
"""What `kaggle_scores` reads of it: a record written by hand has scores, too."""

BUSY: Final = "another fercomp is sending or reading submissions here: wait until it has ended"


@dataclass(frozen=True)
class Origin:
    """The model that a CSV comes from.

    Attributes:
        experiment: Its name, empty where there is no such model.
        params: Parameters of its training as JSON, empty where they are not known.
        holdout_accuracy: 0 to 1 with four digits, empty likewise.
    """

    experiment: str = ""
    params: str = ""
    holdout_accuracy: str = ""


def find_origin(csv: Path, workspace: Workspace) -> Origin:
    """Finds the model of a CSV by its name, as `submission` gives it.

    Raises:
        FercompError: The CSV is older than the model or its decision, so it is that of an earlier training.
    """
    folder = CAME_ALONG.get(csv.stem, workspace.bundle(csv.stem))
    if csv.parent.resolve() != workspace.submissions.resolve() or not (folder / CARD).is_file():
        return Origin()
    changed = [(folder / file).stat().st_mtime for file in (CARD, DECISION) if (folder / file).is_file()]
    if csv.stem not in CAME_ALONG and csv.stat().st_mtime < max(changed):
        raise FercompError(
            f"{csv} is older than the model {csv.stem}, so it is not that model's: run `fercomp predict` "
            f"and `fercomp submission --model {csv.stem}`, or send a copy of it under another name"
        )
    return model_origin(folder, csv.stem)


def model_origin(folder: Path, name: str) -> Origin:
    """Describes a model as the record does.

    Args:
        folder: The bundle.
        name: What the model is called.
    """
    card = read_card(folder)
    params = json.dumps(card.trained["params"], sort_keys=True) if "params" in card.trained else ""
    accuracy = f"{card.scores['accuracy']:.4f}" if "accuracy" in card.scores else ""
    return Origin(name, params, accuracy)


def read_history(workspace: Workspace) -> "pd.DataFrame":
    """Reads the record, the oldest first; without a file it is empty.

    Raises:
        FercompError: The file is not such a table.
    """
    import pandas as pd

    if not is_there(workspace.history):
        return pd.DataFrame(columns=list(HISTORY_TABLE.columns), dtype="str")
    return HISTORY_TABLE.read(workspace.history)


def kaggle_scores(workspace: Workspace) -> dict[str, tuple[float, float]]:
    """Returns the best public and the best private score by experiment, NaN where there is none.

    Raises:
        FercompError: `submissions/history.csv` is there and is not such a table.
    """
    import pandas as pd

    if not is_there(workspace.history):
        return {}
    history = _SCORES.read(workspace.history)
    for column in ("public", "private"):
        scores = pd.to_numeric(history[column], errors="coerce")
        history[column] = scores.where(scores.abs() < math.inf)
    best = history.groupby("experiment")[["public", "private"]].max()
    return {str(name): (float(row["public"]), float(row["private"])) for name, row in best.iterrows()}


def history_rows(workspace: Workspace) -> list[dict[str, str]]:
    """Reads the record as one dictionary for each submission, the oldest first."""
    return [
        {str(name): str(cell) for name, cell in row.items()}
        for row in read_history(workspace).to_dict("records")
    ]


def write_down(rows: Iterable[dict[str, str]], workspace: Workspace) -> None:
    """Adds submissions to the record; one that is there by its `ref` is replaced where it stands."""
    import pandas as pd

    numbered = enumerate([*history_rows(workspace), *rows])
    by_ref = {row["ref"] or f"row {i}": row for i, row in numbered}
    HISTORY_TABLE.write(pd.DataFrame(list(by_ref.values()), dtype="str"), workspace.history)


def scored(row: Mapping[str, str], sent: Sent) -> dict[str, str]:
    """Returns a row with what Kaggle knows by now."""
    return {**row, "status": sent.status, "public": sent.public, "private": sent.private}
