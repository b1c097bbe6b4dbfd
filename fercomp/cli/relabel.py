"""`fercomp relabel`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercomp.cli.options import Set, model_option, open_workspace
from fercomp.cli.words import say_next, tell

if TYPE_CHECKING:
    import pandas as pd

    from fercomp.core.params import RelabelParams
    from fercomp.core.paths import Workspace
    from fercomp.stages.opinion import Opinion


_Model = Annotated[
    str | None,
    model_option(
        "crossval",
        "Ask this model, where a cross-validation is too dear: an experiment under models/, a model "
        "folder, or `shipped`. Its word counts less on photos that it has learned.",
    ),
]
_ImportFolders = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Before that, take over what was sorted by hand: a photo that was moved to the folder of "
        "another class is decided, as in `fercomp review`.",
    ),
]
_DropRemoved = Annotated[
    bool,
    typer.Option(
        "--drop-removed",
        help="With --import-folders: photos that were removed from an export are not learned from.",
    ),
]
_ExportFolders = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Also write the photos into one folder per suggested label, as hard links where the disk "
        "allows.",
    ),
]


def relabel(
    model: _Model = None,
    import_folders: _ImportFolders = None,
    drop_removed: _DropRemoved = False,
    export_folders: _ExportFolders = None,
    set_: Set = None,
) -> None:
    """Suggest better labels: what networks, copies of the photo and the review say of the given ones.

    Needs the out-of-fold probabilities of `fercomp crossval`, a model, or photos sorted by hand. Writes
    datasets/labels.csv, which experiments with `train.labels` learn from, and datasets/relabel/ with a
    table of class pairs and a contact sheet for each. The photos and their given labels stay as they are.

    \b
    Examples:
      fercomp relabel
      fercomp relabel --model shipped
      fercomp relabel --set relabel.network_votes=6
      fercomp relabel --export-folders sorted/
      fercomp relabel --import-folders sorted/
    """
    from fercomp.core.errors import FercompError
    from fercomp.core.progress import count
    from fercomp.core.tables import PHOTOS
    from fercomp.labels.folders import export_folders as export
    from fercomp.labels.sorted_folders import import_folders as take_over
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.stages.opinion import opinion_of

    if drop_removed and import_folders is None:
        raise FercompError("--drop-removed goes with --import-folders DIR: it is about photos removed there")
    workspace, params = open_workspace(set_)
    photos = PHOTOS.read(workspace.photos)
    folder = None if model is None else resolve_model(model, workspace)
    if folder is None:
        opinion = _without_model(photos, workspace, import_folders is not None)
    if import_folders is not None:
        tell(*take_over(import_folders, photos, workspace.reviewed, drop_removed))
    if folder is not None:
        opinion = opinion_of(folder, workspace, params.machine)
    labels = _suggest(opinion, photos, workspace, params.relabel)
    if export_folders is not None:
        exported = export(labels, workspace.raw, export_folders)
        tell(f"{export_folders}: {count(exported, 'photo')}")
    say_next("fercomp review")


def _without_model(photos: "pd.DataFrame", workspace: "Workspace", by_hand: bool) -> "Opinion":
    """Returns what `crossval` says; where it has not been run, what was sorted by hand counts alone."""
    from fercomp.core.classes import EMOTIONS
    from fercomp.core.csv_table import existing
    from fercomp.core.errors import FercompError
    from fercomp.core.tables import oof_table
    from fercomp.stages.opinion import Opinion, no_opinion

    if existing(workspace.oof).is_file():
        return Opinion(oof_table(EMOTIONS).read(workspace.oof))
    if by_hand:
        return no_opinion(photos)
    raise FercompError(
        f"{workspace.oof} not found: run `fercomp crossval`, or ask one model instead: --model NAME"
    )


def _suggest(
    opinion: "Opinion", photos: "pd.DataFrame", workspace: "Workspace", params: "RelabelParams"
) -> "pd.DataFrame":
    """Writes and shows what is suggested, and returns it."""
    from fercomp.core.tables import LABELS
    from fercomp.core.terminal import show
    from fercomp.labels.journal import read_decisions
    from fercomp.labels.relabel import relabel as suggest
    from fercomp.report.relabelling import pairs_table, summary, write_report

    tell(*opinion.told)
    labels = suggest(photos, opinion.table, read_decisions(workspace.reviewed), params, opinion.trust)
    pairs = write_report(labels, workspace.raw, workspace.relabel_report)
    LABELS.write(labels, workspace.labels)
    show(pairs_table(pairs))
    tell(*summary(labels, photos).splitlines())
    tell(f"{workspace.labels} written; look at {workspace.relabel_report}")
    return labels
