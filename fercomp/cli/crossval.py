"""`fercomp crossval`."""

from typing import Annotated

import typer

from fercomp.cli.on_kaggle import run_on_kaggle
from fercomp.cli.options import BackboneName, NoWait, OnKaggleOrRay, Set, Yes, open_workspace
from fercomp.cli.words import say_next, scored, tell, to_kaggle


def crossval(
    name: Annotated[
        str, typer.Option("--name", "-n", help="Name of the ensemble, a folder under models/.")
    ] = "crossval",
    backbone: BackboneName = None,
    set_: Set = None,
    on: OnKaggleOrRay = None,
    yes: Yes = False,
    no_wait: NoWait = False,
) -> None:
    """Train a network per fold, and write what each says of photos it has not seen.

    Writes models/NAME, an ensemble of the networks, with oof.csv: out-of-fold probabilities of the training
    photos. A model that learns from NAME (fercomp distill) takes those, and so does `relabel`.

    Stopped by Ctrl-C or killed, the same command goes on after the last finished epoch. Typed in a second
    terminal as well, it takes the next fold; the one that ends last joins them, the others end with exit
    code 1. With --on ray, folds are trained side by side.

    \b
    Examples:
      fercomp crossval
      fercomp crossval --backbone compact_wide --set train.epochs=16
      fercomp distill crossval
      fercomp crossval --on kaggle
      fercomp crossval --on ray
    """
    from fercomp.core.ray.cluster import require_ray
    from fercomp.modeling.backbones.names import check_backbone_name
    from fercomp.modeling.bundle.card import read_card
    from fercomp.stages.at_kaggle.jobs import crossval_job
    from fercomp.stages.crossval import cross_validate

    if on == "ray":
        require_ray()
    workspace, params = open_workspace(set_)
    plan = params.plan(name, backbone)
    check_backbone_name(plan.train.backbone)
    if on == "kaggle":
        job = crossval_job(name, backbone, set_ or (), params, workspace)
        if not run_on_kaggle(job, yes, no_wait):
            return
        card = read_card(workspace.bundle(name))
    elif (trained := cross_validate(name, plan, workspace, on == "ray")) is not None:
        card = trained
    else:
        raise typer.Exit(1)  # what comes after `&&` needs the ensemble
    tell(f"{workspace.bundle(name)}: {len(card.members)} networks, {scored(workspace.bundle(name))}")
    first = ("fercomp relabel", f"fercomp distill {name}")
    say_next(*first, *to_kaggle(name, workspace.submission(name)))
