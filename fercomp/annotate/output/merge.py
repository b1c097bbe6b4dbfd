"""One table of records from those of shards: that of one machine, or a line on what is missing."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fercomp.annotate.output.earlier_run import keep_aside
from fercomp.annotate.output.names import Names, OutputNames, output_names
from fercomp.annotate.output.run_file import RUN, RunFile, busy_folder
from fercomp.annotate.people.run import RunPeople
from fercomp.annotate.records.file import OnRecord, Records
from fercomp.annotate.records.parquet import RunTable, TableFormat
from fercomp.annotate.records.rows import problem_row
from fercomp.annotate.sources.found import Photo, Video, by_folders
from fercomp.annotate.sources.walk import Sources
from fercomp.core.errors import FercompError
from fercomp.core.locks import exclusive
from fercomp.core.progress import count, say
from fercomp.core.shards import Shard, require_all_shards, told_few, told_shards


class ShardMerge:
    """The shards of one output folder, which become one run.

    Nothing is written before all has been checked: every shard has run with the settings of this merge,
    every source is on record once, by the shard that it falls into, and is still the file that it was then,
    and its copy is there. Afterwards the folder is as one machine would have left it, and `annotate` without
    shards goes on from there. The shards' own files stay, so that they go on, too.

    Args:
        folder: The output folder of all shards.
        sources: All that should be on record.
        classes: The model's class names.
        settings: What the results depend on, as JSON values.
        kind: Format of the records.
        people: Whether the shards have kept what tells people apart, which is done now.

    Attributes:
        records: Those of all shards, once they are merged.
        table: The records, for the user.
        people: In the end, how many there are.
    """

    def __init__(
        self,
        folder: Path,
        sources: Sources,
        classes: Sequence[str],
        settings: Mapping[str, object],
        kind: TableFormat,
        people: bool = False,
    ) -> None:
        self.people = RunPeople(folder) if people else None
        self._seen: dict[str, OnRecord] = {}
        self._folder, self._sources = folder, sources
        self._classes, self._kind, self._settings = classes, kind, dict(settings)
        self._table = RunTable(folder, classes, kind)
        self.records, self.table = self._table.rows, self._table.path
        self._stamps: dict[str, Any] = {}
        self._written: dict[Shard, dict[str, str]] = {}
        self._gone: list[str] = []

    def run(self) -> None:
        """Checks and writes.

        Raises:
            FercompError: Something is missing, doubled, stale or made in another way, or a shard still runs.
        """
        if not self._folder.is_dir():
            raise FercompError(f"{self._folder} not found: --output is the folder that all shards wrote into")
        with exclusive(self._folder, busy_folder(self._folder)):
            shards, found = require_all_shards(self._folder / RUN), self._sources.found
            index: dict[str, OnRecord] = {}
            for shard in shards:
                index |= self._of_shard(shard)
            whole = RunFile(self._folder, self._settings)
            names = self._names(shards)
            self._require_done(index, names, shards[0].of)
            if self._gone:
                gone = count(len(self._gone), "file")
                say(f"{gone} no longer in {self._sources.root}: off the records ({self._gone[0]}, ...)")
            changed = whole.changed()
            if changed is not None or self.records.is_strange():
                keep_aside(self.records, changed)
            # Without stamps nothing counts as done, should this be killed between records and run file.
            written = [(name, file) for file in found.files for name in names.of(file).all()]
            written += self._table.clear(whole.written or ())
            whole.write((), written, ())
            self._write(index)
            whole.write(((file, self._stamps[file]) for file in found.files), written, ())

    def _of_shard(self, shard: Shard) -> dict[str, OnRecord]:
        """Returns what one shard has on record, which is checked as far as it concerns this shard alone."""
        run = RunFile(self._folder, self._settings, shard)
        changed = run.changed()
        if changed is not None:
            known = {} if "fercomp" in changed and changed["fercomp"] is None else changed
            other = ", ".join(f"{name} {str(value)[:80]}" for name, value in known.items())
            raise FercompError(
                f"shard {shard} in {self._folder} was made with other settings ({other or 'unknown ones'}): "
                "merge with its options, or run it again with these"
            )
        records = RunTable(self._folder, self._classes, self._kind, shard).rows
        if not records.path.is_file() or records.is_strange():
            raise FercompError(
                f"{records.path} is missing or was changed by another program: run shard {shard} again"
            )
        if doubled := next(_doubled(records), None):
            raise FercompError(
                f"{records.path} has {doubled} twice: two machines were at one shard; remove it and run "
                f"shard {shard} again"
            )
        self._written[shard] = run.written or {}
        index = {}
        seen = RunPeople(self._folder, shard).begin(()) if self.people else {}
        self._seen |= seen
        for file, entry in records.index().items():
            if self.people and file not in seen and entry.usable:  # not done
                continue
            if file.endswith("/"):  # a folder, which is looked into here
                continue
            if not shard.holds(file):
                raise FercompError(
                    f"{records.path} has {file}, of another shard: run shard {shard} again, then merge"
                )
            if file in self._sources.found:
                index[file] = entry
                self._stamps[file] = run.stamps.get(file)
            else:
                self._require_gone(file, shard)
        return index

    def _require_gone(self, file: str, shard: Shard) -> None:
        """Refuses what a shard has seen and this machine does not find, unless it was removed."""
        path = self._sources.root / file
        hidden = any(file.startswith(folder) for folder in self._sources.problems)
        if hidden or os.path.lexists(path):
            raise FercompError(
                f"shard {shard} has {file} on record, which is not found here: merge with the paths that the "
                "shards had, on a machine that sees all of them"
            )
        self._gone.append(file)

    def _names(self, shards: Sequence[Shard]) -> OutputNames:
        """Returns how the copies are called.

        Raises:
            FercompError: Two shards have given one name to two files.
        """
        owners: dict[str, str] = {}
        for shard in shards:
            for name, file in self._written[shard].items():
                if file not in self._sources.found:
                    continue
                if owners.setdefault(name, file) != file:
                    raise FercompError(
                        f"{self._folder / name} is the copy of {owners[name]} and of {file}: shards saw "
                        f"different files; remove it, and run {told_shards(shards)} again"
                    )
        return output_names(self._sources.found, owners)

    def _require_done(self, index: Mapping[str, OnRecord], names: OutputNames, of: int) -> None:
        found = self._sources.found
        missing = [s for s in found if not self._is_done(s, index.get(s.file), names.of(s.file))]
        if missing:
            shards = sorted({Shard.holding(source.file, of) for source in missing})
            some = told_few([source.file for source in missing], 3)
            raise FercompError(
                f"{count(len(missing), 'file')} not on record as they are now ({some}): "
                f"run {told_shards(shards)} again, then merge"
            )

    def _is_done(self, source: Photo | Video, entry: OnRecord | None, names: Names) -> bool:
        # Not the inode, which is another one on some machines that share a disk.
        if entry is None or _same(self._stamps[source.file]) != _same(source.now()):
            return False
        return not entry.usable or (self._folder / names.all()[-1]).is_file()

    def _write(self, index: Mapping[str, OnRecord]) -> None:
        """Writes the records, and a row for each folder that cannot be looked into, as one machine would."""
        self.records.rewrite(index[file] for file in sorted(index, key=by_folders))
        if self._sources.problems:
            with self.records:
                for file, reason in self._sources.problems.items():
                    self.records.append([problem_row(file, reason)])
            index = self.records.index()
            self.records.rewrite(index[file] for file in sorted(index, key=by_folders))
        if self.people:
            self.people.merge({file: self._seen[file] for file in index if file in self._seen}, self.records)
        self._table.finish()


def _same(stamp: object) -> object:
    return stamp[:2] if isinstance(stamp, list) else None


def _doubled(records: Records) -> Iterator[str]:
    """Gives files with a picture that is on record twice: frames are in order, a photo is one picture."""
    last: dict[str, float] = {}
    for rows in records.pictures():
        file, frame = rows[0]["file"], rows[0]["frame"]
        number = int(frame) if frame.isdecimal() else float("inf")  # the last row of a clip may have no frame
        if number <= last.get(file, -1):
            yield file
        last[file] = number
