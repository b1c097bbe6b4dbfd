"""Class folders in which somebody has moved photos: what lies elsewhere than before was decided."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.progress import count, track
from fercomp.core.reading import is_there
from fercomp.labels.folders import LIST, LIST_FILE
from fercomp.labels.journal import DROP, Journal, Key, Verdict

if TYPE_CHECKING:
    import pandas as pd

_LARGEST: Final = 2**29
"""Bytes of a file that is looked at: no photo of the index is larger."""

_LIKE: Final = 0.75
"""How like a class a folder's name is that was meant to be one: `suprise`, `angry`, but not `later`."""


def import_folders(
    folder: Path, photos: "pd.DataFrame", journal: Path, drop_removed: bool = False
) -> list[str]:
    """Puts on record what somebody has decided by moving photos from one class folder to another.

    Photos are known by their bytes, whatever they are called. A photo was moved if it lies in another folder
    than its export put it into or, in folders that are no export, than its given label says. The list of an
    export is then brought up to date: what is moved back later is moved, too, and the next export may take
    its place.

    Args:
        folder: A folder with a folder per class.
        photos: Table `PHOTOS`.
        journal: Where decisions go, `labels.journal`.
        drop_removed: Whether a photo of an export that lies nowhere any more is to be dropped.

    Returns:
        What was found and decided, in lines for people. A second time, nothing is decided.

    Raises:
        FercompError: There is no class folder, or one whose name is misspelt; `drop_removed` where it cannot
            be told what was removed; or a file cannot be read or written.
    """
    listed = _list_of(folder)
    found = _found(folder)
    if drop_removed:
        _refuse_to_drop(folder, found, listed)
    look = _look(photos, found, listed)
    missing = "not there: not decided"
    if listed is not None:
        missing = f"removed: {'dropped' if drop_removed else 'not decided; --drop-removed drops them'}"
    with Journal(journal) as record:
        decisions = _decisions(look, record.decided, drop_removed)
        told = list(_told(folder, photos, found, look, record.decided, missing))
        record.append(decisions)
    if listed is not None:
        _bring_up_to_date(folder / LIST_FILE, listed, found, look, drop_removed)
    told[0] += f"; {count(len(decisions), 'decision')} written to {journal}"
    return told


def _list_of(folder: Path) -> "pd.DataFrame | None":
    if not folder.is_dir():
        raise FercompError(f"{folder} is no folder: name one that holds a folder per class, such as anger/")
    if not is_there(folder / LIST_FILE):
        return None
    return replace(LIST, remedy="bring it back as the export wrote it, or remove it").read(folder / LIST_FILE)


def _refuse_to_drop(folder: Path, found: "pd.DataFrame", listed: "pd.DataFrame | None") -> None:
    if listed is None:
        raise FercompError(
            f"{folder} has no {LIST_FILE} of an export, so what it lacks was perhaps never there: drop "
            "photos from a folder of `fercomp relabel --export-folders`"
        )
    if unread := found.loc[found["sha1"] == "", "file"].tolist():
        raise FercompError(f"{folder / unread[0]} cannot be read, and may be what seems to be removed")


def _found(folder: Path) -> "pd.DataFrame":
    """Lists all files: `file` relative to the folder, `label` (empty outside of class folders), `sha1`."""
    import pandas as pd

    try:
        files = list(_files(folder))
    except (OSError, RecursionError) as error:
        raise FercompError(f"cannot read all of {folder} ({error}): look at its folders") from error
    classes = [file.parts[0] if file.parts[0] in EMOTIONS and len(file.parts) > 1 else "" for file in files]
    sums = [_sha1(folder / file) for file in track(files, "reading", "file")]
    names = [os.fsencode(file).decode("utf-8", "backslashreplace").replace(os.sep, "/") for file in files]
    return pd.DataFrame({"file": names, "label": classes, "sha1": sums}, dtype="object")


def _files(folder: Path) -> Iterator[Path]:
    """Yields the files below a folder, relative to it, but for its list and those that are hidden."""
    tops = [path for path in folder.iterdir() if path.is_dir()]
    for path in tops:
        near = get_close_matches(path.name.lower(), EMOTIONS, 1, _LIKE)
        if near and path.name != near[0]:
            raise FercompError(f"{path} is named after no class: did you mean {near[0]}?")
        if near and path.is_symlink():
            raise FercompError(f"{path} is a link, a folder was expected: put the photos there")
    if not any(path.name in EMOTIONS for path in tops):
        raise FercompError(f"{folder} has no folder that is named after a class: {', '.join(EMOTIONS)}")

    def fail(error: OSError) -> None:
        raise error  # photos of a folder that cannot be read would count as removed

    for place, below, names in os.walk(folder, onerror=fail):
        below.sort()
        for name in sorted(names):
            file = Path(place, name).relative_to(folder)
            if not name.startswith(".") and file != Path(LIST_FILE):
                yield file


def _sha1(path: Path) -> str:
    """Returns the SHA-1 of a file, as the index has it; nothing where it can be no photo of the index."""
    try:
        if not is_there(path) or path.stat().st_size > _LARGEST:
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
    except (FercompError, OSError):
        return ""


def _look(photos: "pd.DataFrame", found: "pd.DataFrame", listed: "pd.DataFrame | None") -> "pd.DataFrame":
    """Says of each labelled photo where it lies and lay.

    Returns:
        Columns of `photos`, and: `place`, the one class folder that it lies in, or empty; `places`, in how
        many it lies; `before`, where it lay; `moved`; and `removed`, whether it lay there and lies nowhere.
    """
    look = photos[photos["split"] != "test"].reset_index(drop=True)
    labels = found[found["label"] != ""].groupby("sha1")["label"]
    places = look["sha1"].map(labels.nunique()).fillna(0).astype(int)
    place = look["sha1"].map(labels.first()).where(places == 1, "")
    before, was_there = look["emotion"], places >= 0
    if listed is not None:
        of_export = look["image_path"].map(listed.set_index("image_path")["label"])
        before, was_there = of_export.fillna(before), of_export.notna()
    removed = was_there & ~look["sha1"].isin(found["sha1"])
    moved = (places == 1) & (place != before)
    return look.assign(place=place, places=places, before=before, moved=moved, removed=removed)


def _decisions(look: "pd.DataFrame", decided: Mapping[Key, str], drop_removed: bool) -> list[Verdict]:
    labels = look["place"].where(look["moved"], DROP)
    said = look.assign(label=labels)[look["moved"] | (look["removed"] & drop_removed)]
    verdicts = [Verdict(*row) for row in said[["image_path", "sha1", "label"]].itertuples(index=False)]
    return [verdict for verdict in verdicts if decided.get(verdict.key) != verdict.label]


def _told(
    folder: Path,
    photos: "pd.DataFrame",
    found: "pd.DataFrame",
    look: "pd.DataFrame",
    decided: Mapping[Key, str],
    missing: str,
) -> Iterator[str]:
    keys = zip(look["image_path"], look["sha1"], look["before"], strict=True)
    otherwise = np.array([decided.get((path, sha1), before) != before for path, sha1, before in keys])
    lies, moved = look["places"] > 0, look["moved"]
    labelled, indexed = set(look["sha1"]), set(photos["sha1"])
    astray = found[found["sha1"].isin(set(look.loc[~lies, "sha1"])) & (found["label"] == "")]
    yield f"{folder}: {count(lies.sum(), 'photo')} in class folders, {moved.sum():,} moved"
    notes = {
        "moved, of the holdout, which is scored against given labels all the same": look[
            moved & (look["split"] == "holdout")
        ],
        "where it lay, but decided otherwise since: that decision stays": look[
            (look["places"] == 1) & ~moved & otherwise
        ],
        "in several class folders: not decided": look[look["places"] > 1],
        missing: look[look["removed"]],
        "in no class folder: not decided": astray,
        "of the test, which has no labels: passed over": found[found["sha1"].isin(indexed - labelled)],
        "no photo of the index, by its bytes: passed over": found[~found["sha1"].isin(indexed)],
    }
    for what, rows in notes.items():
        if len(rows):
            names = rows["file"] if "file" in rows else rows["image_path"]
            yield f"  {len(rows):,} {what} (such as {names.iloc[0]})"


def _bring_up_to_date(
    path: Path, listed: "pd.DataFrame", found: "pd.DataFrame", look: "pd.DataFrame", drop_removed: bool
) -> None:
    """Writes into an export's list where its photos lie now; of files with the same bytes, each once."""
    import pandas as pd

    look = look.set_index("image_path")
    rows = listed[~listed["image_path"].isin(look.index[look["removed"] & drop_removed])]
    sums = rows["image_path"].map(look["sha1"])
    there = found[found["label"] != ""].assign(copy=lambda files: files.groupby("sha1").cumcount())
    files = pd.Series(there["file"].to_numpy(), index=pd.MultiIndex.from_frame(there[["sha1", "copy"]]))
    now = files.reindex(pd.MultiIndex.from_arrays([sums, rows.groupby(sums).cumcount()])).to_numpy()
    places = rows["image_path"].map(look["place"])
    settled = pd.notna(now) & places.isin(EMOTIONS)
    rows = rows.assign(file=rows["file"].where(~settled, now), label=rows["label"].where(~settled, places))
    if not rows.equals(listed):
        LIST.write(rows, path)
