"""Where annotated pictures and their records go."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Self

from fercomp.annotate.names import output_names
from fercomp.annotate.record_rows import columns
from fercomp.annotate.records import OnRecord, RecordFormat, Records
from fercomp.annotate.run_file import RunFile, is_ours, stamp
from fercomp.annotate.sources import Photo, Video
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file
from fercomp.core.locks import exclusive
from fercomp.core.parts import sweep_parts
from fercomp.core.progress import count, say


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
        kind: Format of the records.
        force: Replace what was not written here.

    Raises:
        FercompError: Copies would overwrite the sources themselves, or, on entering, files that were not
            written here; or another process is writing there; or, at the end, somebody has taken the records.
    """

    def __init__(
        self,
        folder: Path,
        root: Path,
        sources: Sequence[Photo | Video],
        classes: Sequence[str],
        settings: Mapping[str, object],
        kind: RecordFormat = "csv",
        force: bool = False,
    ) -> None:
        self.folder = folder
        self._root, self._sources, self._force = root, sources, force
        self._names = output_names(sources)
        self._require_no_original()
        self.records = Records(folder / f"records.{kind}", columns(classes), kind)
        self._settings = dict(settings)
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            busy = f"another fercomp is writing into {self.folder}: wait for it, or choose another --output"
            stack.enter_context(exclusive(self.folder, busy))
            self._run = RunFile(self.folder, self._settings)
            changed = self._run.changed()
            same = changed is None and not self.records.is_strange()
            index = self.records.index() if same else {}
            gone = [file for file in index if file not in self._names and not self._is_there(file)]
            written = (self._run.written or {}).items()
            owners = {name: file for name, file in written if file in index and file not in gone}
            self._names = output_names(self._sources, owners)
            self._require_no_original()
            self._require_ours()
            for place in {self.copy_of(source).parent for source in self._sources}:
                sweep_parts(place)
            if not same:
                self._start_anew(changed)
            kept = self._kept(index, gone)
            # The records first: a kill between the two leaves other settings, so the next run starts anew.
            self.records.rewrite(kept.values())
            names = {source.file: self._names[source.file].all() for source in self._sources}
            self._run.write({source.file: stamp(source.path) for source in self._sources}, names, kept)
            self.todo = [source for source in self._sources if source.file not in kept]
            stack.enter_context(self.records)
            self._held = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._held:
            if kind is None:  # what an earlier run left out comes to its place
                self.records.require_in_place()
                index = self.records.index()
                ordered = sorted(index, key=PurePosixPath)
                if ordered != list(index):
                    self.records.close()
                    self.records.rewrite(index[file] for file in ordered)

    def write_copy(self, photo: Photo, copy: bytes) -> None:
        """Writes the annotated copy of a photo, before its rows come on record; from any thread."""
        with atomic_file(self.copy_of(photo)) as temporary:
            temporary.write_bytes(copy)

    def copy_of(self, source: Photo | Video) -> Path:
        """Returns the path of a copy, which mirrors its original's."""
        return self.folder / self._names[source.file].copy

    def timeline_of(self, video: Video) -> Path:
        """Returns the path of a clip's timeline."""
        return self.folder / self._names[video.file].timeline

    def _kept(self, index: Mapping[str, OnRecord], gone: Sequence[str]) -> dict[str, OnRecord]:
        ours = {source.file: source for source in self._sources}
        if gone:
            say(f"{count(len(gone), 'file')} no longer in {self._root}: off the records ({gone[0]}, ...)")
        return {
            file: entry
            for file, entry in index.items()
            if (entry.usable and self._is_done(ours[file]) if file in ours else file not in gone)
            and not file.endswith("/")  # a folder, which each run looks into anew
        }

    def _start_anew(self, changed: Mapping[str, object] | None) -> None:
        """Starts without rows; those that are there are kept aside, whoever wrote them.

        Args:
            changed: The earlier run's settings, empty where nothing is known of them; `None` where they are
                the same, and the records have been changed.
        """
        by = ", ".join(f"{name} {str(value)[:80]}" for name, value in (changed or {}).items())
        held = f"holds another run ({by or 'an unknown one'})"
        if changed is None:
            held = f"has a {self.records.path.name} that was changed by another program"
        kept = "starting anew"
        if not self.records.is_empty():
            aside = next(
                path
                for number in range(1, 10**6)
                if not (path := self.records.path.with_stem(f"records.{number}")).exists()
            )
            self.records.path.replace(aside)
            kept = f"its rows are now {aside.name}; to keep both apart, use --output DIR"
        elif not changed:
            return
        say(f"{self.folder} {held}: {kept}")

    def _is_there(self, file: str) -> bool:
        # An escaped name does not say what the file is called.
        return "\\" in file or (self._root / file).exists()

    def _is_done(self, source: Photo | Video) -> bool:
        last = self.timeline_of(source) if isinstance(source, Video) else self.copy_of(source)
        now = stamp(source.path)
        return now is not None and self._run.stamps.get(source.file) == now and last.is_file()

    def _require_no_original(self) -> None:
        """Refuses copies that would come to lie where a source is, by whatever links."""
        folders: dict[Path, str] = {}

        def real(path: Path) -> str:
            if path.parent not in folders:
                folders[path.parent] = os.path.realpath(path.parent)
            return f"{folders[path.parent]}/{path.name}"

        sources = {real(source.path) for source in self._sources}
        written = {real(self.folder / name) for names in self._names.values() for name in names.all()}
        if written & sources:
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
        written = self._run.written or ()
        foreign = [
            name
            for file, names in self._names.items()
            for name in names.all()
            if name not in written and file not in self._run.recorded and os.path.lexists(self.folder / name)
        ]
        if foreign:
            more = f" and {len(foreign) - 1:,} more" if len(foreign) > 1 else ""
            raise FercompError(
                f"{self.folder / foreign[0]}{more} would be replaced, which annotate did not write: move it, "
                "choose another --output, or --force"
            )
