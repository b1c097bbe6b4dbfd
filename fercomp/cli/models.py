"""`fercomp models`."""

import json
from typing import Annotated

import typer


def models(
    as_json: Annotated[
        bool, typer.Option("--json", help="Write all that is known as JSON, a list of one object a model.")
    ] = False,
) -> None:
    """Show every model, the newest first: its worth on the holdout, size, speed, CSV and public score.

    The interval holds the true accuracy in 95 of 100 cases (Wilson). Speed is there for what `fercomp bench`
    has measured. Where the terminal is too narrow, the less important columns are left out.

    \b
    Examples:
      fercomp models
      fercomp models --json
    """
    from fercomp.core.paths import Workspace
    from fercomp.core.terminal import console, show
    from fercomp.stages.models import list_models, models_table

    workspace = Workspace()
    rows = list_models(workspace)
    if as_json:
        typer.echo(json.dumps([row.as_json() for row in rows], indent=2))
        return
    show(models_table(rows, console()))
    if any(row.before_refit for row in rows):
        typer.echo("* before `fercomp refit`: the model has learned from the holdout since")
    if any(row.csv == "old" for row in rows):
        typer.echo("old: the CSV is older than the model; next: fercomp predict and submission --model NAME")
    if len(rows) == 1:
        typer.echo(f"none of your own in {workspace.models} yet; next: fercomp train")
