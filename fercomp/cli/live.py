"""`fercomp live`."""

from pathlib import Path
from typing import Annotated

import typer

from fercomp.cli.options import (
    Browser,
    DetectorName,
    MinScore,
    MinSize,
    ModelOrShipped,
    Port,
    RecordsFormat,
    Uncertain,
    load_model,
)
from fercomp.cli.words import tell
from fercomp.core.paths import SHIPPED


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
    port: Port = 0,
    browser: Browser = True,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the page's recordings.")
    ] = Path("live"),
    records: RecordsFormat = "csv",
    uncertain: Uncertain = True,
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
    from fercomp.core.progress import count, say

    if source is not None and not window:
        raise FercompError("--source is for --window: in the page, the browser chooses the camera")
    options = Options(detector, min_score, min_size, records=records, uncertain=uncertain)
    bundle = load_model(model)
    if window:
        from fercomp.annotate.window import show_window

        frames = show_window(source or "0", bundle, options)
        tell(f"{count(frames, 'frame')} shown, named by {bundle.folder.name}")
        return
    from fercomp.web.live import live_app
    from fercomp.web.local import Access, serve

    access = Access()
    page = live_app(bundle, options, output, access)
    say(f"{bundle.folder.name} names the emotions")
    serve(page, access, port, browser, tell)
