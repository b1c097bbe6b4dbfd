"""`fercomp study`."""

import shlex

import typer

from fercomp.cli.options import Set, read_params
from fercomp.cli.words import say_next, tell


def study(set_: Set = None) -> None:
    """Run the experiments of params.study.yaml and compare them on given and on agreed labels.

    Each is trained into models/study-NAME, decided, and written as a Kaggle CSV. What is finished is not
    trained again; stopped by Ctrl-C or killed, the same command goes on. Writes models/study.csv and
    models/study.png after each. What cannot run is said first. Exit code 1 where one was left out or
    failed.

    \b
    Examples:
      fercomp study
      fercomp study --set train.epochs=8
    """
    from fercomp.core.errors import FercompError
    from fercomp.core.paths import Workspace
    from fercomp.core.reading import is_there
    from fercomp.core.terminal import console, show
    from fercomp.stages.study import run_study, study_table

    workspace = Workspace()
    if not is_there(workspace.study_params):
        raise FercompError(f"{workspace.study_params} not found: it lists experiments as params.yaml does")
    rows = run_study(read_params(workspace.study_params, set_), workspace)
    show(study_table(rows, console()))
    if agreed := max(row.agreed_n for row in rows):
        tell(f"agreed: accuracy on the {agreed:,} holdout photos whose given label is the suggested one")
    failed = [row for row in rows if row.problem]
    tell(*(f"{row.experiment} failed: {row.problem}" for row in failed))
    tell(f"Look at {workspace.models / 'study.png'}; the table is {workspace.models / 'study.csv'}")
    if written := [row for row in rows if not row.problem]:
        best = max(written, key=lambda row: row.accuracy)
        say_next(f"fercomp submit {shlex.quote(best.submission)}")
    if failed:
        raise typer.Exit(1)
