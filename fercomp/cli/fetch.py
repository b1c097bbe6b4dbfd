"""`fercomp fetch`."""

from typing import Annotated

import typer

from fercomp.cli.options import Set, open_workspace
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
    from fercomp.stages.fetch import fetch as fetch_files
    from fercomp.stages.fetch import fetch_unless_real

    workspace, params = open_workspace(set_)
    what = workspace.raw, params.fetch.competition, params.fetch.layout
    report = fetch_unless_real(params.fetch.source, *what) if source is None else fetch_files(source, *what)
    photos = f"{report.train_photos:,} training and {report.test_photos:,} test photos"
    tell(f"{report.source}: {photos} in {report.where}")
    if report.kept:
        tell("they are kept; `fercomp fetch --source demo` would put the drawn demo in their place")
    say_next("fercomp prepare")
