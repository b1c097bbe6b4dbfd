"""The top of a leaderboard, and one's own place on it."""

from dataclasses import dataclass
from itertools import islice
from typing import Final

from fercomp.core.progress import waiting
from fercomp.kaggle.client.answers import Place
from fercomp.kaggle.client.competition import connect
from fercomp.kaggle.submissions.allowed import ask_about

DEEPEST_PLACE: Final = 2_000
"""Places down to which the leaderboard is read for one's own: ten pages."""


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
