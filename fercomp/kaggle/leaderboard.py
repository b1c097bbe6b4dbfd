"""The top of a leaderboard, and one's own place on it."""

from dataclasses import dataclass

from fercomp.kaggle.answers import Place
from fercomp.kaggle.client import connect


@dataclass(frozen=True)
class Standing:
    """A part of the leaderboard.

    Attributes:
        top: The best places with their ranks, from 1.
        own: One's own, `None` where the team is not on the leaderboard.
        team: Name of one's own team, empty where it has not submitted.
        teams: How many teams there are.
    """

    top: list[tuple[int, Place]]
    own: tuple[int, Place] | None
    team: str
    teams: int


def read_leaderboard(competition: str, top: int) -> Standing:
    """Asks Kaggle for the leaderboard.

    The own team is known by the name that its newest submission carries, since the leaderboard does not say
    who is asking; where two teams share a name, the better one is taken.

    Args:
        competition: The last part of the competition's address.
        top: How many of the best to return.

    Raises:
        FercompError: Kaggle refuses or does not answer.
    """
    with connect(competition) as kaggle:
        team = next((sent.team for sent in kaggle.submissions() if sent.team), "")
        ranked = list(enumerate(kaggle.leaderboard(), start=1))
    own = next((place for place in ranked if team and place[1].team == team), None)
    return Standing(ranked[:top], own, team, len(ranked))
