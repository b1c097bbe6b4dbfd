"""Options that several commands share."""

from typing import Annotated

import typer

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a parameter of params.yaml. May be repeated."),
]

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|DIR",
        help="An experiment under models/, or a model folder.",
        show_default="trained last",
    ),
]
