"""The CSV that is to be sent to Kaggle: checked, and tagged; and whether its bytes were sent before."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fercomp.core.csv_table import header_of
from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.kaggle.client.answers import Sent
from fercomp.kaggle.client.competition import KernelFile
from fercomp.kaggle.submissions.csv_file import SUBMISSION, check_header, check_submission, read_submission
from fercomp.kaggle.submissions.history import Origin, find_origin, history_rows
from fercomp.modeling.bundle.find import is_compared_only

TAG_DIGITS: Final = 12
"""Hexadecimal digits of the tag: among a thousand files, two alike have a chance of 2 in a billion."""

LONGEST_MESSAGE: Final = 300
"""Characters, so that the tag at the end is never cut off."""


@dataclass(frozen=True)
class Candidate:
    """A CSV that Kaggle would take.

    Attributes:
        path: Where it is.
        content: Its bytes, which are what is sent.
        rows: Number of its rows.
        sha256: Of the bytes; for a kernel, of what it ran, since Kaggle runs it on other photos, too.
        origin: The model it comes from.
        message: What Kaggle will show, with the tag.
        kernel: Where a kernel has left it; `None` where its bytes are sent from here.
    """

    path: Path
    content: bytes = field(repr=False)
    rows: int
    sha256: str
    origin: Origin
    message: str
    kernel: KernelFile | None = None


def tag_of(sha256: str) -> str:
    """Returns what marks a submission in Kaggle's list."""
    return f"[sha256:{sha256[:TAG_DIGITS]}]"


def written_last(workspace: Workspace) -> Path:
    """Returns the newest CSV in `submissions/`, those of `bench` and `study` left out.

    Raises:
        FercompError: There is none.
    """
    found = workspace.submissions.glob("[!.]*.csv")
    csvs = [csv for csv in found if csv != workspace.history and not is_compared_only(csv.stem)]
    if not csvs:
        raise FercompError(
            f"no CSV in {workspace.submissions}: run `fercomp predict` and `fercomp submission`, or name one"
        )
    return max(csvs, key=lambda csv: (csv.stat().st_mtime, csv.name))


def choose(csv: Path | None, message: str | None, workspace: Workspace) -> Candidate:
    """Reads and checks the CSV that is to be sent.

    Args:
        csv: The file; by default see `written_last`.
        message: What Kaggle will show; by default the model's name and holdout accuracy, or the file's name.
        workspace: Where models, CSVs and the sample submission are.

    Raises:
        FercompError: There is no such file, it is not a submission of this competition, it is older than
            its model, or the message is too long.
    """
    path = csv or written_last(workspace)
    submission = read_submission(path, workspace)
    check_submission(submission, SUBMISSION.read(workspace.sample_submission), path)
    check_header(header_of(path), workspace, path)
    origin = find_origin(path, workspace)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    tagged = message_of(message, origin, path.name, digest)
    return Candidate(path, content, len(submission), digest, origin, tagged)


def message_of(message: str | None, origin: Origin, name: str, sha256: str) -> str:
    """Makes what Kaggle shows beside a submission, with the tag.

    Args:
        message: What the user wants; by default the model's name and holdout accuracy.
        origin: The model.
        name: What stands there where there is no model.
        sha256: See `Candidate`.

    Raises:
        FercompError: It is too long.
    """
    if message is None:
        accuracy = f", holdout accuracy {origin.holdout_accuracy}" if origin.holdout_accuracy else ""
        message = f"{origin.experiment or name}{accuracy}"
    message = " ".join(message.split())
    if len(message) > LONGEST_MESSAGE:
        raise FercompError(f"the message has {len(message)} characters: at most {LONGEST_MESSAGE} are sent")
    return f"{message} {tag_of(sha256)}".strip()


def same_bytes(listed: Sequence[Sent], sha256: str, workspace: Workspace) -> list[Sent]:
    """Finds the submissions of these bytes: by their tag, or by the record, since a message can be edited."""
    recorded = {row["ref"] for row in history_rows(workspace) if row["sha256"] == sha256}
    return [sent for sent in listed if tag_of(sha256) in sent.message or str(sent.ref) in recorded]


def unscored(sha256: str, workspace: Workspace) -> dict[str, str] | None:
    """Returns the record's last row of these bytes, where it waits for its score under Kaggle's number."""
    rows = [row for row in history_rows(workspace) if row["sha256"] == sha256]
    return rows[-1] if rows and rows[-1]["status"] == "pending" and rows[-1]["ref"] else None


def sent_before(candidate: Candidate, sent: Sequence[Sent]) -> FercompError:
    """Says that something was sent before, and what became of it."""
    what = "and has no score yet"
    if sent:
        newest = max(sent, key=lambda s: s.ref)
        what = f"at {newest.time}, public score {newest.public or 'not there'}, {newest.status}"
    return FercompError(
        f"{candidate.path} was sent before ({what}), and the same bytes score the same: --force sends them "
        "again once there is a score; `fercomp submissions` shows it"
    )
