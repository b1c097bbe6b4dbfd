"""`fercomp fetch`."""

from typing import Annotated

import typer

from fercomp.cli.options import Set, read_params
from fercomp.cli.words import say_next, tell


def fetch(
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            help="`demo`, `kaggle`, or the path of a zip archive or folder, instead of fetch.source.",
        ),
    ] = None,
    set_: Set = None,
) -> None:
    """Bring the competition's files to datasets/raw.

    Without --source, the drawn demo never takes the place of files fetched earlier. From Kaggle, the zip is
    kept in datasets/, and an interrupted download goes on where it was.

    \b
    Examples:
      fercomp fetch
      fercomp fetch --source demo
      fercomp fetch --source kaggle
      fercomp fetch --source ~/Downloads/skillbox-computer-vision-project.zip
    """
    from fercomp.core.paths import Workspace
    from fercomp.stages.fetch import fetch as fetch_files
    from fercomp.stages.fetch import fetch_unless_real

    workspace = Workspace()
    params = read_params(workspace.params, set_).fetch
    if source is None:
        report = fetch_unless_real(params.source, workspace.raw, params.competition, params.layout)
    else:
        report = fetch_files(source, workspace.raw, params.competition, params.layout)
    photos = f"{report.train_photos:,} training and {report.test_photos:,} test photos"
    tell(f"{report.source}: {photos} in {report.where}")
    if report.kept:
        tell("they are kept; `fercomp fetch --source demo` would put the drawn demo in their place")
    say_next("fercomp prepare")
