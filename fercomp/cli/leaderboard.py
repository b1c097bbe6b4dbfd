"""`fercomp leaderboard`."""

from typing import Annotated

import typer

from fercomp.cli.options import Set, open_workspace
from fercomp.cli.words import say_next, tell


def leaderboard(
    top: Annotated[int, typer.Option("--top", "-n", min=1, help="How many of the best to show.")] = 10,
    set_: Set = None,
) -> None:
    """Show the best teams of the competition, and your own place.

    Your own place is kept in submissions/standing.json, for `fercomp report`.

    \b
    Examples:
      fercomp leaderboard
      fercomp leaderboard --top 50
    """
    from fercomp.core.terminal import show
    from fercomp.kaggle.submissions.leaderboard import keep_standing, read_leaderboard
    from fercomp.report.submissions import leaderboard_table

    workspace, params = open_workspace(set_)
    competition = params.fetch.competition
    standing = read_leaderboard(competition, top)
    keep_standing(standing, competition, workspace)
    show(leaderboard_table(standing))
    if standing.rank:
        tell(f"{standing.team or 'your team'} is number {standing.rank:,} of {standing.teams:,} teams")
    elif standing.team:
        tell(f"{standing.team} is not among the {standing.teams:,} teams of the leaderboard")
    else:
        tell(f"{standing.teams:,} teams; yours has no submission yet")
        say_next("fercomp submit")
