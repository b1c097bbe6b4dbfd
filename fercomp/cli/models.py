"""`fercomp models`."""

from dataclasses import asdict
from typing import Annotated

import typer

from fercomp.cli.completion import complete_model
from fercomp.cli.options import AsJson
from fercomp.cli.words import say_next, tell, tell_json


def models(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|DIR",
            help="Show the card of this model.",
            show_default="all of them",
            autocompletion=complete_model,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every model, the newest first: its worth on the holdout, size, speed, CSV and public score.

    The interval holds the true accuracy in 95 of 100 cases (Wilson), the range the score on Kaggle's private
    part in 9 of 10; `fercomp evaluate` says more. Speed is there for what `fercomp bench` has measured. Where
    the terminal is too narrow, the less important columns are left out. With NAME, shows what that model is,
    learned from and scored, and what it is not for.

    \b
    Examples:
      fercomp models
      fercomp models shipped
      fercomp models --json
    """
    from fercomp.core.paths import Workspace
    from fercomp.core.terminal import console, show, show_markdown
    from fercomp.modeling.bundle.find import CAME_ALONG, resolve_model
    from fercomp.modeling.bundle.model_card import model_card
    from fercomp.report.model_table import models_remarks, models_table
    from fercomp.stages.expected import choice
    from fercomp.stages.models import list_models

    workspace = Workspace()
    if name is not None:
        show_markdown(model_card(resolve_model(name, workspace)))
        return
    rows = list_models(workspace)
    if as_json:
        tell_json([asdict(row) for row in rows])
        return
    show(models_table(rows, console()))
    for remark in models_remarks(rows):
        tell(remark)
    if (chosen := choice(workspace)) and round(chosen[1], 3):
        best, price, among = chosen
        tell(f"{best} is the best of {among} by this holdout: expect {price:.3f} less of it than shown")
    if all(row.model in CAME_ALONG for row in rows):
        tell(f"none of your own in {workspace.models} yet")
        say_next("fercomp train")
