"""`fercomp report`."""

from pathlib import Path
from typing import Annotated

import typer

from fercomp.cli.options import OwnModel
from fercomp.cli.words import tell


def report(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="The page.")] = Path(
        "report.html"
    ),
    model: OwnModel = None,
    photos: Annotated[
        bool, typer.Option(help="Show photos in the page; without them it may be sent to anybody.")
    ] = True,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that report did not write.")] = False,
) -> None:
    """Write all that is known here as one page: what is stale, photos, runs, mistakes, submissions.

    The page is one file that needs no network, so it can be sent by mail. It says what to type next; shows
    classes, sizes, copies and some photos; all models in a table that can be sorted; any two of them side by
    side; what the model got wrong, with the names of the files; and what was sent to Kaggle. What cannot be
    read is a line in it. DVC is asked what is stale, for a few seconds at most.

    \b
    Examples:
      fercomp report --open
      fercomp report --model compact --output compact.html
      fercomp report --no-photos
    """
    from rich.filesize import decimal

    from fercomp.core.paths import Workspace
    from fercomp.core.progress import count, say
    from fercomp.stages.report import make_report

    written = make_report(Workspace(), output, model, photos, force)
    for line in written.notes:
        say(f"not shown as it should be: {line}")
    tell(f"{output}: {count(written.runs, 'model')}, {decimal(written.size)}")
    if open_:
        import webbrowser

        if not webbrowser.open(output.resolve().as_uri()):
            tell(f"no browser could be opened: open {output} yourself")
