"""`people.csv` of an output folder: who the people are called. Users write the names, runs keep them."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.files import write_text
from fercomp.core.reading import is_there, read_at_most

PEOPLE: Final = "people.csv"

PEOPLE_COLUMNS: Final = ("person", "name", "frames", "seconds", "files", "first")
"""The person's number, the name that a user gave, in how many photos and frames of clips the person is seen,
for how many seconds of clips, in how many files, and in which file first."""

_LARGEST: Final = 2**26
_LONGEST_NAME: Final = 200
_REMEDY: Final = "mend it, or remove it, which forgets the names"


@dataclass
class PersonCount:
    """How often a person is seen."""

    frames: int = 0
    seconds: float = 0.0
    files: int = 0
    first: str = ""


def read_names(path: Path) -> dict[int, str]:
    """Returns the names of the people who have one, by their numbers.

    Args:
        path: A `people.csv`, perhaps written by a spreadsheet: with commas, semicolons or tabs, columns in
            any order, further columns, rows of nothing. Without one there are no names.

    Raises:
        FercompError: It is no such table, or holds something that would be lost when it is written again.
    """
    return {person: name for person, name in read_written(path).items() if name}


def read_written(path: Path) -> dict[int, str]:
    """Returns the people of whom a user has written something, by their numbers.

    Args:
        path: As for `read_names`.

    Returns:
        Their names, empty where there is only something in a column that the user has added.

    Raises:
        FercompError: As `read_names`.
    """
    added, rows = _read(path)
    names = {person: " ".join(row["name"].split()) for person, row in rows.items()}
    for person, name in names.items():
        if len(name) > _LONGEST_NAME:
            raise FercompError(
                f"{path} gives the person {person} a name of {len(name):,} characters, at most "
                f"{_LONGEST_NAME} were expected: {_REMEDY}"
            )
    return {person: name for person, name in names.items() if name or any(map(rows[person].get, added))}


def write_people(path: Path, counts: Mapping[int, PersonCount], names: Mapping[int, str]) -> None:
    """Writes `people.csv`: everybody who is seen, and everybody of whom a user has written something.

    Args:
        path: The table. One with the same content is left alone; columns that a user has added stay.
        counts: By number, how often somebody is seen.
        names: By number, what somebody is called, as `read_written` gives it.

    Raises:
        FercompError: What is there is no such table.
    """
    added, rows = _read(path)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*PEOPLE_COLUMNS, *added))
    for person in sorted({*counts, *names}):
        count, before = counts.get(person, PersonCount()), rows.get(person, {})
        # In a spreadsheet, the name of somebody else's file would be computed.
        first = f"./{count.first}" if count.first.startswith(("=", "+", "-", "@")) else count.first
        row: Sequence[object] = (count.frames, f"{count.seconds:.2f}", count.files, first)
        writer.writerow((person, names.get(person, ""), *row, *(before.get(name, "") for name in added)))
    content = text.getvalue()
    if not path.is_file() or path.read_bytes() != content.encode():
        write_text(path, content)


def _read(path: Path) -> tuple[list[str], dict[int, dict[str, str]]]:
    """Reads the columns that a user has added, and by person the cells of a row by their headings.

    Raises:
        FercompError: It is no such table, or holds something that would be lost when it is written again.
    """
    if not is_there(path):
        return [], {}
    text = _text(path)
    first = (text.splitlines() or [""])[0]
    try:
        read = csv.reader(io.StringIO(text, None), delimiter=max(",;\t", key=first.count), strict=True)
        header = next(read, None) or list(PEOPLE_COLUMNS)
        lines = [(read.line_num, cells) for cells in read if any(cells)]
    except csv.Error as error:
        raise FercompError(f"{path} is not a CSV table ({error}): {_REMEDY}") from error
    if not lines and not {"person", "name"}.issubset(header):
        raise FercompError(f"{path} has no columns person and name: {_REMEDY}")
    if twice := [heading for heading in header if heading and header.count(heading) > 1]:
        raise FercompError(f"{path} has the column {twice[0]} twice: {_REMEDY}")
    rows: dict[int, dict[str, str]] = {}
    for line, cells in lines:
        person, row = _row(f"{path}, row {line}", header, cells)
        if person in rows:
            raise FercompError(f"{path} has the person {person} twice: {_REMEDY}")
        rows[person] = row
    return [heading for heading in header if heading and heading not in PEOPLE_COLUMNS], rows


def _text(path: Path) -> str:
    data = read_at_most(path, _LARGEST)
    try:
        # A character that is not understood would be lost when the table is written again.
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise FercompError(
            f"{path} is not UTF-8 ({error.reason} at byte {error.start}): save it as CSV UTF-8"
        ) from error


def _row(where: str, header: list[str], cells: list[str]) -> tuple[int, dict[str, str]]:
    """Returns the person of a row, and its cells by their headings."""
    row = dict(zip(header, cells, strict=False))
    person, name = row.get("person"), row.get("name")
    if name is None or person is None or not (person.strip().isdecimal() and len(person) < 16):
        raise FercompError(
            f"{where} has the person {person!r} and the name {name!r}: expected the columns "
            f"person, a number, and name; {_REMEDY}"
        )
    for heading, cell in zip_longest(header, cells, fillvalue=""):
        if cell.strip() and not heading:
            raise FercompError(f"{where} has {cell[:40]!r} in a column without a heading: {_REMEDY}")
    return int(person), row
