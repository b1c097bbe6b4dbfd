"""What relabelling changes, for people: a table of class pairs, and a contact sheet for each."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fercomp.core.csv_table import Table
from fercomp.core.files import atomic_folder
from fercomp.core.progress import count, say, track
from fercomp.core.text_table import numbers, text_table, texts
from fercomp.labels.relabel import COPIES, NETWORK, REVIEW, TIE
from fercomp.report.plots import plot_sheet, sheet_faces, shown_name

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table as RichTable

PAIRS: Final = Table(
    {"emotion": "str", "suggested": "str", "photos": "int64", "quality": "float64"}, "run `fercomp relabel`"
)
"""Given and suggested label, how many photos, and the mean quality of their given labels."""

LISTED: Final = 15
"""Pairs shown in the terminal; `pairs.csv` has all."""

WHY: Final = {
    NETWORK: "the network",
    COPIES: "copies of the picture",
    TIE: "the network where copies tie",
    REVIEW: "review",
}
"""What is said of each reason."""


def write_report(labels: "pd.DataFrame", raw: Path, folder: Path) -> "pd.DataFrame":
    """Writes `pairs.csv` and a sheet `GIVEN-SUGGESTED.png` of each pair, the worst given labels first.

    Args:
        labels: Table `LABELS`.
        raw: The folder that its paths are relative to.
        folder: The folder, replaced as a whole.

    Returns:
        Table `PAIRS`: how many photos have which other label, most photos first. Photos that a reviewer
        dropped are not counted.
    """
    changed = _changed(labels).sort_values("quality", kind="stable")
    by_pair = changed.groupby(["emotion", "suggested"])
    pairs = by_pair["quality"].agg(photos="size", quality="mean").reset_index()
    pairs = pairs.sort_values(["photos", "emotion", "suggested"], ascending=[False, True, True])
    missing = 0
    with atomic_folder(folder) as temporary:
        PAIRS.write(pairs, temporary / "pairs.csv")
        for (given, suggested), rows in track(by_pair, "drawing", "sheet"):
            places, faces = sheet_faces(raw, rows["image_path"].tolist())
            if not faces:
                missing += 1
                continue
            title = f"given {given}, suggested {suggested}: {len(faces):,} of {len(rows):,} photos"
            captions = [
                f"{shown_name(str(row.image_path))}\n{row.reason} {row.quality:.2f}"
                for row in rows.iloc[places].itertuples()
            ]
            plot_sheet(faces, captions, title, temporary / f"{given}-{suggested}.png")
    if missing:
        say(f"no sheet for {missing} pairs: their photos are not in {raw}; `fercomp fetch` brings them")
    return pairs


def pairs_table(pairs: "pd.DataFrame") -> "RichTable":
    """Lays out the most frequent class pairs for the terminal."""
    shown = pairs.head(LISTED)
    rows = (
        (str(row.emotion), str(row.suggested), f"{row.photos:,}", f"{row.quality:.2f}")
        for row in shown.itertuples()
    )
    columns = texts("given", "suggested") | numbers("photos", "quality of the given label")
    return text_table(columns, rows, f"{len(shown)} most frequent of {len(pairs)} class pairs")


def summary(labels: "pd.DataFrame", photos: "pd.DataFrame") -> str:
    """Says in two lines how many labels change and why, and what became of contradicting copies.

    Args:
        labels: Table `LABELS`.
        photos: Table `PHOTOS`.
    """
    changed, dropped = _changed(labels), int((labels["suggested"] == "").sum())
    reasons = changed["reason"].value_counts()
    why = ", ".join(f"{reasons.get(name, 0):,} by {what}" for name, what in WHY.items())
    first = (
        f"{len(changed):,} of {len(labels):,} labels change ({len(changed) / len(labels):.1%}): {why}; "
        f"{count(dropped, 'photo')} dropped"
    )
    index = photos.set_index("image_path").loc[labels["image_path"]]
    groups, counted = index["duplicate_group"].to_numpy(), index["recompressed"].to_numpy() == 0
    votes = labels.assign(counted=counted).groupby([groups, "emotion"])["counted"].sum()
    pictures = votes.groupby(level=0)
    several = pictures.size() > 1
    tied = (votes == pictures.transform("max")).groupby(level=0).sum() > 1
    return (
        f"{first}\n{count(several.sum(), 'picture')} with several labels on copies; in {tied.sum():,} of "
        "them no label is the most frequent, and the network decides"
    )


def _changed(labels: "pd.DataFrame") -> "pd.DataFrame":
    return labels[(labels["suggested"] != labels["emotion"]) & (labels["suggested"] != "")]
