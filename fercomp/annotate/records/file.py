"""What was found, as lines of a file that survives being cut off at any byte.

One row for every face and one for every picture without a face, be it a photo or a frame of a clip. Every
row says how many faces its picture has, so a reader knows whether a picture is on record completely. The
file is read as a stream: a long clip has more rows than should be in memory at once.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final, Literal, Self

from fercomp.annotate.records.rows import FACE, NO_FACE, TEXT, Row, whole_number
from fercomp.core.errors import FercompError
from fercomp.core.files import append_whole, atomic_file, is_in_place, set_aside
from fercomp.core.progress import say

RecordFormat = Literal["csv", "jsonl"]

_MOST_OPEN: Final = 64


@dataclass
class OnRecord:
    """Where the rows of one file are.

    Attributes:
        path: The records that hold them.
        usable: It could be read.
        spans: Begin and end of its complete pictures, in bytes; pictures that follow each other are one span.
    """

    path: Path
    usable: bool = True
    spans: list[tuple[int, int]] = field(default_factory=list)


class Records:
    """A file of records, to which pictures are added, each wholly or not at all.

    Args:
        path: The file; it need not exist, and may have been cut off.
        columns: Its columns. A file with others has nothing on record.
        kind: CSV, or JSON lines in which numbers are numbers and empty values are null.
    """

    def __init__(self, path: Path, columns: Sequence[str], kind: RecordFormat = "csv") -> None:
        self.path = path
        self._columns = columns
        self._kind = kind
        titles = dict(zip(columns, columns, strict=True))
        self._header = self._lines([titles]) if kind == "csv" else b""

    def __enter__(self) -> Self:
        self._file = self.path.open("a+b", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the adding of pictures."""
        self._file.close()

    def append(self, rows: Sequence[Row]) -> None:
        """Writes the rows of one picture; takes back what was written of them if it cannot write all."""
        self.put_back()
        append_whole(self._file, self._lines(rows))

    def put_back(self) -> None:
        """Writes the file anew where somebody has removed or replaced it since it was opened.

        Nothing is lost: as long as it is open, its rows are there. What has its name now is set aside, a file
        once the rows are on disk again.

        Raises:
            FercompError: It cannot be written, or the disk does not tell one file from another.
        """
        if is_in_place(self._file, self.path):
            return
        aside = set_aside(self.path) if self.path.is_dir() else None
        with atomic_file(self.path) as temporary:
            with temporary.open("wb") as new:
                _copy(self._file, new, 0, self._file.seek(0, os.SEEK_END))
            if os.path.lexists(self.path):
                aside = set_aside(self.path)
        self.close()
        self._file = self.path.open("a+b", buffering=0)
        if not is_in_place(self._file, self.path):  # or each picture would write all rows anew
            raise FercompError(
                f"{self.path} is on a disk that does not say which file is which: choose another --output"
            )
        other = f", and what was there is now {aside.name}" if aside else ""
        say(f"{self.path} was removed or replaced while it was written: its rows are there again{other}")

    def pictures(self) -> Iterator[list[Row]]:
        """Gives the rows of each picture that is on record completely, in the order of the file."""
        for rows, _, _ in self._spans():
            yield rows

    def index(self) -> dict[str, OnRecord]:
        """Returns by `file` what is on record completely, in the order of the file."""
        index: dict[str, OnRecord] = {}
        for rows, begin, end in self._spans():
            entry = index.setdefault(rows[0]["file"], OnRecord(self.path))
            entry.usable &= rows[0]["status"] in (FACE, NO_FACE)
            if entry.spans and entry.spans[-1][1] == begin:
                begin = entry.spans.pop()[0]
            entry.spans.append((begin, end))
        return index

    def is_empty(self) -> bool:
        """Says whether nothing but a header, or a part of one, is there."""
        return not self.path.is_file() or self._header.startswith(self._beginning(1))

    def is_strange(self) -> bool:
        """Says whether it has other columns or line ends: those of another model, or of an editor."""
        if self.is_empty():
            return False
        if self._kind == "csv":
            return self._beginning() != self._header
        with self.path.open("rb") as file:
            return any(map(self._is_strange_line, file))

    def rewrite(self, files: Iterable[OnRecord]) -> None:
        """Writes the file anew, atomically: its header, and of what is on record these files only.

        Args:
            files: From here, or from other records of the same columns and format.
        """
        with atomic_file(self.path) as temporary, temporary.open("wb") as new, _Opened() as opened:
            new.write(self._header)
            for entry in files:
                for begin, end in entry.spans:
                    _copy(opened.file(entry.path), new, begin, end)

    def change(self, change: Callable[[Row], Row]) -> None:
        """Writes the file anew, atomically, with each row of what is on record completely changed."""
        with atomic_file(self.path) as temporary, temporary.open("wb") as new:
            new.write(self._header)
            for rows in self.pictures():
                new.write(self._lines(map(change, rows)))

    def _spans(self) -> Iterator[tuple[list[Row], int, int]]:
        """Gives the complete pictures with their begin and end in bytes."""
        for _, group in groupby(self._rows(), lambda line: (line[0]["file"], line[0]["frame"])):
            lines = list(group)
            rows = [row for row, _, _ in lines]
            if max(1, whole_number(rows[0]["faces"]) or 0) == len(rows):
                yield rows, lines[0][1], lines[-1][2]

    def _rows(self) -> Iterator[tuple[Row, int, int]]:
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            if file.read(len(self._header)) != self._header:
                return
            end = file.tell()
            for line in file:
                begin, end = end, end + len(line)
                # After a power cut a file may end in a part of a line, or in zeros.
                if b"\0" in line or not line.endswith(b"\n"):
                    return
                row = self._parsed(line.decode("utf-8", "replace"))
                if row is not None:
                    yield row, begin, end

    def _beginning(self, more: int = 0) -> bytes:
        with self.path.open("rb") as file:
            return file.read(len(self._header) + more)

    def _is_strange_line(self, line: bytes) -> bool:
        try:
            return tuple(json.loads(line)) != tuple(self._columns)
        except (ValueError, RecursionError, TypeError):  # damaged
            return False

    def _lines(self, rows: Iterable[Row]) -> bytes:
        text = io.StringIO()
        if self._kind == "csv":
            csv.DictWriter(text, self._columns, restval="", lineterminator="\n").writerows(rows)
        else:
            for row in rows:
                values = {name: _json_value(name, row.get(name, "")) for name in self._columns}
                text.write(json.dumps(values, ensure_ascii=False) + "\n")
        return text.getvalue().encode("utf-8")

    def _parsed(self, line: str) -> Row | None:
        """Returns the row of a line, or `None` where it is no row of these columns."""
        if self._kind == "csv":
            try:
                cells = next(csv.reader([line], strict=True), [])
            except csv.Error:
                return None
            return dict(zip(self._columns, cells, strict=True)) if len(cells) == len(self._columns) else None
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(values, dict) or tuple(values) != tuple(self._columns):
            return None
        return {name: "" if value is None else str(value) for name, value in values.items()}


def _json_value(name: str, text: str) -> str | float | int | None:
    if not text:
        return None
    if name in TEXT:
        return text
    try:
        return int(text) if text.lstrip("-").isdecimal() else float(text)  # 0.00001 is read as `1e-05`
    except ValueError:  # somebody has written something else
        return text


class _Opened:
    """Files that are read in turn; not all of them are open, since a process may have but some hundred."""

    def __init__(self) -> None:
        self._files: dict[Path, io.BufferedReader] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def file(self, path: Path) -> io.BufferedReader:
        if path not in self._files:
            if len(self._files) == _MOST_OPEN:
                self._files.pop(next(iter(self._files))).close()
            self._files[path] = path.open("rb")
        return self._files[path]


def _copy(old: io.FileIO | io.BufferedReader, new: io.BufferedWriter, begin: int, end: int) -> None:
    old.seek(begin)
    while begin < end:
        piece = old.read(min(2**20, end - begin))
        if not piece:
            raise EOFError("the records became shorter while they were read")
        new.write(piece)
        begin += len(piece)
