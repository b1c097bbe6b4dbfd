"""`run.json` of an output folder: by what the records were made, of which files, and what was written."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO

from fercomp.core.errors import FercompError
from fercomp.core.files import write_json
from fercomp.core.reading import is_there, read_json

RUN: Final = "run.json"
_LARGEST: Final = 2**28
"""Bytes of a `run.json`; a source has some 100."""

_SOURCES: Final = "sources"
_WRITTEN: Final = "written"
_MARKS: Final = frozenset({"fercomp", "fingerprint"})
"""Settings by which a `run.json` is known from that of another program."""

_COLUMNS: Final = frozenset({"file", "status", "face", "faces", "emotion"})
"""Columns by which records are known, also those of other versions and models."""

Stamp = list[int]
"""Size, time of the last change in nanoseconds, and inode of a file."""


def stamp(path: Path) -> Stamp | None:
    """Returns what tells a file from another one that took its place; `None` where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def is_ours(folder: Path) -> bool:
    """Says whether a folder is empty, but for hidden files, or holds what `annotate` writes."""
    if all(entry.name.startswith(".") or _is_begun(entry) for entry in folder.iterdir()):
        return True
    run = _read(folder / RUN)
    return run.keys() >= _MARKS if run else bool(_recorded(folder))


def _is_begun(path: Path) -> bool:
    """Says whether these are records without a row, all that a run leaves that is killed as it begins."""
    return path.name == "records.jsonl" and path.is_file() and path.stat().st_size == 0


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

    Attributes:
        stamps: By `file`, what the sources were when the last run began.
        written: By name relative to the folder, the `file` for which runs have written it, empty where an
            earlier version did; `None` where that is not known, because that version was still older, or
            somebody has changed `run.json`.
        recorded: Where that is not known, the files that have rows.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        self._path = folder / RUN
        self._settings = dict(settings)
        self._before = _read(self._path)
        before = self._before or {}
        sources, written = before.pop(_SOURCES, None), before.pop(_WRITTEN, None)
        self.stamps: dict[str, Any] = sources if isinstance(sources, dict) else {}
        self.written: dict[str, str] | None = None
        if isinstance(written, dict):
            self.written = {name: str(file) for name, file in written.items()}
        elif isinstance(written, list):
            self.written = dict.fromkeys(map(str, written), "")
        elif self._before is None and not any(folder.glob("records*")):
            self.written = {}
        self.recorded = _recorded(folder) if self.written is None else set()

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
        self, stamps: Mapping[str, Stamp | None], names: Mapping[str, Iterable[str]], kept: Iterable[str]
    ) -> None:
        """Writes what this run is about to do, before it does anything.

        Args:
            stamps: By `file`, what the sources are now.
            names: By `file`, the names of what is written.
            kept: The files that stay on record, also of earlier runs.
        """
        earlier = {file: self.stamps[file] for file in kept if file in self.stamps}
        new = {name: file for file, of_one in names.items() for name in of_one}
        write_json(
            self._path,
            {
                **self._settings,
                _SOURCES: {**earlier, **stamps},
                _WRITTEN: dict(sorted({**(self.written or {}), **new}.items())),
            },
        )


def _read(path: Path) -> dict[str, Any] | None:
    """Returns what an earlier run was made with: nothing known if damaged, `None` without such a run."""
    if not is_there(path):
        return None
    try:
        return read_json(path, _LARGEST, "")
    except FercompError:
        return {}
