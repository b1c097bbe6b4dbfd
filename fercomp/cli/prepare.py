"""`fercomp prepare`."""

from typing import TYPE_CHECKING

from fercomp.cli.options import Set, open_workspace
from fercomp.cli.words import say_next, tell
from fercomp.core.classes import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table as RichTable

    from fercomp.data.recompressed import Contradictions

SPLITS = ("train", "holdout", "test")


def prepare(set_: Set = None) -> None:
    """Index the photos: broken files, near-duplicates, holdout and folds.

    Writes datasets/photos.csv and, with the photos that cannot be used or not wholly, datasets/problems.csv;
    and datasets/overview/ to look at: sizes, classes, photos of each class, copies under several labels.

    \b
    Examples:
      fercomp prepare
      fercomp prepare --set prepare.holdout=0.2 --set prepare.folds=10
    """
    from fercomp.core.tables import PHOTOS, PROBLEMS
    from fercomp.core.terminal import show
    from fercomp.report.overview import write_overview
    from fercomp.stages.prepare import prepare as prepare_photos

    workspace, params = open_workspace(set_)
    prepared = prepare_photos(workspace.raw, params.prepare)
    PHOTOS.write(prepared.photos, workspace.photos)
    PROBLEMS.write(prepared.problems, workspace.problems)
    write_overview(prepared.photos, workspace.raw, workspace.overview)
    show(_counts(prepared.photos))
    tell(_copies(prepared.photos))
    if prepared.contradictions.of_recompressed:
        tell(_recompressed(prepared.contradictions, params.prepare.recompressed))
    folds = params.prepare.folds
    if rare := _rare_classes(prepared.photos, folds):
        tell(f"warning: fewer photos than the {folds} folds, so some folds have none of: {rare}")
    tell(_problems(prepared.problems))
    tell(f"{workspace.photos} and {workspace.problems} written; look at {workspace.overview}")
    present = set(prepared.photos["split"])
    if lacking := [split for split in SPLITS[:2] if split not in present]:
        tell(
            f"warning: no photo is in {lacking[0]}, which `fercomp train` needs: change prepare.holdout (now "
            f"{params.prepare.holdout:g}), or prepare more photos"
        )
    else:
        say_next("fercomp train")


def _counts(photos: "pd.DataFrame") -> "RichTable":
    import pandas as pd

    from fercomp.core.text_table import numbers, text_table, texts

    counts = pd.crosstab(photos["emotion"], photos["split"]).reindex(columns=SPLITS, fill_value=0)
    rows = [
        (str(emotion), *(f"{row[split]:,}" for split in SPLITS[:2]), "")
        for emotion, row in counts.reindex(EMOTIONS, fill_value=0).iterrows()
    ]
    rows.append(("all photos", *(f"{count:,}" for count in counts.sum())))
    return text_table(texts("emotion") | numbers(*SPLITS), rows)


def _copies(photos: "pd.DataFrame") -> str:
    copies = photos[photos.duplicated("duplicate_group", keep=False)]
    labelled = copies[copies["split"] != "test"]
    labels = labelled.groupby("duplicate_group")["emotion"].nunique()
    return (
        f"near-duplicates: {len(copies):,} photos show {copies['duplicate_group'].nunique():,} pictures, "
        f"{(labels > 1).sum():,} of them under several labels"
    )


def _recompressed(found: "Contradictions", how: str) -> str:
    from fercomp.data.recompressed import LEAST

    ignored = how == "ignore" or (how == "auto" and found.ignored)
    few = how == "auto" and min(found.of_recompressed, found.of_others) < LEAST
    return (
        f"recompressed copies of a labelled photo: {found.of_recompressed:,}, and {found.recompressed:,} of "
        f"them have another label than the original (of other copies, {found.others:,} of "
        f"{found.of_others:,}); {'too few to tell, so ' if few else ''}their labels are "
        f"{'not used' if ignored else 'used'}"
    )


def _rare_classes(photos: "pd.DataFrame", folds: int) -> str:
    counts = photos["emotion"].value_counts().reindex(EMOTIONS, fill_value=0)
    return ", ".join(f"{emotion} ({count})" for emotion, count in counts.items() if 0 < count < folds)


def _problems(problems: "pd.DataFrame") -> str:
    counts = problems["reason"].value_counts()
    return "problems: " + (", ".join(f"{count:,} {reason}" for reason, count in counts.items()) or "none")
