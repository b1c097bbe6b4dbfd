"""The top of a leaderboard, and one's own place on it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final

from pydantic import Field, ValidationError

from fercomp.core.errors import FercompError
from fercomp.core.files import write_json
from fercomp.core.params import Group
from fercomp.core.paths import Workspace
from fercomp.core.progress import waiting
from fercomp.core.reading import first_problem, is_there, read_json
from fercomp.kaggle.client.answers import Place
from fercomp.kaggle.client.competition import connect
from fercomp.kaggle.submissions.allowed import ask_about

DEEPEST_PLACE: Final = 2_000
"""Places down to which the leaderboard is read for one's own: ten pages."""

_LARGEST: Final = 2**16  # bytes
_REMEDY: Final = "remove it, or run `fercomp leaderboard` again"


@dataclass(frozen=True)
class Standing:
    """A part of the leaderboard.

    Attributes:
        top: The best places with their ranks, from 1.
        own: One's own, `None` where the team is not on the leaderboard.
        team: Name of one's own team, empty where it has not submitted.
        rank: One's own, from 1, also where it is too far down to be read; `None` where there is none.
        teams: How many teams there are.
    """

    top: list[tuple[int, Place]]
    own: tuple[int, Place] | None
    team: str
    rank: int | None
    teams: int


def read_leaderboard(competition: str, top: int) -> Standing:
    """Asks Kaggle for the leaderboard, as far down as is needed.

    The own team is known by the name that its newest submission carries, since the leaderboard does not say
    who is asking; where two teams share a name, the better one is taken.

    Args:
        competition: The last part of the competition's address.
        top: How many of the best to return.

    Raises:
        FercompError: Kaggle refuses or does not answer.
    """
    with connect(competition) as kaggle, waiting("reading the leaderboard"):
        team = next((sent.team for sent in kaggle.submissions() if sent.team), "")
        about = ask_about(kaggle)
        rank = about.rank if about else 0
        far = max(top, rank if rank <= DEEPEST_PLACE else 0) if about and about.teams else None
        ranked = list(islice(enumerate(kaggle.leaderboard(), start=1), far))
    own = next((place for place in ranked if team and place[1].team == team), None)
    teams = max(len(ranked), about.teams if about else 0)
    return Standing(ranked[:top], own, team, own[0] if own else rank or None, teams)


class KeptStanding(Group):
    """One's own place as it was when it was last asked for, without the others', kept for `report`.

    Attributes:
        competition: The last part of the competition's address.
        time: When it was asked for, ISO 8601, UTC.
        team: Name of one's own team, empty where it had not submitted.
        rank: From 1; `None` where there was none.
        teams: How many there were.
    """

    competition: str
    time: str
    team: str
    rank: Annotated[int, Field(ge=1)] | None
    teams: Annotated[int, Field(ge=0)]


def keep_standing(standing: Standing, competition: str, workspace: Workspace) -> None:
    """Writes one's own place to `submissions/standing.json`."""
    kept = KeptStanding(
        competition=competition,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        team=standing.team,
        rank=standing.rank,
        teams=standing.teams,
    )
    write_json(workspace.standing, kept.model_dump())


def read_standing(workspace: Workspace) -> KeptStanding | None:
    """Reads it; `None` where it was never asked for.

    Raises:
        FercompError: The file is damaged.
    """
    if not is_there(workspace.standing):
        return None
    try:
        return KeptStanding.model_validate(read_json(workspace.standing, _LARGEST, _REMEDY))
    except ValidationError as error:
        raise FercompError(f"{workspace.standing} is damaged ({first_problem(error)}): {_REMEDY}") from error
