"""`fercomp demo`."""

from pathlib import Path
from typing import Annotated

import typer

from fercomp.cli.words import say_next, tell


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for everything the demo writes.")
    ] = Path("demo"),
) -> None:
    """Run the whole pipeline on drawn faces, then annotate drawn photos and a clip. No network, no account.

    It works in a folder of its own: your datasets/, models/ and submissions/ stay as they are.

    \b
    Examples:
      fercomp demo
      fercomp demo --output /tmp/demo
    """
    from fercomp.core.params import Params
    from fercomp.core.paths import Workspace
    from fercomp.core.progress import count
    from fercomp.stages.demo import EXPERIMENT, run_demo

    workspace = Workspace(output)
    scores, done = run_demo(workspace, Params())
    bundle = workspace.bundle(EXPERIMENT)
    tell(f"Drawn faces, not photos of people. Holdout accuracy {scores.accuracy:.2f} in nine classes.")
    pictures = f"{count(done.photos, 'photo')} and {count(done.frames, 'frame')}"
    tell(f"{count(done.faces, 'face')} in {pictures} annotated. Look at:")
    tell(f"  {done.records.parent}/        photos and a clip with faces and emotions, and records.csv")
    tell(f"  {bundle}/   the model: card.json, confusion.png, reliability.png, history.png")
    tell(f"  {workspace.submission(EXPERIMENT)}   what would go to Kaggle")
    clone = Path("dvc.yaml").is_file()
    tell("Then, in this folder, with the competition's files; PATH is their zip or folder:")
    if clone:
        tell("(`source .venv/bin/activate` first, or type ./run before each)")
    rest = ("dvc repro",) if clone else ("fercomp prepare", "fercomp train")
    say_next("fercomp fetch --source PATH", *rest)
