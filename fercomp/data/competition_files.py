"""The competition's own tables: which photos there are, their labels, and where they lie.

Both are somebody else's CSV. Their paths are taken as names below the raw folder and nothing else.
"""

import os
import posixpath
import re
from pathlib import Path
from typing import Final

import pandas as pd

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError, unknown_name
from fercomp.core.tables import Table
from fercomp.media.image_formats import IMAGE_SUFFIXES

TRAIN_FOLDER: Final = "train"
TEST_FOLDER: Final = "test_kaggle"
"""Folder of the photos to be predicted: `sample_submission.csv` names them without it."""

_REMEDY: Final = "run `fercomp fetch`, or unpack the competition's files there"
TRAIN: Final = Table({"image_path": "str", "emotion": "str"}, _REMEDY)
SAMPLE_SUBMISSION: Final = Table({"image_path": "str"}, _REMEDY)


def read_train(path: Path) -> pd.DataFrame:
    """Reads `train.csv`.

    Args:
        path: The CSV; columns besides `image_path` and `emotion` are left out.

    Returns:
        `image_path` as written in the file and `emotion`, one row a line.

    Raises:
        FercompError: The file is missing, is no such table, has no rows or holds an unknown emotion.
    """
    table = _rows(TRAIN, path)
    unknown = ~table["emotion"].isin(EMOTIONS)
    if unknown.any():
        row = int(unknown.to_numpy().argmax())
        raise unknown_name(f"emotion in {path}, line {row + 2}:", table["emotion"].iloc[row], EMOTIONS)
    return table


def read_test(path: Path) -> pd.DataFrame:
    """Reads the names of the photos to be predicted from `sample_submission.csv`.

    Args:
        path: The CSV; columns besides `image_path` are left out.

    Returns:
        `image_path` with `TEST_FOLDER` put before it, one row a line.

    Raises:
        FercompError: The file is missing, is no such table or has no rows.
    """
    return _rows(SAMPLE_SUBMISSION, path).assign(
        image_path=lambda table: TEST_FOLDER + "/" + table["image_path"]
    )


def _rows(table: Table, path: Path) -> pd.DataFrame:
    frame = table.read(path)
    if frame.empty:
        raise FercompError(f"{path} has no rows: {table.remedy}")
    return frame


def path_in_raw(name: str) -> str | None:
    """Writes a path out of a CSV in one way, so that equal paths are equal texts.

    Args:
        name: Such as `./train/anger/0.jpg`, or with backslashes.

    Returns:
        Such as `train/anger/0.jpg`, to be taken from the raw folder; `None` for a path that leads out of
        it (absolute, on a drive, or through `..`).
    """
    path = posixpath.normpath(name.replace("\\", "/"))
    if path == ".." or path.startswith(("/", "../")) or re.match("[A-Za-z]:", path):
        return None
    return path


def photos_on_disk(raw: Path) -> list[str]:
    """Lists the picture files below the train and test folders, relative to `raw`, sorted.

    Bytes of a name that are not UTF-8 are escaped, since no table could hold them.
    """
    found = (
        Path(folder, name).relative_to(raw).as_posix()
        for top in (TRAIN_FOLDER, TEST_FOLDER)
        for folder, _, names in os.walk(raw / top)
        for name in names
        if Path(name).suffix.lower() in IMAGE_SUFFIXES
    )
    return sorted(os.fsencode(path).decode("utf-8", "backslashreplace") for path in found)
