"""`fercomp export`."""

import shlex
from pathlib import Path
from typing import Annotated, Literal

import typer

from fercomp.cli.options import Model
from fercomp.cli.words import say_next, tell


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write.")],
    model: Model = None,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Name of the copy.", show_default="the model's own")
    ] = None,
    precision: Annotated[
        Literal["float16", "int8"] | None,
        typer.Option(
            "--precision",
            "-p",
            help=(
                "`float16`: half the size. `int8` quantises: a quarter of it, and half the time; needs "
                "training photos."
            ),
            show_default="as it is",
        ),
    ] = None,
) -> None:
    """Copy what a model needs to run, to hand it on.

    The copy is a few megabytes: the card and the inference graph. Another machine needs fercomp and this
    folder: `fercomp annotate photos/ --model DIR`.

    \b
    Examples:
      fercomp export mine/ --model compact
      fercomp export ~/usb/vote --model vote --name friday --precision int8
    """
    from rich.filesize import decimal

    from fercomp.core.paths import Workspace
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.modeling.export.copy import agreement_of_answers, export_model

    workspace = Workspace()
    source = resolve_model(model, workspace)
    size = export_model(source, folder, name, precision, workspace)
    if precision == "int8":
        share, photos = agreement_of_answers(source, folder, workspace)
        tell(f"The copy names the same class as the original for {share:.1%} of {photos} training photos.")
    tell(f"{folder}: {decimal(size)}")
    say_next(f"fercomp annotate PHOTOS --model {shlex.quote(str(folder))}")
