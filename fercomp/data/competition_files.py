"""The competition's own tables: which photos there are, their labels, and where they lie.

Both are somebody else's CSV. Their paths are taken as names below the raw folder and nothing else.
"""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_table import Table
from fercomp.core.errors import FercompError, unknown_name
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


def links_out(raw: Path) -> Callable[[str], bool]:
    """Makes the question whether a path below the raw folder leads out of it through a link.

    The raw folder itself may be a link, and so may what lies at its top, such as `train/`: so photos are kept
    on another disk. Links further down are in no competition's files, and a table from elsewhere could name
    any file through one.

    Args:
        raw: The raw folder.

    Returns:
        From a path of `core.csv_checks.path_in_raw` to whether it leads out.
    """
    # `realpath` and not `resolve`, which raises where a link leads to itself.
    homes = [os.path.realpath(place) for place in (raw, *raw.glob("*")) if place == raw or place.is_symlink()]

    @cache
    def leads_out(place: Path) -> bool:
        real = Path(os.path.realpath(place))
        return not any(real.is_relative_to(home) for home in homes)

    def question(path: str) -> bool:
        photo = raw / path
        return leads_out(photo if photo.is_symlink() else photo.parent)

    return question


def pictures_below(top: Path) -> Iterator[str]:
    """Yields the picture files below a folder, relative to it, with forward slashes."""
    for folder, _, names in os.walk(top):
        for name in names:
            if Path(name).suffix.lower() in IMAGE_SUFFIXES:
                yield Path(folder, name).relative_to(top).as_posix()


def photos_on_disk(raw: Path) -> list[str]:
    """Lists the picture files below the train and test folders, relative to `raw`, sorted.

    Bytes of a name that are not UTF-8 are escaped, since no table could hold them.
    """
    found = (f"{top}/{path}" for top in (TRAIN_FOLDER, TEST_FOLDER) for path in pictures_below(raw / top))
    return sorted(os.fsencode(path).decode("utf-8", "backslashreplace") for path in found)
