"""`fercomp repro`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fercomp.cli.on_kaggle import run_on_kaggle
from fercomp.cli.options import NoWait, Yes, read_params
from fercomp.cli.words import say_next


def repro(
    file: Annotated[
        Path, typer.Argument(metavar="PATH", help="A file of parameters, such as params.best.yaml.")
    ],
    on: Annotated[  # noqa: ARG001 - here, `dvc repro` is typed itself
        Literal["kaggle"], typer.Option("--on", help="Where: in private kernels at Kaggle.")
    ],
    yes: Yes = False,
    no_wait: NoWait = False,
) -> None:
    """Run `dvc repro` with a file of parameters at Kaggle, and bring its models and submissions here.

    Run it in a clone of fercomp's repository, whose pipeline it uses. Here, copy the file to params.yaml and
    type `dvc repro`.

    \b
    Examples:
      fercomp repro --on kaggle params.one-gpu.yaml
      fercomp repro --on kaggle params.best.yaml --no-wait
    """
    from fercomp.core.errors import FercompError
    from fercomp.core.paths import Workspace
    from fercomp.core.reading import is_there
    from fercomp.stages.at_kaggle.jobs import repro_job

    if not is_there(file):
        raise FercompError(f"{file} not found: expected a file of parameters, such as params.best.yaml")
    job = repro_job(file, read_params(file), Workspace())
    if run_on_kaggle(job, yes, no_wait, again=f"fercomp repro --on kaggle {file}"):
        say_next("fercomp models", "fercomp submit")
