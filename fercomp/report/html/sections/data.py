"""The photos: how many of each class, how large, which are copies, which contradict, some of each class."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.palette import emotion_colour
from fercomp.core.progress import count
from fercomp.report.html.charts import bar, histogram
from fercomp.report.html.element import Content, command, details, element, figures, percent, table
from fercomp.report.html.thumbnails import grid, thumbnails
from fercomp.report.overview import contradicting

if TYPE_CHECKING:
    import pandas as pd

OF_EACH_CLASS: Final = 8
"""Photos of each class that are shown."""

_PAIRS: Final = 12
"""Rows of pairs of labels that contradict."""

_BINS: Final = 9


def data_section(photos: "pd.DataFrame", problems: "pd.DataFrame | None", raw: Path | None) -> list[Element]:
    """Shows an index of photos.

    Args:
        photos: Table `PHOTOS`, of at least one photo.
        problems: Table `PROBLEMS`, if it is there.
        raw: The folder that the paths are relative to; `None` shows no photos.
    """
    labelled = photos[photos["split"] != "test"]
    beside = element("div", _sizes(photos), *_copies(photos, labelled))
    parts = [_figures(photos, labelled, problems), element("div", _classes(labelled), beside, class_="pair")]
    if problems is not None and len(problems):
        reasons = Counter(problems["reason"]).most_common()
        beside.append(
            details(
                f"{count(len(problems), 'row')} of datasets/problems.csv: what is not used, and why",
                table("Photos that are not used, by reason", ("reason", "rows"), reasons),
            )
        )
    if raw is not None:
        parts.append(_some_of_each(labelled, raw))
    return parts


def _figures(photos: "pd.DataFrame", labelled: "pd.DataFrame", problems: "pd.DataFrame | None") -> Element:
    counts = photos["split"].value_counts()
    known: list[tuple[str, Content]]
    known = [(name, int(counts.get(split, 0))) for name, split in _SPLITS.items()]
    known.append(("classes", labelled["emotion"].nunique()))
    if problems is not None:
        known.append(("problems", len(problems)))
    return figures(known)


_SPLITS: Final = {"to learn from": "train", "in the holdout": "holdout", "test photos": "test"}


def _classes(labelled: "pd.DataFrame") -> Element:
    counts = labelled.groupby(["emotion", "split"]).size().unstack(fill_value=0)
    counts = counts.reindex(index=EMOTIONS, columns=("train", "holdout"), fill_value=0)
    most, total = max(int(counts.sum(axis=1).max()), 1), max(len(labelled), 1)
    rows = []
    for emotion, (train, holdout) in zip(EMOTIONS, counts.to_numpy().tolist(), strict=True):
        counted = ((train, "series-a"), (holdout, "series-b"))
        drawn = bar(*((n / most, element("rect", class_=series)) for n, series in counted))
        share = percent((train + holdout) / total)
        rows.append((emotion, train + holdout, share, train, holdout, element("td", drawn)))
    keys = element("span", _key("a", "to learn"), _key("b", "holdout"))
    headings = ("class", "photos", "share", "to learn", "holdout", keys)
    return table("Photos of each class", headings, rows)


def _key(series: str, name: str) -> Element:
    return element("span", name, class_=f"key key-{series}")


def _some_of_each(labelled: "pd.DataFrame", raw: Path) -> Element:
    chosen = {
        emotion: rows.sample(min(len(rows), OF_EACH_CLASS), random_state=0)["image_path"].tolist()
        for emotion in EMOTIONS
        if len(rows := labelled[labelled["emotion"] == emotion])
    }
    pictures = thumbnails(raw, [path for paths in chosen.values() for path in paths])
    if not pictures:
        return element("p", "None of these photos can be read: ", command("fercomp fetch"), " brings them.")
    made = element("div", class_="classes")
    for emotion, paths in chosen.items():
        dot = element(
            "svg",
            element("circle", cx=6, cy=6, r=5, fill=emotion_colour(emotion)),
            viewBox="0 0 12 12",
            width=12,
            height=12,
            aria_hidden="true",
        )
        heading = element("h3", dot, f" {emotion}")
        made.append(
            element("section", heading, grid(pictures, {path: path.split("/")[-1] for path in paths}))
        )
    return details(f"{count(len(pictures), 'photo')}, some of each class", made, is_open=True)


def _sizes(photos: "pd.DataFrame") -> Element:
    sides = photos[["width", "height"]].min(axis=1).to_numpy()
    least, most = int(sides.min()), int(sides.max())
    edges = np.unique(np.round(np.geomspace(least, most + 1, _BINS + 1)).astype(int))
    counts = np.histogram(sides, edges)[0].tolist()
    rows = [
        (f"{low:,} to {high - 1:,}", n) for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    title = f"Shorter sides: {least:,} to {most:,} pixels, median {np.median(sides):,.0f}"
    if least == most:
        return element("p", f"The shorter side of every photo has {count(least, 'pixel')}.")
    return element(
        "figure",
        element("figcaption", title),
        histogram(counts, edges.tolist(), "pixels of the shorter side"),
        details("As a table", table("Photos by pixels of the shorter side", ("pixels", "photos"), rows)),
    )


def _copies(photos: "pd.DataFrame", labelled: "pd.DataFrame") -> list[Element]:
    sizes = photos["duplicate_group"].value_counts()
    copied = sizes[sizes > 1]
    if copied.empty:
        return [element("p", "No picture is there twice.")]
    against = contradicting(labelled)
    known = f"{count(len(copied), 'picture')} with copies, {int(copied.sum()):,} photos in all; "
    known += f"{count(against['duplicate_group'].nunique(), 'picture')} under several labels."
    if saved := int((labelled["recompressed"] == 1).sum()):
        known += f" {count(saved, 'label')} of recompressed copies are not counted."
    said = element("p", known)
    if against.empty:
        return [said]
    pairs = Counter(
        " and ".join(sorted(set(labels))) for _, labels in against.groupby("duplicate_group")["emotion"]
    ).most_common()
    more = f", {len(pairs) - _PAIRS} other combinations left out" if len(pairs) > _PAIRS else ""
    return [
        said,
        details(
            f"Labels of the same picture that contradict each other{more}",
            table("Pictures by the labels of their copies", ("labels", "pictures"), pairs[:_PAIRS]),
            element(
                "p", "To decide them: ", command("fercomp relabel"), ", then ", command("fercomp review"), "."
            ),
        ),
    ]
