"""Where annotated pictures and their records go."""

import os
from collections.abc import Mapping, Sequence, Set
from contextlib import AbstractContextManager, ExitStack
from itertools import chain, pairwise
from pathlib import Path
from typing import Self

from fercomp.annotate.output.earlier_run import keep_aside, require_same_names, require_usable
from fercomp.annotate.output.names import output_names, without_copies, would_overwrite
from fercomp.annotate.output.run_file import RunFile, busy_folder, is_ours
from fercomp.annotate.people.run import RunPeople
from fercomp.annotate.records.file import OnRecord
from fercomp.annotate.records.parquet import RunTable, TableFormat
from fercomp.annotate.sources.found import Found, Photo, Video, by_folders
from fercomp.core.errors import FercompError
from fercomp.core.files import write_bytes
from fercomp.core.locks import exclusive, exclusive_part
from fercomp.core.progress import count, say
from fercomp.core.shards import Shard
from fercomp.core.temporary import sweep_parts


class OutputFolder:
    """A folder of annotated copies with their records, which goes on where an earlier run ended.

    `run.json` says by what the records were made. Where it says something else, the records start anew, and
    the earlier ones are kept under another name. A photo or clip is done when its rows are on record, what
    is written for it is there (its copy, a clip's timeline), and it is the same file as then: its size, time
    and inode say so. So what was changed, replaced, removed, stopped or could not be read is done
    again. What earlier runs put on record of other files stays, as long as these files are there.

    Args:
        folder: The folder, made if missing.
        root: The folder that the sources are in.
        sources: All that are to be on record in the end.
        classes: The model's class names.
        settings: What the results depend on, as JSON values; without `video`, clips have no copies.
        kind: Format of the records. A Parquet file is made at the end, of records as CSV.
        force: Replace what was not written here.
        shard: The part of the sources that is annotated here, with records of its own, while others may be
            annotated elsewhere. Copies have the names that they would have if all were annotated here.
        people: Keep what tells people apart, and number them in the end.

    Attributes:
        records: What is written while the run goes on.
        table: The records, for the user.
        people: What is kept of them, where that is wanted; once all is done, how many there are.
        by_others: Whether other machines write copies, which may be seen here late.

    Raises:
        FercompError: Copies would overwrite the sources themselves, or, on entering, files that were not
            written here; or what is on record would be done again under other names; or another process is
            writing there.
    """

    def __init__(
        self,
        folder: Path,
        root: Path,
        sources: Found,
        classes: Sequence[str],
        settings: Mapping[str, object],
        kind: TableFormat = "csv",
        force: bool = False,
        shard: Shard | None = None,
        people: bool = False,
    ) -> None:
        self.folder = folder
        self.people = RunPeople(folder, shard) if people else None
        self._root, self._all, self._force, self._shard = root, sources, force, shard
        self._sources = sources.only(shard.holds) if shard else sources
        self._names = output_names(sources)
        self._require_no_original()
        self._table = RunTable(folder, classes, kind, shard)
        self.records, self.table = self._table.rows, self._table.path
        self._settings = dict(settings)
        self._held, self.by_others = ExitStack(), False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._alone())
            run = RunFile(self.folder, self._settings, self._shard)
            changed = run.changed()
            same = changed is None and not self.records.is_strange()
            index = self.records.index() if same else {}
            gone = [file for file in index if file not in self._all and not self._is_there(file)]
            self._names = output_names(self._all, self._owners(run, index.keys() - gone))
            self._require_allowed(run, changed)
            if not same:
                require_usable(self.records, self._all)
            embedded = self.people.begin(map(self._name_of, self._sources.files)) if self.people else None
            self._sweep()
            if not same:
                keep_aside(self.records, changed)
            kept = {
                file: entry
                for file, entry in self._kept(run, index, gone).items()
                if embedded is None or file in embedded or file not in self._sources
            }
            self.todo = self._sources.only(lambda file: file not in kept)
            self._begin(run, kept, is_changed=bool(self.todo) or len(kept) < len(index))
            stack.enter_context(self.records)
            if self.people:
                stack.enter_context(self.people.adding())
            self._held = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._held:
            if kind is None:
                self._finish()

    def _require_allowed(self, run: RunFile, changed: Mapping[str, object] | None) -> None:
        """Refuses to replace originals or somebody else's files, and to do again what has other names now."""
        self._require_no_original()
        if not self._force:
            require_same_names(self.records, changed, self._settings.get("input"), self._all.files)
            self._require_ours(run)

    def _owners(self, run: RunFile, recorded: Set[str]) -> dict[str, str]:
        """Returns names of copies that are taken, with their `file`: on record, or of other shards."""
        owners = {name: file for name, file in (run.written or {}).items() if file in recorded}
        if self._shard:
            owners |= {name: file for name, file in run.elsewhere.items() if file in self._all}
        return owners

    def _sweep(self) -> None:
        """Removes what killed runs left unfinished."""
        for place in {(self.folder / self._name_of(file)).parent for file in self._sources.files}:
            sweep_parts(place, here=self._shard is not None)

    def _begin(self, run: RunFile, kept: Mapping[str, OnRecord], is_changed: bool) -> None:
        """Leaves on record what stays, and writes what this run is about to do."""
        also = self._table.clear(run.written or (), is_changed)
        # The records first: a kill between the two leaves other settings, so the next run starts anew.
        self.records.rewrite(kept.values())
        if self.people:
            self.people.keep(kept)
        names = ((name, file) for file in self._sources.files for name in self._names.of(file).all())
        run.write(((s.file, s.now()) for s in self._sources), chain(names, also), kept)

    def _finish(self) -> None:
        """Brings what an earlier run left out to its place, and makes what is made of all records."""
        self.records.put_back()
        files = (by_folders(rows[0]["file"]) for rows in self.records.pictures())
        if any(file > following for file, following in pairwise(files)):
            index = self.records.index()
            self.records.close()
            self.records.rewrite(index[file] for file in sorted(index, key=by_folders))
        if self.people:
            self.records.close()
            self.people.finish(self.records)
        self._table.finish()
        if not self.by_others:
            self._require_copies()

    def _require_copies(self) -> None:
        """Tells of what is on record without its copy, as where somebody has emptied the folder meanwhile."""
        lacking = without_copies(self.folder, self._sources.files, self._lasting)
        index = self.records.index() if lacking else {}
        if lacking := [file for file in lacking if file in index and index[file].usable]:
            raise FercompError(
                f"the copies of {count(len(lacking), 'file')} in {self.folder} were removed while it ran "
                f"({lacking[0]}, ...): the same command makes them again"
            )

    def _alone(self) -> AbstractContextManager[None]:
        """Keeps other processes out, or from this shard."""
        busy = busy_folder(self.folder)
        if self._shard is None:
            return exclusive(self.folder, busy)
        mine = (
            f"another fercomp is at shard {self._shard} in {self.folder}: give each shard to one machine only"
        )
        return exclusive_part(self.folder, self._shard.tag, mine, busy)

    def write_copy(self, photo: Photo, copy: bytes) -> None:
        """Writes the annotated copy of a photo, before its rows come on record; from any thread."""
        write_bytes(self.copy_of(photo), copy)

    def copy_of(self, source: Photo | Video) -> Path:
        """Returns the path of a copy, which mirrors its original's."""
        return self.folder / self._name_of(source.file)

    def timeline_of(self, video: Video) -> Path:
        """Returns the path of a clip's timeline."""
        return self.folder / self._names.of(video.file).timeline

    def _name_of(self, file: str) -> str:
        return self._names.of(file).copy

    def _lasting(self, file: str) -> tuple[str, ...]:
        """Returns the names of what is there of a source that is done: its copy, a clip's timeline."""
        names = self._names.of(file).all()
        return names if self._settings.get("video", True) else names[-1:]

    def _kept(self, run: RunFile, index: Mapping[str, OnRecord], gone: Sequence[str]) -> dict[str, OnRecord]:
        """Returns what stays on record."""
        ours = self._sources
        if gone:
            say(f"{count(len(gone), 'file')} no longer in {self._root}: off the records ({gone[0]}, ...)")
        return {
            file: entry
            for file, entry in index.items()
            if (entry.usable and self._is_done(ours.named(file), run) if file in ours else file not in gone)
            and (self._shard is None or self._shard.holds(file))
            and not file.endswith("/")  # a folder, which each run looks into anew
        }

    def _is_there(self, file: str) -> bool:
        # An escaped name does not say what the file is called.
        return "\\" in file or (self._root / file).exists()

    def _is_done(self, source: Photo | Video, run: RunFile) -> bool:
        now = source.now()
        same = now is not None and run.stamps.get(source.file) == now
        return same and all((self.folder / name).is_file() for name in self._lasting(source.file))

    def _require_no_original(self) -> None:
        """Refuses copies that would come to lie where a source is, by whatever links."""
        names = (name for file in self._all.files for name in self._names.of(file).all())
        if would_overwrite((f"{self.folder}/{name}" for name in names), self._sources):
            raise FercompError(
                f"copies in {self.folder} would overwrite the originals: choose another --output"
            )

    def _require_ours(self, run: RunFile) -> None:
        """Refuses to write where somebody else's files are."""
        if not is_ours(self.folder):
            raise FercompError(
                f"{self.folder} holds files that annotate did not write: choose another --output, or --force"
            )
        elsewhere, written, recorded = run.elsewhere, run.written or {}, run.recorded
        foreign = [
            name
            for file in self._sources.files
            for name in self._names.of(file).all()
            if name not in elsewhere
            and name not in written
            and file not in recorded
            and os.path.lexists(self.folder / name)
        ]
        if foreign:
            more = f" and {len(foreign) - 1:,} more" if len(foreign) > 1 else ""
            raise FercompError(
                f"{self.folder / foreign[0]}{more} would be replaced, which annotate did not write: move it, "
                "choose another --output, or --force"
            )
