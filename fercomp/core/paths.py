"""Where the stages read and write. The same paths stand in `dvc.yaml`; a test compares them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fercomp.core.errors import FercompError

SHIPPED: Final = "shipped"
"""The model that came with fercomp for clips and cameras."""

SHIPPED_LARGE: Final = "shipped-large"
"""The one for photos."""


def at_home(path: str | Path) -> str:
    """Writes out a `~` that the shell left, as in `--output=~/x` and in files.

    Raises:
        FercompError: There is no such user, and no file of that name.
    """
    try:
        full = os.path.expanduser(path)  # noqa: PTH111 - Path.expanduser fails where there is no such user
    except ValueError:  # a NUL
        full = str(path)
    if str(full).startswith("~") and not os.path.lexists(full):
        raise FercompError(f"no user is called {str(path).split('/')[0]!r}: a file of that name is ./{path}")
    return str(full)


class _Below:
    """A path below the folder of a workspace."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __get__(self, workspace: "Workspace", kind: type) -> Path:
        return workspace.root / self._path


@dataclass(frozen=True)
class Workspace:
    """The files of one competition under one folder.

    Attributes:
        root: The folder that holds `datasets/`, `models/` and `submissions/`.
    """

    root: Path = Path()

    params = _Below("params.yaml")  # the hyperparameters
    study_params = _Below("params.study.yaml")  # the experiments of the study

    raw = _Below("datasets/raw")  # the competition's own files, never edited
    train_csv = _Below("datasets/raw/train.csv")  # its training labels
    sample_submission = _Below("datasets/raw/sample_submission.csv")
    photos = _Below("datasets/photos.csv")  # the index of readable photos, by `prepare`
    problems = _Below("datasets/problems.csv")  # the photos that cannot be used and why, likewise
    overview = _Below("datasets/overview")  # the folder of pictures of the photos, likewise
    decoded = _Below("datasets/.photos")  # decoded photos (`data.cache`), which may be deleted at any time
    labels = _Below("datasets/labels.csv")  # given and suggested labels side by side, by `relabel`
    relabel_report = _Below("datasets/relabel")  # what that changed: a table of class pairs, contact sheets
    reviewed = _Below("datasets/review.jsonl")  # the journal of `review`; in git, nothing brings it back

    models = _Below("models")  # the folder of all bundles
    training = _Below("models/.training")  # checkpoints, features, a teacher's answers
    oof = _Below("models/crossval/oof.csv")  # answers of networks that did not learn the photo, by `crossval`

    submissions = _Below("submissions")  # the folder of all Kaggle CSVs
    history = _Below("submissions/history.csv")  # what was sent to Kaggle, and how it scored
    history_plot = _Below("submissions/history.png")  # holdout accuracy against Kaggle's scores
    standing = _Below("submissions/standing.json")  # one's own place when it was last asked for
    sending = _Below("submissions/.sending.json")  # there between sending and the record of Kaggle's answer
    report = _Below("report.html")

    def bundle(self, name: str) -> Path:
        """Returns the folder of one trained model."""
        return self.models / name

    def test_probabilities(self, name: str) -> Path:
        """Returns the test photos' probabilities by one trained model."""
        return self.bundle(name) / "test_probs.csv"

    def submission(self, name: str) -> Path:
        """Returns the Kaggle CSV of one trained model."""
        return self.submissions / f"{name}.csv"
