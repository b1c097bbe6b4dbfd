"""`fercomp distill`."""

import json
from typing import Annotated

import typer

from fercomp.cli.options import BackboneName, Set
from fercomp.cli.train import train


def distill(
    teacher: Annotated[str, typer.Argument(help="Model to learn from: an experiment, or a model folder.")],
    name: Annotated[str, typer.Option("--name", "-n", help="Name of the student, a folder under models/.")],
    backbone: BackboneName = None,
    set_: Set = None,
) -> None:
    """Train one small network on what a large one, or an ensemble, says of the training photos.

    The same as `fercomp train` with train.teacher; train.teacher_weight is the teacher's share in what is
    learned, the given label has the rest (Hinton et al., 2015).

    \b
    Examples:
      fercomp distill vote --name student
      fercomp distill vote --name student --backbone compact --set train.teacher_weight=0.9
    """
    from fercomp.core.errors import FercompError
    from fercomp.core.paths import Workspace
    from fercomp.modeling.card import resolve_model

    workspace = Workspace()
    if resolve_model(teacher, workspace).resolve() == workspace.bundle(name).resolve():
        raise FercompError(f"the student {name} would take its teacher's place: choose another --name")
    # JSON is YAML too, and quotes what YAML would take for something other than text.
    train(name, backbone, [*(set_ or ()), f"train.teacher={json.dumps(teacher, ensure_ascii=False)}"])
