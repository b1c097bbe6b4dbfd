"""`fercomp annotate`."""

from pathlib import Path
from typing import Annotated

import typer

from fercomp.cli.options import SHIPPED, ModelOrShipped


def annotate(
    path: Annotated[Path, typer.Argument(help="A photo, or a folder with photos in it and its sub-folders.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for copies and records.csv.")
    ] = Path("annotated"),
    model: ModelOrShipped = SHIPPED,
    detector: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Face detector: yunet, haar_default, haar_alt, haar_alt2, haar_alt_tree, or whole for "
            "photos cut out around one face.",
        ),
    ] = "yunet",
    min_score: Annotated[
        float | None,
        typer.Option(
            metavar="SCORE",
            help="Lowest score of a face: 0 to 1 for yunet (0.7), agreeing windows for haar (5).",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Find the faces in photos and name their emotions: annotated copies and a table.

    A second run goes on where the first one ended. Exit code 1 if a file could not be read.

    \b
    Examples:
      fercomp annotate photos/
      fercomp annotate party.jpg --output party/ --model compact
      fercomp annotate portraits/ --detector whole
    """
    from fercomp.annotate.run import annotate_photos
    from fercomp.core.errors import FercompError
    from fercomp.core.paths import Workspace
    from fercomp.modeling.bundle import load_bundle
    from fercomp.modeling.card import resolve_model

    bundle = load_bundle(resolve_model(model, Workspace()))
    done = annotate_photos(path, output, bundle, detector, min_score)
    on_record = f", {done.earlier} of them earlier" if done.earlier else ""
    typer.echo(
        f"{done.photos} photos{on_record}: {done.faces} faces, {done.without_face} photos without a face"
    )
    typer.echo(", ".join(f"{emotion} {n}" for emotion, n in done.emotions.items()) or "no emotions to name")
    typer.echo(f"{done.seconds:.1f} s. Look at {output}/ and {done.records}")
    if done.problems:
        bad = f"{len(done.problems)} of {done.photos} files could not be used"
        raise FercompError(f"{bad}: `status` in {done.records} says why; mend or remove them")
