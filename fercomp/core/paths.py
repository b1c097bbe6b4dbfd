"""Where the stages read and write. The same paths stand in `dvc.yaml`; a test compares them."""

import os
from dataclasses import dataclass
from pathlib import Path

from fercomp.core.errors import FercompError


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


@dataclass(frozen=True)
class Workspace:
    """The files of one competition under one folder.

    Attributes:
        root: The folder that holds `datasets/`, `models/` and `submissions/`.
    """

    root: Path = Path()

    @property
    def params(self) -> Path:
        """The hyperparameters, `params.yaml`."""
        return self.root / "params.yaml"

    @property
    def study_params(self) -> Path:
        """The experiments of the study, `params.study.yaml`."""
        return self.root / "params.study.yaml"

    @property
    def raw(self) -> Path:
        """The competition's own files, never edited."""
        return self.root / "datasets" / "raw"

    @property
    def train_csv(self) -> Path:
        """The competition's training labels."""
        return self.raw / "train.csv"

    @property
    def sample_submission(self) -> Path:
        """The competition's example of a submission."""
        return self.raw / "sample_submission.csv"

    @property
    def photos(self) -> Path:
        """The index of readable photos, written by `prepare`."""
        return self.root / "datasets" / "photos.csv"

    @property
    def decoded(self) -> Path:
        """Decoded photos (`data.cache`), which may be deleted at any time."""
        return self.root / "datasets" / ".photos"

    @property
    def problems(self) -> Path:
        """The photos that cannot be used and why, written by `prepare`."""
        return self.root / "datasets" / "problems.csv"

    @property
    def overview(self) -> Path:
        """The folder of pictures of the photos, written by `prepare`."""
        return self.root / "datasets" / "overview"

    @property
    def models(self) -> Path:
        """The folder of all bundles."""
        return self.root / "models"

    def bundle(self, name: str) -> Path:
        """Returns the folder of one trained model."""
        return self.models / name

    @property
    def training(self) -> Path:
        """What training keeps while it runs: checkpoints, features, a teacher's answers."""
        return self.models / ".training"

    @property
    def oof(self) -> Path:
        """Probabilities of the labelled photos by networks that were not trained on them, by `crossval`."""
        return self.bundle("crossval") / "oof.csv"

    @property
    def labels(self) -> Path:
        """Given and suggested labels side by side, written by `relabel`."""
        return self.root / "datasets" / "labels.csv"

    @property
    def reviewed(self) -> Path:
        """The journal of what was decided in `review`; kept in git, since nothing brings it back."""
        return self.root / "datasets" / "review.jsonl"

    @property
    def relabel_report(self) -> Path:
        """The folder of what `relabel` changed: a table of class pairs, a contact sheet for each."""
        return self.root / "datasets" / "relabel"

    def test_probabilities(self, name: str) -> Path:
        """Returns the test photos' probabilities by one trained model."""
        return self.bundle(name) / "test_probs.csv"

    @property
    def submissions(self) -> Path:
        """The folder of all Kaggle CSVs."""
        return self.root / "submissions"

    def submission(self, name: str) -> Path:
        """Returns the Kaggle CSV of one trained model."""
        return self.submissions / f"{name}.csv"

    @property
    def history(self) -> Path:
        """The record of what was sent to Kaggle, and how it scored."""
        return self.submissions / "history.csv"

    @property
    def history_plot(self) -> Path:
        """The record as a picture: holdout accuracy against Kaggle's scores."""
        return self.submissions / "history.png"

    @property
    def standing(self) -> Path:
        """One's own place on the leaderboard when it was last asked for."""
        return self.submissions / "standing.json"

    @property
    def report(self) -> Path:
        """The page that `report` writes."""
        return self.root / "report.html"

    @property
    def sending(self) -> Path:
        """What is being sent to Kaggle; there between sending and the record of Kaggle's answer."""
        return self.submissions / ".sending.json"
