"""What Kaggle answers, as far as fercomp uses it. Texts are those of strangers: made fit for a terminal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from fercomp.kaggle.client.refusals import printable

SCORE: Final = r"([-+]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][-+]?[0-9]{1,2})?)?"
"""Regular expression of a score, a finite number, or nothing."""

Status = Literal["pending", "complete", "error"]


@dataclass(frozen=True)
class Sent:
    """A submission as Kaggle lists it.

    Attributes:
        ref: Its number.
        time: When Kaggle got it, ISO 8601, UTC.
        message: What it was sent with.
        status: `pending` until it is scored; `error` where Kaggle rejected it.
        public: Public score as Kaggle writes it, empty where there is none, or none that is a finite number.
        private: Private score, likewise.
        problem: Why it was rejected.
        team: Name of the team that sent it.
        by: Who of the team sent it.
        file: What the file was called.
    """

    ref: int
    time: str
    message: str
    status: Status
    public: str
    private: str
    problem: str
    team: str
    by: str = ""
    file: str = ""


@dataclass(frozen=True)
class About:
    """What a competition is like, as far as a submission depends on it.

    Attributes:
        notebooks_only: It takes no CSV.
        closed: It takes no submissions.
        entered: This account has accepted its rules.
        deadline: When it ends, in UTC, `None` where that is not told.
        teams: How many there are, 0 where that is not told.
        rank: Place of one's own team, from 1; 0 where it has none.
    """

    notebooks_only: bool
    closed: bool
    entered: bool
    deadline: datetime | None
    teams: int
    rank: int


@dataclass(frozen=True)
class Limits:
    """How often may still be submitted.

    Attributes:
        left: Submissions possible now, `None` where Kaggle does not say so before the first one.
        today: Submissions of today.
        for_good: The limit is one of the whole competition, not of the day.
    """

    left: int | None
    today: int
    for_good: bool


@dataclass(frozen=True)
class Place:
    """A line of the leaderboard: the team, its score as Kaggle writes it, and when it was sent (ISO 8601)."""

    team: str
    score: str
    time: str


def whole(number: Any, digits: int = 18) -> int:
    """Reads a whole number from 0, which JSON may have as a text; 0 where it is none, or longer."""
    written = printable(number)
    return int(written) if re.fullmatch(f"[0-9]{{1,{digits}}}", written) else 0


def read_sent(entry: Any) -> Sent:
    """Reads the client's `ApiSubmission`."""
    status: Mapping[str, Status] = {"PENDING": "pending", "COMPLETE": "complete", "ERROR": "error"}
    return Sent(
        ref=whole(entry.ref),
        time=read_time(entry.date),
        message=printable(entry.description),
        status=status.get(entry.status.name, "pending"),
        public=_score(entry.public_score),
        private=_score(entry.private_score),
        problem=printable(entry.error_description),
        team=printable(entry.team_name),
        by=printable(entry.submitted_by),
        file=printable(entry.file_name),
    )


def read_about(entry: Any) -> About:
    """Reads the client's `ApiCompetition`."""
    return About(
        notebooks_only=entry.is_kernels_submissions_only is True,
        closed=entry.submissions_disabled is True,
        entered=entry.user_has_entered is True,
        deadline=entry.deadline.replace(tzinfo=UTC) if entry.deadline else None,
        teams=whole(entry.team_count),
        rank=whole(entry.user_rank),
    )


def read_limits(entry: Any) -> Limits:
    """Reads the client's `ApiGetSubmissionLimitsResponse`.

    Zeros only: the account is not on a team yet (docstring of `competition_get_submission_limits`).
    """
    today, total, left = map(whole, (entry.num_today, entry.num_total, entry.num_allowed_now))
    unknown = not (today or total or left)
    return Limits(None if unknown else left, today, entry.limited_by_total is True)


def _score(text: object) -> str:
    score = printable(text)
    return score if re.fullmatch(SCORE, score) else ""


def read_time(moment: Any) -> str:
    """Writes the client's time, which is in UTC, as ISO 8601; empty where there is none."""
    return moment.isoformat(timespec="seconds") if moment else ""
