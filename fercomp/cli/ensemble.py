"""`fercomp ensemble`."""

from typing import Annotated, Literal

import typer

from fercomp.cli.completion import complete_own_model
from fercomp.cli.options import read_params
from fercomp.cli.words import say_next, scored, tell, to_kaggle


def ensemble(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the ensemble, a new folder under models/.")
    ],
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL MODEL...",
            help="Models under models/, or model folders.",
            show_default="ensembles.NAME of params.yaml",
            autocompletion=complete_own_model,
        ),
    ] = None,
    weights: Annotated[
        Literal["equal", "models", "fitted"] | None,
        typer.Option(
            help=(
                "`equal`: every network counts the same (soft vote). `models`: every MODEL counts the same, "
                "however many networks it has. `fitted`: the least log-loss on oof.csv, else on the holdout."
            ),
            show_default="equal, or as in params.yaml",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the ensemble that has this name.")] = False,
) -> None:
    """Join models into one that averages their probabilities, and write it to models/NAME.

    An ensemble is a model like any other for evaluate, predict, submission and annotate. It may be one of the
    MODELs, too: then its networks take part. All must have been trained on the same index of photos. One that
    params.yaml lists is built anew each time; where MODELs are named, an ensemble that is there stays without
    --force.

    \b
    Examples:
      fercomp ensemble vote compact wide deep
      fercomp ensemble best compact wide deep --weights fitted
      fercomp ensemble three vote deeper
    """
    from fercomp.core.errors import FercompError
    from fercomp.core.paths import Workspace
    from fercomp.modeling.bundle.card import MEMBERS, read_card
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.stages.ensemble import build_ensemble, networks_of

    workspace = Workspace()
    entry = None if models else read_params(workspace.params).ensembles.get(name)
    if not models and entry is None:
        raise FercompError(
            f"of what is {name} made? Type `fercomp ensemble {name} MODEL MODEL`, or write it under "
            f"ensembles in {workspace.params}"
        )
    members = entry.members if entry else models or ()
    weights = weights or (entry.weights if entry else "equal")
    folders = [resolve_model(model, workspace) for model in members]
    card = build_ensemble(name, folders, weights, workspace, replace=force or entry is not None)
    folder = workspace.bundle(name)
    for member in card.members:
        alone = read_card(folder / MEMBERS / member.name).scores.get("accuracy", float("nan"))
        tell(f"{member.name}: weight {member.weight:.3f}, holdout accuracy {alone:.4f}")
    networks = sum(len(networks_of(model)) for model in folders)
    if left_out := networks - len(card.members):
        tell(f"{left_out} of {networks} networks would have next to no weight and are left out")
    tell(f"{folder}: {scored(folder)}")
    say_next(f"fercomp evaluate --model {name}", *to_kaggle(name, workspace.submission(name)))
