"""`fercomp submissions`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from fercomp.cli.options import AsJson, Set, open_workspace
from fercomp.cli.words import say_next, tell, tell_json

if TYPE_CHECKING:
    from fercomp.kaggle.submissions.merged import Submission


def submissions(
    final: Annotated[
        bool,
        typer.Option("--final", help="What is selected to count in the end, and what scores would propose."),
    ] = False,
    as_json: AsJson = False,
    set_: Set = None,
) -> None:
    """Show what the team has sent to Kaggle: the holdout's accuracy beside public and private score.

    Kaggle's list and submissions/history.csv in one table, those of team mates and of the web, too. Without
    credentials, or without a network, the record is shown as it is. Draws scores against the holdout in
    submissions/history.png.

    \b
    Examples:
      fercomp submissions
      fercomp submissions --final
      fercomp submissions --json
    """
    from fercomp.core.errors import FercompError
    from fercomp.core.progress import say
    from fercomp.core.terminal import console, show
    from fercomp.kaggle.client.answers import Sent
    from fercomp.kaggle.submissions.history import history_rows
    from fercomp.kaggle.submissions.merged import merge_submissions
    from fercomp.kaggle.submissions.refresh import refresh, selected
    from fercomp.report.submissions import draw_history, submissions_table

    workspace, params = open_workspace(set_)
    competition = params.fetch.competition
    rows = history_rows(workspace)
    listed: list[Sent] = []
    unknown: FercompError | None = None
    try:
        listed = refresh(workspace, competition)
        rows = history_rows(workspace)
    except FercompError as error:
        unknown = error
        say(f"as of the last time, since Kaggle could not be asked: {unknown}")
    every = merge_submissions(rows, listed)
    if as_json:
        refs = {str(sent.ref) for sent in selected(competition)} if final else {one.ref for one in every}
        tell_json([asdict(one) for one in every if one.ref in refs])
    elif not every:
        tell("nothing was sent from here" if unknown else "the team has sent nothing")
        say_next("fercomp submit")
    elif final:
        _tell_final(every, competition)
    else:
        show(submissions_table(every, console()))
        if draw_history(workspace):
            tell(f"Look at {workspace.history_plot}")


def _tell_final(every: "list[Submission]", competition: str) -> None:
    """Says what is selected to count in the end, and what scores would propose."""
    from fercomp.core.terminal import console, show
    from fercomp.kaggle.client.refusals import PAGE
    from fercomp.kaggle.submissions.refresh import selected
    from fercomp.report.submissions import proposals, submissions_table

    chosen = {str(sent.ref) for sent in selected(competition)}
    if chosen:
        tell("selected at Kaggle:")
        show(submissions_table([one for one in every if one.ref in chosen], console()))
    else:
        tell("nothing is selected at Kaggle, which then takes the best public scores")
    tell(*proposals(every))
    tell(f"Select at {PAGE}/{competition}/submissions")
