"""Kaggle's list of a team's submissions and one's own record, as one: team mates and the web send, too."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fercomp.kaggle.client.answers import SCORE, Sent
from fercomp.kaggle.submissions.history import scored


@dataclass(frozen=True)
class Submission:
    """A submission, as far as it is known. All is text, empty where it is not known.

    Attributes:
        ref: Kaggle's number.
        time: When it was sent, ISO 8601, UTC.
        name: The model, else the file.
        by: Who sent it, where Kaggle says so.
        holdout: The model's accuracy on the holdout, 0 to 1.
        public: Public score.
        private: Private score.
        status: `pending`, `complete` or `error`.
        message: What it was sent with.
    """

    ref: str
    time: str
    name: str
    by: str
    holdout: str
    public: str
    private: str
    status: str
    message: str


def merge_submissions(rows: Iterable[Mapping[str, str]], listed: Iterable[Sent]) -> list[Submission]:
    """Merges the record with Kaggle's list.

    Args:
        rows: The record, see `history.HISTORY_TABLE`.
        listed: What Kaggle lists; nothing where it was not asked.

    Returns:
        All submissions, the newest first.
    """
    at_kaggle = {str(sent.ref): sent for sent in listed}
    found = []
    for row in rows:
        sent = at_kaggle.pop(row["ref"], None)
        known = scored(row, sent) if sent else row
        scores = known["public"], known["private"], known["status"]
        name, by = row["experiment"] or row["file"], sent.by if sent else ""
        found.append(
            Submission(row["ref"], row["time"], name, by, row["holdout_accuracy"], *scores, row["message"])
        )
    for ref, sent in at_kaggle.items():
        scores = (sent.public, sent.private, sent.status)
        found.append(Submission(ref, sent.time, sent.file, sent.by, "", *scores, sent.message))
    return sorted(found, key=lambda one: (one.time[:19], one.ref), reverse=True)


def best_by(submissions: Iterable[Submission], attribute: str) -> Submission | None:
    """Returns the submission with the highest `holdout` or `public`, of two the older; `None` without any."""
    numbers = [(one, getattr(one, attribute)) for one in submissions if one.status != "error"]
    with_score = [one for one, number in numbers if number and re.fullmatch(SCORE, number)]
    oldest_first = sorted(with_score, key=lambda one: one.time[:19])
    return max(oldest_first, key=lambda one: float(getattr(one, attribute)), default=None)
