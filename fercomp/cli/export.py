"""`fercomp export`."""

from pathlib import Path
from typing import Annotated

import typer

from fercomp.cli.options import Model


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write.")],
    model: Model = None,
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="Name of the copy.", show_default="the model's own"),
    ] = None,
    float16: Annotated[
        bool, typer.Option("--float16", help="Store weights as float16: half the size, the same speed.")
    ] = False,
) -> None:
    """Copy what a model needs to run, to hand it on.

    The copy is a few megabytes: the card and the inference graph. Another machine needs fercomp and this
    folder: `fercomp annotate photos/ --model DIR`.

    \b
    Examples:
      fercomp export mine/ --model compact
      fercomp export ~/usb/vote --model vote --name friday --float16
    """
    from fercomp.core.paths import Workspace
    from fercomp.modeling.card import resolve_model
    from fercomp.modeling.exporting import export_model

    size = export_model(resolve_model(model, Workspace()), folder, name, float16)
    typer.echo(f"{folder}: {size / 1e6:.1f} MB; fercomp annotate PHOTOS --model {folder}")
