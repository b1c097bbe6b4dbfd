"""One's own place on the leaderboard as it was when it was last asked for, kept for `report`."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import Field, ValidationError

from fercomp.core.errors import FercompError
from fercomp.core.files import write_json
from fercomp.core.params import Group
from fercomp.core.paths import Workspace
from fercomp.core.reading import first_problem, is_there, read_json
from fercomp.kaggle.submissions.leaderboard import Standing

_LARGEST: Final = 2**16  # bytes
_REMEDY: Final = "remove it, or run `fercomp leaderboard` again"

_Teams = Annotated[int, Field(ge=0)]


class KeptStanding(Group):
    """One's own place, without the others'.

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
    teams: _Teams


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
