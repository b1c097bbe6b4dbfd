"""The experiments of the study side by side: each trained, decided, written as a CSV, and scored twice."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fercomp.core.classes import UNCERTAIN
from fercomp.core.csv_table import write_csv
from fercomp.core.errors import FercompError
from fercomp.core.params import Params, Plan
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.tables import LABELS, PHOTOS
from fercomp.core.text_table import fitting_table, numbers, texts
from fercomp.decisions.thresholds import macro_f1
from fercomp.kaggle.submissions.csv_file import write_submission
from fercomp.kaggle.submissions.history import kaggle_scores
from fercomp.modeling.backend.choice import choose_device
from fercomp.modeling.bundle.card import read_card
from fercomp.modeling.bundle.find import STUDY_PREFIX
from fercomp.modeling.bundle.holdout import holdout_answers, read_holdout
from fercomp.report.score_plots import plot_study
from fercomp.stages.checks import what_cannot_run
from fercomp.stages.forecast import say_how_long
from fercomp.stages.predicting.predict import predict_test
from fercomp.stages.taught import read_photos
from fercomp.stages.train import is_trained, train_experiment
from fercomp.stages.uncertain import settle_uncertain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True)
class StudyRow:
    """An experiment's row of `models/study.csv`; a number that is not known is NaN, an empty cell there.

    Attributes:
        experiment: Its name in `params.study.yaml`.
        accuracy: On the holdout, 0 to 1, against given labels.
        photos: Of how many photos that is.
        macro_f1: Likewise.
        agreed: Accuracy on the photos with agreed labels alone (`agreed_photos`).
        agreed_n: How many these are.
        submission: Its Kaggle CSV.
        kaggle_public: Its best public score, where it was sent.
        kaggle_private: Its best private score.
        problem: Why there is no more than this; empty where all went well.
    """

    experiment: str
    accuracy: float = math.nan
    photos: int = 0
    macro_f1: float = math.nan
    agreed: float = math.nan
    agreed_n: int = 0
    submission: str = ""
    kaggle_public: float = math.nan
    kaggle_private: float = math.nan
    problem: str = ""


def run_study(params: Params, workspace: Workspace) -> list[StudyRow]:
    """Runs the experiments and compares them.

    What is trained already, with the same parameters on the same photos, is not trained again; training that
    was stopped goes on after its last epoch. Test photos are predicted anew, since `params.predict` and the
    labels of their copies count there. What cannot run is said before anything is trained; an experiment that
    cannot, or that fails, is a row that says why. `models/study.csv` and `models/study.png` are written after
    each.

    A network without the class `uncertain` decides by a threshold (`stages.uncertain`); here each photo is
    decided by a threshold that was fitted on others.

    Args:
        params: The experiments, and the parameters that they share.
        workspace: Where photos, labels and models are.

    Returns:
        The rows in the order of the experiments.

    Raises:
        FercompError: The index of photos is missing, or a GPU that is asked for.
    """
    choose_device(params.machine.device)
    plans = {name: params.plan(name) for name in params.experiments}
    problems = what_cannot_run(plans, workspace)
    for name, problem in problems.items():
        say(f"{name} cannot run and is left out: {problem}")
    to_train = {
        name: plan
        for name, plan in plans.items()
        if name not in problems and not _is_trained(STUDY_PREFIX + name, plan, workspace)
    }
    if to_train:
        say_how_long(to_train, PHOTOS.read(workspace.photos))
    agreed = agreed_photos(workspace)
    kaggle = kaggle_scores(workspace)
    rows: list[StudyRow] = []
    for number, (name, plan) in enumerate(plans.items(), start=1):
        say(f"{number}/{len(plans)} {name}")
        public, private = kaggle.get(STUDY_PREFIX + name, (math.nan, math.nan))
        if name in problems:
            row = StudyRow(name, problem=problems[name])
        else:
            row = _row(name, plan, params, workspace, agreed)
        rows.append(replace(row, kaggle_public=public, kaggle_private=private))
        _write(rows, workspace)
    return rows


def agreed_photos(workspace: Workspace) -> set[str]:
    """Returns the photos whose given label nobody doubts.

    Their given label is the one that `relabel` suggests for them: what copies of the picture, the networks
    that were not trained on it, and a reviewer come to together. Without such suggestions, none.
    """
    if not workspace.labels.is_file():
        say(f"no scores on agreed labels: {workspace.labels} not found; {LABELS.remedy}")
        return set()
    labels = LABELS.read(workspace.labels)
    return set(labels.loc[labels["emotion"] == labels["suggested"], "image_path"])


def _is_trained(name: str, plan: Plan, workspace: Workspace) -> bool:
    return is_trained(workspace.bundle(name), plan, read_photos(plan.train, workspace), workspace)


def _row(name: str, plan: Plan, params: Params, workspace: Workspace, agreed: set[str]) -> StudyRow:
    try:
        train_experiment(STUDY_PREFIX + name, plan, workspace, announced=True)
        folder = workspace.bundle(STUDY_PREFIX + name)
        if UNCERTAIN not in read_card(folder).classes:
            settle_uncertain(folder, params.uncertain)
        card = read_card(folder)
        table, probabilities, labels = read_holdout(folder, card)
        answers = holdout_answers(card, probabilities, labels)
        predict_test(folder, workspace, params.predict, params.machine)
        written = write_submission(folder, workspace)
    except FercompError as error:
        say(f"{name} failed: {error}")
        return StudyRow(name, problem=str(error))
    right = answers == labels
    chosen = table["image_path"].isin(agreed).to_numpy()
    return StudyRow(
        name,
        accuracy=float(right.mean()),
        photos=len(right),
        macro_f1=macro_f1(answers, labels),
        agreed=float(right[chosen].mean()) if chosen.any() else math.nan,
        agreed_n=int(chosen.sum()),
        submission=str(written.path),
    )


def _write(rows: Sequence[StudyRow], workspace: Workspace) -> None:
    import pandas as pd

    write_csv(pd.DataFrame([asdict(row) for row in rows]), workspace.models / "study.csv")
    scored = [row for row in rows if not row.problem]
    if scored:
        names = [row.experiment for row in scored]
        accuracy, agreed = (np.array([getattr(row, n) for row in scored]) for n in ("accuracy", "agreed"))
        photos, agreed_n = (np.array([getattr(row, n) for row in scored]) for n in ("photos", "agreed_n"))
        scores = {"all holdout photos": (accuracy, photos), "agreed labels": (agreed, agreed_n)}
        plot_study(names, scores, workspace.models / "study.png")


def study_table(rows: Sequence[StudyRow], console: "Console") -> "Table":
    """Lays the study out for a terminal, as it has room."""
    lines = []
    for row in rows:
        scores = (row.accuracy, row.agreed, row.macro_f1, row.kaggle_public, row.kaggle_private)
        cells = ("" if math.isnan(value) else f"{value:.4f}" for value in scores)
        lines.append((row.experiment, *cells, row.submission or "failed"))
    columns = numbers("accuracy", "agreed", "macro-F1", "public", "private")
    columns = texts("experiment") | columns | texts("submission")
    return fitting_table(columns, lines, ("submission", "private", "public", "macro-F1"), console)
