"""`people.csv` of an output folder: who the people are called. Users write the names, runs keep them."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        FercompError: It is no such table.
    """
    names: dict[int, str] = {}
    for person, row in _rows(path):
        plain = " ".join(row["name"].split())[:_LONGEST_NAME]
        if plain and names.setdefault(person, plain) != plain:
            raise FercompError(f"{path} names the person {person} twice: {_REMEDY}")
    return names


def write_people(path: Path, counts: Mapping[int, PersonCount], names: Mapping[int, str]) -> None:
    """Writes `people.csv`: everybody who is seen, and everybody who has a name.

    Args:
        path: The table. One with the same content is left alone; columns that a user has added stay.
        counts: By number, how often somebody is seen.
        names: By number, what somebody is called.

    Raises:
        FercompError: What is there is no such table.
    """
    rows = dict(_rows(path))
    added = [name for name in next(iter(rows.values()), {}) if name and name not in PEOPLE_COLUMNS]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*PEOPLE_COLUMNS, *added))
    for person in sorted({*counts, *names}):
        count, before = counts.get(person, PersonCount()), rows.get(person, {})
        # In a spreadsheet, the name of somebody else's file would be computed.
        first = f"./{count.first}" if count.first.startswith(("=", "+", "-", "@")) else count.first
        row: Sequence[object] = (count.frames, f"{count.seconds:.2f}", count.files, first)
        writer.writerow((person, names.get(person, ""), *row, *(before.get(name) or "" for name in added)))
    content = text.getvalue()
    if not path.is_file() or path.read_bytes() != content.encode():
        write_text(path, content)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Reads the rows with their persons; of nothing else than these and the names it is known what they are.

    Raises:
        FercompError: It is no such table.
    """
    if not is_there(path):
        return []
    data = read_at_most(path, _LARGEST)
    try:
        # A character that is not understood would be lost when the table is written again.
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise FercompError(
            f"{path} is not UTF-8 ({error.reason} at byte {error.start}): save it as CSV UTF-8"
        ) from error
    header = (text.splitlines() or [""])[0]
    try:
        read = csv.DictReader(io.StringIO(text, None), delimiter=max(",;\t", key=header.count), strict=True)
        lines, columns = [(read.line_num, row) for row in read], read.fieldnames or PEOPLE_COLUMNS
    except csv.Error as error:
        raise FercompError(f"{path} is not a CSV table ({error}): {_REMEDY}") from error
    if not lines and not {"person", "name"}.issubset(columns):
        raise FercompError(f"{path} has no columns person and name: {_REMEDY}")
    rows = []
    for line, row in lines:
        person, name = row.get("person"), row.get("name")
        if name is not None and not any(value for key, value in row.items() if key):
            continue
        if name is None or person is None or not (person.strip().isdecimal() and len(person) < 16):
            raise FercompError(
                f"{path}, row {line} has the person {person!r} and the name {name!r}: expected the columns "
                f"person, a number, and name; {_REMEDY}"
            )
        rows.append((int(person), row))
    return rows
