"""The folder `people-data` of an output folder: all that is biometric, so that it can be deleted."""

from collections.abc import Iterator
from pathlib import Path
from tokenize import TokenError
from typing import Final

import numpy as np

from fercomp.annotate.people.embedder import EMBEDDING_WIDTH
from fercomp.annotate.people.sightings import SIGHTING_COLUMNS, Sighting, read_sighting
from fercomp.annotate.records.file import OnRecord, Records
from fercomp.annotate.records.rows import FACE, Row, whole_number
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file
from fercomp.core.reading import is_there
from fercomp.core.shards import Shard

PEOPLE_DATA: Final = "people-data"

_EMBEDDINGS: Final = "embeddings.csv"
_KNOWN: Final = "people.npy"
_MOST_PEOPLE: Final = 10**15
_KNOWN_TYPE: Final = np.dtype([("person", "<i8"), ("vector", "<f2", (EMBEDDING_WIDTH,))])


class PeopleData:
    """What is kept of the faces of a run.

    `embeddings.csv` has a row for each track and each face of a photo, `people.npy` the mean of each person,
    by which a person has the same number in the next run, and `person-7.jpg` faces of the person 7.

    Args:
        output: The output folder.
        shard: The part of the sources that is looked at here, with embeddings of its own.

    Attributes:
        folder: The folder.
        table: The embeddings: rows of `sighting_rows`.
    """

    def __init__(self, output: Path, shard: Shard | None = None) -> None:
        self.folder = output / PEOPLE_DATA
        whole = self.folder / _EMBEDDINGS
        self.table = Records(shard.beside(whole) if shard else whole, SIGHTING_COLUMNS)

    def index(self) -> dict[str, OnRecord]:
        """Returns by `file` what is kept.

        Raises:
            FercompError: It cannot be read.
        """
        path = self.table.path
        try:
            return self.table.index() if is_there(path) else {}
        except OSError as error:
            raise FercompError(f"cannot read {path}: {error.strerror}; remove {self.folder}") from error

    def require_no_link(self) -> None:
        """Refuses to keep biometric data elsewhere than in the output folder, and to remove pictures there.

        Raises:
            FercompError: The folder is a link.
        """
        if self.folder.is_symlink():
            raise FercompError(
                f"{self.folder} is a link to {self.folder.readlink()}: --people keeps biometric data in the "
                "output folder alone; remove the link, or link the whole output folder"
            )

    def rows_by_file(self) -> Iterator[tuple[str, list[Row]]]:
        """Gives the rows of each file that shows somebody, in the order of the files.

        Raises:
            FercompError: Somebody is there twice.
        """
        before: set[str] = set()
        for rows in self.table.pictures():
            file = rows[0]["file"]
            if file in before or len({row["track"] for row in rows}) < len(rows):
                raise self._damaged(f"{file} is in it twice")
            before.add(file)
            if rows[0]["status"] == FACE:
                yield file, rows

    def sighting(self, row: Row, with_thumbnail: bool = False) -> Sighting:
        """Reads a row.

        Raises:
            FercompError: It is damaged.
        """
        try:
            return read_sighting(row, with_thumbnail)
        except ValueError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> FercompError:
        return FercompError(f"{self.table.path} is damaged ({why}): remove {self.folder} and run again")

    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the numbers `(P,)` int64 of people of earlier runs and their means `(P, D)` float32.

        Raises:
            FercompError: The file is damaged.
        """
        path = self.folder / _KNOWN
        if not is_there(path):
            return np.empty(0, np.int64), np.empty((0, EMBEDDING_WIDTH), np.float32)
        try:
            with path.open("rb") as file:  # unlike `np.load`, it never reads it as a zip
                table = np.lib.format.read_array(file, allow_pickle=False)
            if table.dtype != _KNOWN_TYPE or table.ndim != 1 or not np.isfinite(table["vector"]).all():
                raise ValueError("it holds something else")
            people = table["person"]
            if len(np.unique(people)) < len(people) or (people < 0).any() or (people >= _MOST_PEOPLE).any():
                raise ValueError("its people have no numbers of their own")
        except (OSError, ValueError, EOFError, MemoryError, TokenError) as error:
            raise FercompError(f"{path} is damaged ({error}): remove {self.folder} and run again") from error
        return people, table["vector"].astype(np.float32)

    def write_known(self, people: np.ndarray, means: np.ndarray) -> None:
        """Writes what `known` returns in the next run."""
        table = np.empty(len(people), _KNOWN_TYPE)
        table["person"], table["vector"] = people, means
        with atomic_file(self.folder / _KNOWN) as temporary, temporary.open("wb") as file:
            np.save(file, table, allow_pickle=False)

    def picture_of(self, person: int) -> Path:
        """Returns where the faces of a person are."""
        return self.folder / f"person-{person}.jpg"

    def remove_others(self, people: set[int]) -> None:
        """Removes the faces of people who are no longer there."""
        for path in self.folder.glob("person-*.jpg"):
            number = path.stem.removeprefix("person-")
            if whole_number(number) not in (None, *people) and not path.is_dir():
                path.unlink()
