"""Options that several commands share."""

from typing import Annotated

import typer

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a parameter of params.yaml. May be repeated."),
]

_MODEL_HELP = "An experiment under models/, a model folder, or `shipped`, the model that came with fercomp."

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|DIR",
        help=_MODEL_HELP,
        show_default="trained last; shipped where none was",
    ),
]

ModelOrShipped = Annotated[str, typer.Option("--model", "-m", metavar="NAME|DIR", help=_MODEL_HELP)]
"""For commands that have nothing to do with the competition: by default, the model that came with fercomp."""

SHIPPED = "shipped"
"""The default of `ModelOrShipped`."""
