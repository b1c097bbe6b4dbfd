"""Competitions that lay out their files in another way, in the form that the rest of the code knows.

train.csv, sample_submission.csv    image_path and emotion, with fercomp's names of the classes
train/, test_kaggle/                the photos, as they came
original/                           whatever else came, the competition's own labels among it
original/.sample.csv, .layout.json  what a submission has to look like (`own_form`)
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_checks import path_in_raw
from fercomp.core.csv_table import Table, write_csv
from fercomp.core.errors import FercompError
from fercomp.core.files import write_text
from fercomp.core.params import LayoutParams
from fercomp.data.archive import unpack
from fercomp.data.competition_files import TEST_FOLDER, TRAIN_FOLDER, pictures_below
from fercomp.data.own_form import LAYOUT_REMEDY, NOTE, ORIGINAL_FOLDER, OWN_SAMPLE, OwnForm

if TYPE_CHECKING:
    import pandas as pd


def missing(folder: Path, layout: LayoutParams) -> list[str]:
    """Returns which of a competition's files are not in a folder, nor zipped in it; folders end in "/"."""
    files = [name for name in (layout.table, layout.sample) if name and not (folder / name).is_file()]
    folders = [f"{name}/" for name in (layout.train, layout.test) if not (folder / name).is_dir()]
    return [name for name in files + folders if not _zip_of(folder / name).is_file()]


def _zip_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.zip")


def arrange(folder: Path, layout: LayoutParams) -> None:
    """Brings a competition's files into the form that the rest of the code knows.

    Args:
        folder: All of them; nothing else uses it meanwhile. Zips in it are unpacked; the rest stays as it is
            where the layout is that form.
        layout: How they are laid out.

    Raises:
        FercompError: A table is not what the layout says, has other classes than fercomp's, or a zip is not
            safe.
    """
    for name in (layout.table, layout.sample, layout.train, layout.test):
        if name:
            _unpack_nested(folder / name)
    if layout == LayoutParams():
        return
    original = folder / ORIGINAL_FOLDER
    came = list(folder.iterdir())
    if original in came:
        raise FercompError(f"the competition's files have a {ORIGINAL_FOLDER!r} of their own: rename it")
    original.mkdir()
    for item in came:
        item.rename(original / item.name)
    train, names = _train_table(original, layout)
    sample = _sample_table(original / layout.sample, layout, names, str(train["emotion"].mode()[0]))
    (original / layout.sample).rename(folder / OWN_SAMPLE)
    _move_photos(original, folder, layout, list(sample["image_path"]))
    write_csv(train, folder / "train.csv")
    write_csv(sample, folder / "sample_submission.csv")
    form = OwnForm(photo=layout.sample_photo, label=layout.sample_label, names=names)
    write_text(folder / NOTE, form.model_dump_json())


def _unpack_nested(path: Path) -> None:
    """Unpacks what is missing from a zip of its name, which often holds something of that name again."""
    archive = _zip_of(path)
    if path.exists() or not archive.is_file():
        return
    inside = path.with_name(f".{path.name}.unpacked")
    inside.mkdir()
    unpack(archive, inside)
    again, came = inside / path.name, [item.name for item in inside.iterdir() if item.name != "__MACOSX"]
    if again.is_file() or came == [path.name]:
        again.rename(path)
        shutil.rmtree(inside)
    else:
        inside.rename(path)
    archive.unlink()


def _move_photos(original: Path, folder: Path, layout: LayoutParams, test: list[str]) -> None:
    places = {layout.test: TEST_FOLDER, layout.train: TRAIN_FOLDER}  # the second, where it is one folder
    for theirs in sorted(places, key=lambda place: -place.count("/")):  # one may lie in the other
        (original / theirs).rename(folder / places[theirs])
    if len(places) == 2:
        return
    for name in test:
        source, target = folder / TRAIN_FOLDER / name, folder / TEST_FOLDER / name
        # `os.path.isfile` takes any name; of what is no file, `prepare` says what is wrong with it.
        if path_in_raw(name) == name and os.path.isfile(source):  # noqa: PTH113
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
    (folder / TEST_FOLDER).mkdir(exist_ok=True)


def _train_table(original: Path, layout: LayoutParams) -> "tuple[pd.DataFrame, dict[str, str]]":
    """Reads the labels: table `TRAIN`, and the competition's names of the classes by ours."""
    import pandas as pd

    if layout.table is None:
        place = f"the folder {layout.train}"
        paths = sorted(pictures_below(original / layout.train))
        labels = [path.rpartition("/")[0].rpartition("/")[2] for path in paths]
        given = pd.DataFrame({"photo": paths, "label": labels}, dtype="str")
    else:
        place = str(layout.table)
        columns = {layout.photo: "str", layout.label: "str"}
        given = Table(columns, LAYOUT_REMEDY).read(original / place)
        given = given.rename(columns={layout.photo: "photo", layout.label: "label"})
        given["photo"] = [_file_name(name, layout.train, layout.suffix) for name in given["photo"]]
    if given.empty:
        raise FercompError(f"{place} names no training photo: {LAYOUT_REMEDY}")
    theirs = [str(label) for label in given["label"].unique()]
    names = _names(theirs, layout.classes, place)
    ours = {name: emotion for emotion, name in names.items()}
    paths = [f"{TRAIN_FOLDER}/{name}" for name in given["photo"]]
    return pd.DataFrame({"image_path": paths, "emotion": given["label"].map(ours)}), names


def _names(theirs: list[str], classes: Mapping[str, str], place: str) -> dict[str, str]:
    """Returns the competition's names of classes by ours.

    Raises:
        FercompError: A class is none of the nine, or two have one name with us.
    """
    names: dict[str, str] = {}
    for label in theirs:
        emotion = classes.get(label, label)
        if emotion not in EMOTIONS:
            raise FercompError(
                f"{place} has a class {label!r}, which is none of {', '.join(EMOTIONS)}: if it is one of "
                f"them under another name, say so as in fetch.layout.classes: {{{label}: happy}}"
            )
        if names.setdefault(emotion, label) != label:
            raise FercompError(
                f"{place} has {label!r} and {names[emotion]!r}, both {emotion}: {LAYOUT_REMEDY}"
            )
    return names


def _file_name(name: str, folder: str, suffix: str) -> str:
    """Writes a photo's id as the name of its file in its folder."""
    name = name.replace("\\", "/").removeprefix("./").removeprefix(f"{folder}/")
    return name if name.endswith(suffix) else name + suffix


def _sample_table(path: Path, layout: LayoutParams, names: Mapping[str, str], usual: str) -> "pd.DataFrame":
    """Reads the sample; where its label is no class, such as 0 everywhere, the most frequent one is put."""
    import pandas as pd

    columns = {layout.sample_photo: "str", layout.sample_label: "str"}
    given = Table(columns, LAYOUT_REMEDY).read(path)
    ours = {name: emotion for emotion, name in names.items()}
    ids = [_file_name(name, layout.test, layout.suffix) for name in given[layout.sample_photo]]
    return pd.DataFrame({"image_path": ids, "emotion": given[layout.sample_label].map(ours).fillna(usual)})
