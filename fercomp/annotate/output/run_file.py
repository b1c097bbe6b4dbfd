"""`run.json` of an output folder: by what the records were made, of which files, and what was written."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from functools import cached_property
from itertools import chain, groupby
from pathlib import Path
from typing import Any, Final, TextIO

from fercomp.annotate.sources.found import Stamp
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file
from fercomp.core.reading import is_there, read_json
from fercomp.core.shards import Shard, shards_beside

RUN: Final = "run.json"
_LARGEST: Final = 2**30
"""Bytes of a `run.json`; a source has 200 and three times its name."""

_SOURCES: Final = "sources"
_WRITTEN: Final = "written"
_MARKS: Final = frozenset({"fercomp", "fingerprint"})
"""Settings by which a `run.json` is known from that of another program."""

_COLUMNS: Final = frozenset({"file", "status", "face", "faces", "emotion"})
"""Columns by which records are known, also those of other versions and models."""

_ENCODE: Final = json.JSONEncoder(indent=2, ensure_ascii=False, allow_nan=False).encode


def is_ours(folder: Path) -> bool:
    """Says whether a folder is empty, but for hidden files, or holds what `annotate` writes."""
    if all(entry.name.startswith(".") or _is_begun(entry) for entry in folder.iterdir()):
        return True
    runs = [run for path in _run_files(folder) if (run := _read(path))]
    return any(run.keys() >= _MARKS for run in runs) if runs else bool(_recorded(folder))


def _is_begun(path: Path) -> bool:
    """Says whether these are records without a row, all that a run leaves that is killed as it begins."""
    begun = fnmatch(path.name, "records.jsonl") or fnmatch(path.name, "records.shard-*-of-*.jsonl")
    return begun and path.is_file() and path.stat().st_size == 0


def _recorded(folder: Path) -> set[str]:
    """Returns what the records of all runs have as `file`, with the header's; none where no run was."""
    files = set()
    for path in (*folder.glob("records*.csv"), *folder.glob("records*.jsonl")):
        try:
            if path.is_file():  # to open a pipe is to wait for its other end
                with path.open(encoding="utf-8", errors="replace", newline="") as lines:
                    rows = _json_rows(lines) if path.suffix == ".jsonl" else _csv_rows(lines)
                    files |= {str(row["file"]) for row in rows if row.keys() >= _COLUMNS}
        except (OSError, ValueError, RecursionError, csv.Error):  # cut off, or of somebody else
            continue
    return files


def _csv_rows(lines: TextIO) -> Iterator[dict[str, Any]]:
    header = next(csv.reader(lines), [])
    yield dict(zip(header, header, strict=True))
    yield from csv.DictReader(lines, header)


def _json_rows(lines: TextIO) -> Iterator[dict[str, Any]]:
    return (row for row in map(json.loads, lines) if isinstance(row, dict))


class RunFile:
    """What a run reads of the one before, and leaves for the next.

    Args:
        folder: The output folder.
        settings: What the results depend on, as JSON values.
        shard: The part of the sources that this run is about, which has a file of its own.

    Attributes:
        stamps: By `file`, what the sources were when the last run began.
        written: By name relative to the folder, the `file` for which runs have written it, empty where an
            earlier version did; `None` where that is not known, because that version was still older, or
            somebody has changed `run.json`.
        recorded: Where that is not known, the files that have rows.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object], shard: Shard | None = None) -> None:
        whole = folder / RUN
        self._path = shard.beside(whole) if shard else whole
        self._settings = dict(settings)
        self._before = _read(self._path)
        before = self._before or {}
        sources = before.pop(_SOURCES, None)
        self.stamps: dict[str, Any] = sources if isinstance(sources, dict) else {}
        self._others = [path for path in _run_files(folder) if path != self._path]
        self.written = _written(before)
        if self._before is None and (self._others or not any(folder.glob("records*"))):
            self.written = {}
        before.pop(_WRITTEN, None)
        self.recorded = _recorded(folder) if self.written is None else set()

    @cached_property
    def elsewhere(self) -> dict[str, str]:
        """As `written`, what the other runs into this folder wrote: of other shards, or of the whole."""
        runs = (_read(path) or {} for path in self._others)
        return {name: file for run in runs for name, file in (_written(run) or {}).items()}

    def changed(self) -> dict[str, object] | None:
        """Returns the earlier run's settings that are not this run's, none where nothing is known of it.

        Returns:
            `None` where the settings are the same.
        """
        if self._before == self._settings:
            return None
        if self._before is None:
            return {}
        keys = sorted({*self._before, *self._settings})
        return {
            key: self._before.get(key) for key in keys if self._before.get(key) != self._settings.get(key)
        }

    def write(
        self,
        stamps: Iterable[tuple[str, Stamp | None]],
        names: Iterable[tuple[str, str]],
        kept: Iterable[str],
    ) -> None:
        """Writes what this run is about to do, before it does anything.

        Args:
            stamps: Each `file` with what the source is now.
            names: Names of what is written, each with its `file`.
            kept: The files that stay on record, also of earlier runs.
        """
        earlier = {file: self.stamps[file] for file in kept if file in self.stamps}
        if earlier:
            stamps = {**earlier, **dict(stamps)}.items()
        values = {
            **self._settings,
            _SOURCES: iter(stamps),
            _WRITTEN: _sorted(chain((self.written or {}).items(), names)),
        }
        with (
            atomic_file(self._path) as temporary,
            temporary.open("w", encoding="utf-8", newline="\n") as file,
        ):
            file.writelines(_json(values.items()))
            file.write("\n")


def busy_folder(folder: Path) -> str:
    """Returns what is told where another process writes into an output folder."""
    return f"another fercomp is writing into {folder}: wait for it, or choose another --output"


def _sorted(names: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Gives names with their `file` in order, the last of equal ones; mostly both are one text."""
    files: dict[str, str] = {}
    ordered = []
    for name, file in names:
        ordered.append(name)
        if name != file or name in files:
            files[name] = file
    ordered.sort()
    return ((name, files.get(name, name)) for name, _ in groupby(ordered))


def _json(items: Iterable[tuple[str, object]], margin: str = "") -> Iterator[str]:
    """Gives a JSON object as `write_json` writes it, piece by piece; an iterator is an object in it."""
    before = "{"
    for name, value in items:
        yield f"{before}\n{margin}  {_ENCODE(name)}: "
        if isinstance(value, Iterator):
            yield from _json(value, f"{margin}  ")
        else:
            yield _ENCODE(value).replace("\n", f"\n{margin}  ")
        before = ","
    yield "{}" if before == "{" else f"\n{margin}}}"


def _run_files(folder: Path) -> list[Path]:
    """Returns the files of all runs into a folder: of shards, and of the whole."""
    whole = folder / RUN
    return [*([whole] if is_there(whole) else []), *(shard.beside(whole) for shard in shards_beside(whole))]


def _written(run: Mapping[str, Any]) -> dict[str, str] | None:
    """Returns which names a run has written for which `file`; `None` where it does not say."""
    written = run.get(_WRITTEN)
    if isinstance(written, dict):
        return {name: str(file) for name, file in written.items()}
    return dict.fromkeys(map(str, written), "") if isinstance(written, list) else None


def _read(path: Path) -> dict[str, Any] | None:
    """Returns what an earlier run was made with: nothing known if damaged, `None` without such a run."""
    if not is_there(path):
        return None
    try:
        return read_json(path, _LARGEST, "")
    except FercompError:
        return {}
