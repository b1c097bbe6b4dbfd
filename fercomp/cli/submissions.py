"""`fercomp submissions`."""

from fercomp.cli.options import Set, read_params
from fercomp.cli.words import say_next, tell


def submissions(set_: Set = None) -> None:
    """Show what was sent to Kaggle: the holdout's accuracy beside public and private score.

    Scores are asked for where there are credentials; without, or without a network, the record is shown as
    it is. Draws them against the holdout in submissions/history.png.

    \b
    Examples:
      fercomp submissions
    """
    from fercomp.core.errors import FercompError
    from fercomp.core.paths import Workspace
    from fercomp.core.progress import say
    from fercomp.core.terminal import show
    from fercomp.kaggle.history import read_history
    from fercomp.kaggle.refresh import refresh
    from fercomp.report.submissions import draw_history, history_table

    workspace = Workspace()
    competition = read_params(workspace.params, set_).fetch.competition
    if read_history(workspace).empty:
        tell("nothing was sent from here")
        say_next("fercomp submit")
        return
    try:
        refresh(workspace, competition)
    except FercompError as error:
        say(f"as of the last time, since the scores could not be asked for: {error}")
    show(history_table(read_history(workspace)))
    if draw_history(workspace):
        tell(f"Look at {workspace.history_plot}")
