"""`fercomp crossval`."""

from typing import Annotated

import typer

from fercomp.cli.options import BackboneName, Set, read_params
from fercomp.cli.words import say_next, scored, tell, to_kaggle


def crossval(
    name: Annotated[
        str, typer.Option("--name", "-n", help="Name of the ensemble, a folder under models/.")
    ] = "crossval",
    backbone: BackboneName = None,
    set_: Set = None,
) -> None:
    """Train a network per fold, and write what each says of photos it has not seen.

    Writes models/NAME, an ensemble of the networks, with oof.csv: out-of-fold probabilities of the training
    photos. A model that learns from NAME (fercomp distill) takes those, and so does `relabel`.

    Stopped by Ctrl-C or killed, the same command goes on after the last finished epoch. Typed in a second
    terminal as well, it takes the next fold; the one that ends last joins them, the others end with exit
    code 1.

    \b
    Examples:
      fercomp crossval
      fercomp crossval --backbone compact_wide --set train.epochs=16
      fercomp distill crossval
    """
    from fercomp.core.paths import Workspace
    from fercomp.stages.crossval import cross_validate

    workspace = Workspace()
    params = read_params(workspace.params, set_)
    card = cross_validate(name, params.plan(name, backbone), workspace)
    if card is None:
        raise typer.Exit(1)  # what comes after `&&` needs the ensemble
    tell(f"{workspace.bundle(name)}: {len(card.members)} networks, {scored(workspace.bundle(name))}")
    first = ("fercomp relabel", f"fercomp distill {name}")
    say_next(*first, *to_kaggle(name, workspace.submission(name)))
