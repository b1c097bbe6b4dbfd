"""`fercomp relabel`."""

from pathlib import Path
from typing import Annotated

import typer

from fercomp.cli.options import Set, read_params
from fercomp.cli.words import say_next


def relabel(
    export_folders: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also write the photos into one folder per suggested label, as hard links where the disk "
            "allows.",
        ),
    ] = None,
    set_: Set = None,
) -> None:
    """Suggest better labels: what networks, copies of the photo and the review say of the given ones.

    Needs the out-of-fold probabilities of `fercomp crossval`. Writes datasets/labels.csv, which experiments
    with `train.labels` learn from, and datasets/relabel/ with a table of class pairs and a contact sheet for
    each. The photos and their given labels stay as they are.

    \b
    Examples:
      fercomp relabel
      fercomp relabel --set relabel.network_votes=6
      fercomp relabel --export-folders sorted/
    """
    from fercomp.core.classes import EMOTIONS
    from fercomp.core.paths import Workspace
    from fercomp.core.progress import count
    from fercomp.core.tables import LABELS, PHOTOS, oof_table
    from fercomp.core.terminal import show
    from fercomp.labels.folders import export_folders as export
    from fercomp.labels.journal import read_decisions
    from fercomp.labels.relabel import relabel as suggest
    from fercomp.report.relabelling import pairs_table, summary, write_report

    workspace = Workspace()
    params = read_params(workspace.params, set_).relabel
    photos = PHOTOS.read(workspace.photos)
    decisions = read_decisions(workspace.reviewed)
    labels = suggest(photos, oof_table(EMOTIONS).read(workspace.oof), decisions, params)
    pairs = write_report(labels, workspace.raw, workspace.relabel_report)
    LABELS.write(labels, workspace.labels)
    show(pairs_table(pairs))
    typer.echo(summary(labels, photos))
    typer.echo(f"{workspace.labels} written; look at {workspace.relabel_report}")
    if export_folders is not None:
        exported = export(labels, workspace.raw, export_folders)
        typer.echo(f"{export_folders}: {count(exported, 'photo')}")
    say_next("fercomp review")
