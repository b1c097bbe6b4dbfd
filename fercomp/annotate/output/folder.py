"""Where annotated pictures and their records go."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import chain, pairwise
from pathlib import Path
from typing import Self

from fercomp.annotate.output.names import output_names, would_overwrite
from fercomp.annotate.output.run_file import RunFile, busy_folder, is_ours, keep_aside
from fercomp.annotate.people.run import RunPeople
from fercomp.annotate.records.parquet import (
    TableFormat,
    clear_parquet,
    parquet_of,
    rows_format,
    write_parquet,
)
from fercomp.annotate.records.rows import columns
from fercomp.annotate.records.table import OnRecord, Records
from fercomp.annotate.sources.found import Found, Photo, Video, by_folders
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file
from fercomp.core.locks import exclusive, exclusive_part
from fercomp.core.progress import count, say
from fercomp.core.shards import Shard
from fercomp.core.temporary import sweep_parts


class OutputFolder:
    """A folder of annotated copies with their records, which goes on where an earlier run ended.

    `run.json` says by what the records were made. Where it says something else, the records start anew, and
    the earlier ones are kept under another name. A photo or clip is done when its rows are on record, what
    is written last of it is there (a photo's copy, a clip's timeline), and it is the same file as then: its
    size, time and inode say so. So what was changed, replaced, removed, stopped or could not be read is done
    again. What earlier runs put on record of other files stays, as long as these files are there.

    Args:
        folder: The folder, made if missing.
        root: The folder that the sources are in.
        sources: All that are to be on record in the end.
        classes: The model's class names.
        settings: What the results depend on, as JSON values.
        kind: Format of the records. A Parquet file is made at the end, of records as CSV.
        force: Replace what was not written here.
        shard: The part of the sources that is annotated here, with records of its own, while others may be
            annotated elsewhere. Copies have the names that they would have if all were annotated here.
        people: Keep what tells people apart, and number them in the end.

    Attributes:
        people: What is kept of them, where that is wanted; once all is done, how many there are.

    Raises:
        FercompError: Copies would overwrite the sources themselves, or, on entering, files that were not
            written here; or another process is writing there; or, at the end, somebody has taken the records.
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
        rows, self._columns = rows_format(kind), columns(classes)
        path = folder / f"records.{rows}"
        self.records = Records(shard.beside(path) if shard else path, self._columns, rows)
        self._parquet = parquet_of(self.records.path) if kind == "parquet" else None
        self._settings = dict(settings)
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._alone())
            self._run = RunFile(self.folder, self._settings, self._shard)
            changed = self._run.changed()
            same = changed is None and not self.records.is_strange()
            index = self.records.index() if same else {}
            gone = [file for file in index if file not in self._all and not self._is_there(file)]
            written = (self._run.written or {}).items()
            owners = {name: file for name, file in written if file in index and file not in gone}
            if self._shard:
                elsewhere = self._run.elsewhere.items()
                owners |= {name: file for name, file in elsewhere if file in self._all}
            self._names = output_names(self._all, owners)
            self._require_no_original()
            self._require_ours()
            for place in {(self.folder / self._names.of(file).copy).parent for file in self._sources.files}:
                sweep_parts(place, here=self._shard is not None)
            if not same:
                keep_aside(self.records, changed)
            kept = self._kept(index, gone)
            if self.people:
                seen = self.people.begin(self._names.of(file).copy for file in self._sources.files)
                kept = {f: entry for f, entry in kept.items() if f in seen or f not in self._sources}
            self.todo = self._sources.only(lambda file: file not in kept)
            parquet = parquet_of(self.records.path).name
            ours = parquet in (self._run.written or ())
            if (self.todo or len(kept) < len(index)) if ours else self._parquet:
                clear_parquet(self.records.path, ours)
            # The records first: a kill between the two leaves other settings, so the next run starts anew.
            self.records.rewrite(kept.values())
            if self.people:
                self.people.keep(kept)
            names = ((name, file) for file in self._sources.files for name in self._names.of(file).all())
            also = [(parquet, "")] if self._parquet else []
            self._run.write(((s.file, s.now()) for s in self._sources), chain(names, also), kept)
            del self._run  # what it holds of an earlier run grows with that
            stack.enter_context(self.records)
            if self.people:
                stack.enter_context(self.people)
            self._held = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._held:
            if kind is None:  # what an earlier run left out comes to its place
                self.records.require_in_place()
                files = (by_folders(rows[0]["file"]) for rows in self.records.pictures())
                if any(file > following for file, following in pairwise(files)):
                    index = self.records.index()
                    self.records.close()
                    self.records.rewrite(index[file] for file in sorted(index, key=by_folders))
                if self.people:
                    self.records.close()
                    self.people.finish(self.records)
                if self._parquet:
                    write_parquet(self.records.path, self._columns)

    def _alone(self) -> AbstractContextManager[None]:
        """Keeps other processes out, or from this shard."""
        busy = busy_folder(self.folder)
        if self._shard is None:
            return exclusive(self.folder, busy)
        mine = (
            f"another fercomp is at shard {self._shard} in {self.folder}: give each shard to one machine only"
        )
        return exclusive_part(self.folder, self._shard.tag, mine, busy)

    @property
    def table(self) -> Path:
        """The records, for the user."""
        return self._parquet or self.records.path

    def write_copy(self, photo: Photo, copy: bytes) -> None:
        """Writes the annotated copy of a photo, before its rows come on record; from any thread."""
        with atomic_file(self.copy_of(photo)) as temporary:
            temporary.write_bytes(copy)

    def copy_of(self, source: Photo | Video) -> Path:
        """Returns the path of a copy, which mirrors its original's."""
        return self.folder / self._names.of(source.file).copy

    def timeline_of(self, video: Video) -> Path:
        """Returns the path of a clip's timeline."""
        return self.folder / self._names.of(video.file).timeline

    def _kept(self, index: Mapping[str, OnRecord], gone: Sequence[str]) -> dict[str, OnRecord]:
        ours = self._sources
        if gone:
            say(f"{count(len(gone), 'file')} no longer in {self._root}: off the records ({gone[0]}, ...)")
        return {
            file: entry
            for file, entry in index.items()
            if (entry.usable and self._is_done(ours.named(file)) if file in ours else file not in gone)
            and (self._shard is None or self._shard.holds(file))
            and not file.endswith("/")  # a folder, which each run looks into anew
        }

    def _is_there(self, file: str) -> bool:
        # An escaped name does not say what the file is called.
        return "\\" in file or (self._root / file).exists()

    def _is_done(self, source: Photo | Video) -> bool:
        last = self.timeline_of(source) if isinstance(source, Video) else self.copy_of(source)
        now = source.now()
        return now is not None and self._run.stamps.get(source.file) == now and last.is_file()

    def _require_no_original(self) -> None:
        """Refuses copies that would come to lie where a source is, by whatever links."""
        names = (name for file in self._all.files for name in self._names.of(file).all())
        if would_overwrite((f"{self.folder}/{name}" for name in names), self._sources):
            raise FercompError(
                f"copies in {self.folder} would overwrite the originals: choose another --output"
            )

    def _require_ours(self) -> None:
        """Refuses to write where somebody else's files are."""
        if self._force:
            return
        if not is_ours(self.folder):
            raise FercompError(
                f"{self.folder} holds files that annotate did not write: choose another --output, or --force"
            )
        elsewhere, written, recorded = self._run.elsewhere, self._run.written or {}, self._run.recorded
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
