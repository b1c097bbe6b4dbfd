"""`fercomp train`."""

from typing import Annotated

import typer

from fercomp.cli.on_kaggle import run_on_kaggle
from fercomp.cli.options import BackboneName, Force, NoWait, OnKaggle, Set, Yes, open_workspace
from fercomp.cli.words import say_next, scored, tell, to_kaggle


def train(
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Name of the experiment.", show_default="the backbone's name"),
    ] = None,
    backbone: BackboneName = None,
    set_: Set = None,
    force: Force = False,
    on: OnKaggle = None,
    yes: Yes = False,
    no_wait: NoWait = False,
) -> None:
    """Train a network and write it to models/NAME.

    Stopped by Ctrl-C or killed, the same command goes on after the last finished epoch. A network that is
    trained already is not trained again: where `inference` differs, it is exported, calibrated and scored
    anew. Over several hosts, start it on each (docs/how-to/several-machines.md).

    \b
    Examples:
      fercomp train
      fercomp train --backbone facenet
      fercomp train --backbone convnext_xlarge
      fercomp train --backbone mobilenet_v3_small --set train.weights=none --set train.size=96
      fercomp train --name wide --set train.epochs=30
      fercomp train --backbone convnext_xlarge --on kaggle
    """
    from fercomp.core.progress import say
    from fercomp.modeling.backbones.names import check_backbone_name
    from fercomp.modeling.backend.hosts import asked_hosts
    from fercomp.stages.at_kaggle.jobs import train_job
    from fercomp.stages.train import train_experiment
    from fercomp.stages.train_distributed import train_distributed

    workspace, params = open_workspace(set_)
    name = name or backbone or params.train.backbone
    plan = params.plan(name, backbone)
    check_backbone_name(plan.train.backbone)  # before whatever else is missing
    if plan.train.needs_crossval and not set_ and name in params.experiments:
        say(
            f"{workspace.params}: {name} learns what `crossval` says, which `dvc repro` makes, and sees "
            "change, for experiments under `relabelled` only: move it there"
        )
    hosts = None if on else asked_hosts()
    if on:
        job = train_job(name, backbone, set_ or (), params, workspace)
        if not run_on_kaggle(job, yes, no_wait, anew=force):
            return
    elif hosts is None:
        train_experiment(name, plan, workspace, anew=force)
    elif train_distributed(hosts, name, plan, workspace, anew=force) is None:
        tell(f"process {hosts.number} of {hosts.count}: trained; process 0 writes {workspace.bundle(name)}")
        return
    tell(f"{workspace.bundle(name)}: {scored(workspace.bundle(name))}")
    first = (f"fercomp uncertain --model {name}", f"fercomp evaluate --model {name}")
    say_next(*first, *to_kaggle(name, workspace.submission(name)))
