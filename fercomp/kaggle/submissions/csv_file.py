"""Kaggle CSVs: built from probabilities, checked against the sample before they are written."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_table import Table, existing, header_of
from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.progress import count
from fercomp.core.reading import is_there
from fercomp.core.tables import PROBLEMS, pred_probs, prediction_table
from fercomp.data.competition_files import TEST_FOLDER
from fercomp.data.own_form import own_form, own_sample
from fercomp.decisions.rule import labels_among
from fercomp.modeling.bundle.card import read_card
from fercomp.modeling.bundle.find import CAME_ALONG, output_name

if TYPE_CHECKING:
    import pandas as pd

SUBMISSION: Final = Table(
    {"image_path": "str", "emotion": "str"},
    "run `fercomp fetch`, or `fercomp submission` for a CSV of your own",
)


@dataclass(frozen=True)
class Written:
    """What `write_submission` did.

    Attributes:
        path: The CSV.
        rows: Its number of rows.
        filled: Rows with the sample's own answer, because the photo is missing or could not be read.
        top: The most frequent answer.
    """

    path: Path
    rows: int
    filled: int
    top: str


def write_submission(folder: Path, workspace: Workspace) -> Written:
    """Writes the submission of a model from its test probabilities.

    Args:
        folder: The bundle.
        workspace: Where the probabilities and the sample are, and the submission goes.

    Returns:
        What was written.

    Raises:
        FercompError: A table is missing, they do not fit each other, or there is no answer for a photo that
            can be read; nothing is written then.
    """
    import pandas as pd

    card, name = read_card(folder), output_name(folder, workspace)
    predicted = workspace.test_probabilities(name)
    model = name if folder in (workspace.bundle(name), *CAME_ALONG.values()) else folder
    predict = f"`fercomp predict --model {shlex.quote(str(model))}`"
    if not is_there(existing(predicted)):
        raise FercompError(f"{predicted} not found: run {predict}")
    table = prediction_table(card.classes).read(predicted)
    sample = SUBMISSION.read(workspace.sample_submission)
    form = own_form(workspace.raw)
    ids = table["image_path"].str.removeprefix(f"{TEST_FOLDER}/")
    probs = pred_probs(table, card.classes)
    answers = labels_among(card.rule, probs, form.names) if form else card.rule.labels(probs)
    labels = pd.Series(answers, index=ids)
    submission, filled = build_submission(labels, sample)
    lacking = [path for path in sample["image_path"] if path not in labels.index]
    if strange := _readable(lacking, workspace):
        raise FercompError(
            f"{predicted} has no answer for {count(len(strange), 'photo')} of {len(sample):,} that can be "
            f"read, such as {strange[0]!r}: run `fercomp prepare`, then {predict} again"
        )
    path = workspace.submission(name)
    check_submission(submission, sample, path)
    if form:
        form.write(submission, workspace.raw, path)
    else:
        check_header(list(SUBMISSION.columns), workspace, path)
        SUBMISSION.write(submission, path)
    return Written(path, len(submission), filled, submission["emotion"].mode()[0])


def _readable(ids: list[str], workspace: Workspace) -> list[str]:
    """Returns the test photos that are on disk and that `prepare` did not leave out."""
    left_out: set[str] = set()
    if is_there(workspace.problems):
        problems = PROBLEMS.read(workspace.problems)
        left_out |= set(problems.loc[problems["reason"] != "truncated_used", "image_path"])
    paths = {name: f"{TEST_FOLDER}/{name}" for name in ids}
    return [name for name in ids if paths[name] not in left_out and (workspace.raw / paths[name]).exists()]


def build_submission(labels: "pd.Series", sample: "pd.DataFrame") -> "tuple[pd.DataFrame, int]":
    """Brings labels into the order of the sample submission.

    Args:
        labels: Labels by the photo's id, as in the sample's `image_path`.
        sample: Table `SUBMISSION`: the competition's example.

    Returns:
        The submission, and how many of its rows have the sample's own answer because the photo could
        not be read.

    Raises:
        FercompError: There is a label for a photo that the sample does not list, or for none that it does,
            or two for one photo.
    """
    if labels.index.has_duplicates:
        twice = labels.index[labels.index.duplicated()][0]
        raise FercompError(f"{twice!r} was predicted twice: run `fercomp predict` again")
    unknown = labels.index[~labels.index.isin(sample["image_path"])]
    if len(unknown):
        raise FercompError(
            f"{len(unknown):,} predicted photos are not in the sample submission, such as {unknown[0]!r}: "
            "run `fercomp prepare` and `fercomp predict` again on the same data"
        )
    emotion = sample["image_path"].map(labels)
    filled = int(emotion.isna().sum())
    if filled == len(sample):
        raise FercompError("no photo of the sample submission was predicted: run `fercomp predict` again")
    return sample.assign(emotion=emotion.fillna(sample["emotion"])), filled


def read_submission(path: Path, workspace: Workspace) -> "pd.DataFrame":
    """Reads a submission that somebody wrote, in the competition's own form.

    Returns:
        Table `SUBMISSION`.

    Raises:
        FercompError: It is no such table.
    """
    form = own_form(workspace.raw)
    return form.read(path, workspace.raw) if form else SUBMISSION.read(path)


def check_header(header: list[str], workspace: Workspace, name: str | Path) -> None:
    """Checks that a submission has the sample's columns, in its order and no more: Kaggle counts every one.

    Args:
        header: The submission's first line.
        workspace: Where the sample is, which has been read.
        name: What the submission is called in an error.

    Raises:
        FercompError: It has an index, a column twice or in another place, or a comma too many.
    """
    sample = own_sample(workspace.raw)
    expected = header_of(sample)
    if header != expected:
        raise FercompError(
            f"{name} has the columns {header}, {sample.name} has {expected}: write it as the sample is, "
            "without an index"
        )


def check_submission(submission: "pd.DataFrame", sample: "pd.DataFrame", name: str | Path) -> None:
    """Checks that Kaggle will take a submission.

    Args:
        submission: Table `SUBMISSION`.
        sample: Table `SUBMISSION`: the competition's example.
        name: What the submission is called in an error.

    Raises:
        FercompError: It has other ids, another order or another class than the competition knows.
    """
    ids, expected = submission["image_path"].tolist(), sample["image_path"].tolist()
    if ids != expected:
        if len(ids) != len(expected):
            what = f"{len(ids):,} rows, {len(expected):,} were expected"
        elif sorted(ids) == sorted(expected):
            what = "the right ids in another order"
        else:
            row = next(i for i, (a, b) in enumerate(zip(ids, expected, strict=True)) if a != b)
            what = f"id {ids[row]!r} in row {row + 1}, {expected[row]!r} was expected"
        raise FercompError(f"{name} does not match sample_submission.csv: it has {what}")
    strange = sorted(set(submission["emotion"]) - set(EMOTIONS))
    if strange:
        raise FercompError(f"{name} has unknown classes {strange}: known are {', '.join(EMOTIONS)}")
