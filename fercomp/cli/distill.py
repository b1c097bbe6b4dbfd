"""`fercomp distill`."""

import json
from typing import Annotated

import typer

from fercomp.cli.completion import complete_model
from fercomp.cli.options import BackboneName, Force, Set
from fercomp.cli.train import train


def distill(
    teachers: Annotated[
        list[str],
        typer.Argument(
            metavar="TEACHER...",
            help="Model to learn from: an experiment, or a model folder. Of several, the mean is learned.",
            autocompletion=complete_model,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            "-n",
            help="Name of the student, a folder under models/.",
            show_default="TEACHER-student",
        ),
    ] = None,
    backbone: BackboneName = None,
    set_: Set = None,
    force: Force = False,
) -> None:
    """Train a small network to give the answers of larger models.

    The same as `fercomp train` with train.teacher; train.teacher_weight is the teachers' share in what is
    learned, the given label has the rest (Hinton et al., 2015).

    \b
    Examples:
      fercomp distill vote
      fercomp distill crossval wide-crossval --name student
      fercomp distill vote --name student --backbone compact --set train.teacher_weight=0.9
    """
    from fercomp.core.errors import FercompError
    from fercomp.core.paths import Workspace
    from fercomp.modeling.bundle.find import resolve_model

    workspace = Workspace()
    folders = [resolve_model(teacher, workspace).resolve() for teacher in teachers]
    name = name or f"{'-'.join(folder.name for folder in folders)}-student"
    if workspace.bundle(name).resolve() in folders:
        raise FercompError(f"the student {name} would take its teacher's place: choose another --name")
    # JSON is YAML too, and quotes what YAML would take for something other than text.
    named = json.dumps(teachers if len(teachers) > 1 else teachers[0], ensure_ascii=False)
    train(name, backbone, [*(set_ or ()), f"train.teacher={named}"], force)
