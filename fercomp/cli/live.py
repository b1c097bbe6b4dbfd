"""`fercomp live`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fercomp.cli.options import SHIPPED, DetectorName, MinScore, MinSize, ModelOrShipped


def live(
    window: Annotated[bool, typer.Option("--window", help="Show a window instead of a page.")] = False,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="What the window shows: the number of a camera, a video, an http or rtsp address.",
            show_default="camera 0",
        ),
    ] = None,
    model: ModelOrShipped = SHIPPED,
    detector: DetectorName = "yunet",
    min_score: MinScore = None,
    min_size: MinSize = 16,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where the page is served; 0 for any free one.")
    ] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the page's recordings.")
    ] = Path("live"),
    records: Annotated[Literal["csv", "jsonl"], typer.Option(help="Format of the recordings.")] = "csv",
) -> None:
    """Find the faces in front of a camera and name their emotions, in a local page or a window.

    The page is served on this machine, to this machine only; pictures do not leave it. Ctrl-C ends it.

    \b
    Examples:
      fercomp live
      fercomp live --model compact --no-browser --port 8000
      fercomp live --window
      fercomp live --window --source rtsp://192.168.1.20/stream
    """
    from fercomp.annotate.options import Options
    from fercomp.core.errors import FercompError
    from fercomp.core.parallel import limit_threads
    from fercomp.core.params import load_machine
    from fercomp.core.paths import Workspace
    from fercomp.core.progress import count
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.modeling.bundle.model import load_bundle

    if source is not None and not window:
        raise FercompError("--source is for --window: in the page, the browser chooses the camera")
    limit_threads(load_machine(Workspace().params).workers)
    options = Options(detector, min_score, min_size, records=records)
    bundle = load_bundle(resolve_model(model, Workspace()))
    if window:
        from fercomp.annotate.window import show_window

        typer.echo(f"{count(show_window(source or '0', bundle, options), 'frame')} shown")
        return
    from fercomp.web.live import live_app
    from fercomp.web.local import Access, serve

    access = Access()
    serve(live_app(bundle, options, output, access), access, port, browser, typer.echo)
