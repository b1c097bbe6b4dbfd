"""The people of a run of `annotate`, from what an earlier run has kept to their numbers on record."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath

from fercomp.annotate.people.assign import assign_people
from fercomp.annotate.people.names import PEOPLE, read_written
from fercomp.annotate.people.store import PEOPLE_DATA, PeopleData
from fercomp.annotate.records.file import OnRecord, Records
from fercomp.annotate.records.rows import Row
from fercomp.annotate.sources.found import by_folders
from fercomp.core.errors import FercompError
from fercomp.core.shards import Shard


class RunPeople:
    """Keeps what tells people apart while a run goes on, and numbers them at its end.

    Args:
        output: The output folder.
        shard: The part of the sources that the run is about; of a part, nobody is numbered before the merge.

    Attributes:
        found: In the end, how many people there are.
    """

    def __init__(self, output: Path, shard: Shard | None = None) -> None:
        self.found: int | None = None
        self._output, self._shard = output, shard
        self._data = PeopleData(output, shard)
        self._index: dict[str, OnRecord] = {}

    def begin(self, copies: Iterable[str]) -> Mapping[str, OnRecord]:
        """Looks at what earlier runs have kept, before anything is written.

        Args:
            copies: Names of what is going to be written, relative to the output folder.

        Returns:
            By file, what is kept.

        Raises:
            FercompError: A table is damaged, a copy would lie among the embeddings, or these would lie
                elsewhere.
        """
        self._data.require_no_link()
        read_written(self._output / PEOPLE)
        self._data.known()
        for copy in copies:
            if PurePosixPath(copy).parts[0].casefold() == PEOPLE_DATA:
                raise FercompError(
                    f"{copy} would be written into {self._output / PEOPLE_DATA}, where --people keeps what "
                    "it needs: give the photos' folder another name"
                )
        self._index = self._data.index()
        return self._index

    def keep(self, files: Iterable[str]) -> None:
        """Forgets all files but these."""
        self._data.table.rewrite(self._index[file] for file in files if file in self._index)

    def adding(self) -> AbstractContextManager[object]:
        """Opens what is kept, so that `add` can be called."""
        return self._data.table

    def add(self, rows: Sequence[Row]) -> None:
        """Keeps what was seen in a file: rows of `sighting_rows`."""
        self._data.table.append(rows)

    def finish(self, records: Records) -> None:
        """Numbers the people in the records, which are in order and closed, unless this is but a part."""
        self._data.table.put_back()
        self._data.table.close()
        index = self._data.index()
        self._data.table.rewrite(index[file] for file in sorted(index, key=by_folders))
        if self._shard is None:
            self.found = assign_people(self._output, self._data, records)

    def merge(self, parts: dict[str, OnRecord], records: Records) -> None:
        """Numbers the people of all shards.

        Args:
            parts: What the shards have kept, by file.
            records: Their records, which are one table by now.
        """
        self._data.table.rewrite(parts[file] for file in sorted(parts, key=by_folders))
        self.found = assign_people(self._output, self._data, records)
