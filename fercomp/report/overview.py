"""A first look at the photos: sizes, classes, some of each class, and copies under several labels."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.files import atomic_folder
from fercomp.core.palette import BLUE, ORANGE
from fercomp.core.progress import count, track, waiting
from fercomp.report.plots import PLACES, new_figure, plot_sheet, save_figure, sheet_faces, shown_name

if TYPE_CHECKING:
    import pandas as pd


def write_overview(photos: "pd.DataFrame", raw: Path, folder: Path) -> None:
    """Writes `sizes.png`, `classes.png`, a sheet `class-NAME.png` of each class, and `copies.png`.

    The same photos give the same pictures. Where no copies contradict each other, there is no sheet of them.

    Args:
        photos: Table `PHOTOS`.
        raw: The folder that its paths are relative to.
        folder: The folder, replaced as a whole.
    """
    labelled = photos[photos["split"] != "test"]
    sheets = {}
    for emotion in EMOTIONS:
        of_class = labelled[labelled["emotion"] == emotion]
        sheets[f"class-{emotion}", f"{emotion}: {{shown}} of {count(len(of_class), 'photo')}"] = (
            of_class.sample(min(len(of_class), PLACES), random_state=0)
        )
    copies = contradicting(labelled)
    pictures = count(copies["duplicate_group"].nunique(), "picture")
    sheets[
        "copies", f"{pictures} under several labels, copies side by side: {{shown}} of {len(copies):,}"
    ] = copies
    with atomic_folder(folder) as temporary:
        with waiting("drawing sizes and classes"):
            plot_sizes(photos, temporary / "sizes.png")
            plot_classes(labelled, temporary / "classes.png")
        for (name, title), rows in track(sheets.items(), "drawing", "sheet", at_once=True):
            places, faces = sheet_faces(raw, rows["image_path"].tolist())
            if not faces:
                continue
            captions = [
                f"{shown_name(str(row.image_path))}\n"
                + (
                    f"{row.duplicate_group}: {row.emotion}"
                    if name == "copies"
                    else f"{row.width} x {row.height}"
                )
                for row in rows.iloc[places].itertuples()
            ]
            plot_sheet(faces, captions, title.format(shown=len(faces)), temporary / f"{name}.png")


def contradicting(labelled: "pd.DataFrame") -> "pd.DataFrame":
    """Returns the photos of pictures whose copies have several labels: in random order, copies together.

    Args:
        labelled: Labelled photos, of table `PHOTOS`.
    """
    labels = labelled.groupby("duplicate_group")["emotion"].nunique()
    pictures = labels.index[labels > 1].to_numpy()
    order = np.random.default_rng(0).permutation(len(pictures))
    place = dict(zip(pictures[order].tolist(), range(len(pictures)), strict=True))
    rows = labelled[labelled["duplicate_group"].isin(pictures)]
    return rows.sort_values("duplicate_group", key=lambda groups: groups.map(place), kind="stable")


def plot_sizes(photos: "pd.DataFrame", path: Path) -> None:
    """Draws how many photos have which shorter side.

    Args:
        photos: Table `PHOTOS`.
        path: The PNG to write.
    """
    figure, axes = new_figure(8, 4)
    sides = photos[["width", "height"]].min(axis=1)
    bins = np.geomspace(sides.min() * 0.9, sides.max() * 1.1, 40).tolist()
    is_test = photos["split"] == "test"
    axes.hist(
        [sides[~is_test], sides[is_test]],
        bins,
        stacked=True,
        color=[BLUE, ORANGE],
        label=["labelled", "test"],
    )
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="shorter side, pixels", ylabel="photos")
    axes.set_title(f"Sizes: {sides.min():,} to {sides.max():,} pixels, median {sides.median():,.0f}")
    figure.legend(loc="outside lower center", ncols=2)
    save_figure(figure, path)


def plot_classes(labelled: "pd.DataFrame", path: Path) -> None:
    """Draws how many photos each class has, in training and in the holdout.

    Args:
        labelled: Labelled photos, of table `PHOTOS`.
        path: The PNG to write.
    """
    figure, axes = new_figure(9, 4)
    below = np.zeros(len(EMOTIONS))
    for split, colour in (("train", BLUE), ("holdout", ORANGE)):
        counts = labelled.loc[labelled["split"] == split, "emotion"].value_counts()
        heights = counts.reindex(EMOTIONS, fill_value=0).to_numpy()
        axes.bar(EMOTIONS, heights, bottom=below, color=colour, label=split)
        below = below + heights
    for place, total in enumerate(below):
        axes.text(
            place,
            total,
            f"{total:,.0f}\n{total / max(below.sum(), 1):.1%}",
            ha="center",
            va="bottom",
            fontsize=8,
        )
    axes.margins(y=0.15)
    axes.set(ylabel="photos", title=f"Classes of {count(len(labelled), 'labelled photo')}")
    figure.legend(loc="outside lower center", ncols=2)
    save_figure(figure, path)
