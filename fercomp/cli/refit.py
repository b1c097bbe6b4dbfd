"""`fercomp refit`."""

from typing import Annotated

import typer

from fercomp.cli.completion import complete_own_model
from fercomp.cli.options import Force, read_params
from fercomp.cli.words import say_next, tell, to_kaggle


def refit(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="An experiment under models/, or a model folder.",
            autocompletion=complete_own_model,
        ),
    ],
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Name of the new model.", show_default="MODEL-refit")
    ] = None,
    force: Force = False,
) -> None:
    """Train a model once more, on the holdout's photos too: for the last CSV, when nothing is left to choose.

    Parameters are those on the model's card, and as many epochs as were best. No photo is left to
    score it on, so its card repeats MODEL's scores. After a kill, the same command continues.

    \b
    Examples:
      fercomp refit compact
      fercomp refit one && fercomp refit two
      fercomp ensemble final one-refit two-refit
    """
    from fercomp.core.paths import Workspace
    from fercomp.core.progress import say
    from fercomp.modeling.backend.hosts import asked_hosts
    from fercomp.modeling.bundle.card import read_card
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.stages.refit import refit as train_again

    if asked_hosts() is not None:
        say("refit does not share its work with other processes: it trains in this one alone")
    workspace = Workspace()
    source = resolve_model(model, workspace)
    name = name or f"{read_card(source).name}-refit"
    card = train_again(source, name, workspace, read_params(workspace.params).machine, force)
    tell(
        f"{workspace.bundle(name)}: learned from {card.trained['photos']:,} photos, the holdout's among them"
    )
    say_next(*to_kaggle(name, workspace.submission(name)))
