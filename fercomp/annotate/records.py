"""What was found, as a CSV that survives being cut off at any byte.

One row for every face and one for every picture without a face. Every row says how many faces its picture
has, so a reader knows whether a picture is on record completely.
"""

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from fercomp.annotate.recogniser import Decisions
from fercomp.core.errors import FercompError
from fercomp.core.files import write_text
from fercomp.core.tables import FLOAT_FORMAT
from fercomp.faces.detect import Faces

FACE: Final = "face"
NO_FACE: Final = "no_face"

COLUMNS: Final = (
    "file",  # path relative to the folder that was annotated
    "status",  # face | no_face | why the file could not be read
    "face",  # number of the face in its picture, from 0, left to right
    "x1",  # pixels of the picture
    "y1",
    "x2",
    "y2",
    "score",  # of the detector
    "emotion",  # likeliest class, or `uncertain`
    "confidence",  # probability of the likeliest class
    "faces",  # number of faces in the picture
)
"""Columns of every record; after them, one with the probability of each class."""

Row = Mapping[str, str]


def columns(classes: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns of the records of a model.

    Raises:
        FercompError: A class is called as one of the other columns.
    """
    clash = set(classes) & set(COLUMNS)
    if clash:
        raise FercompError(
            f"the model's classes {sorted(clash)} are names of columns: train it with other names"
        )
    return (*COLUMNS, *classes)


def face_rows(file: str, faces: Faces, decisions: Decisions, classes: Sequence[str]) -> list[Row]:
    """Returns the rows of one picture: one for each face, or one that says there is none."""
    if len(faces) == 0:
        return [{"file": file, "status": NO_FACE, "faces": "0"}]
    return [
        {
            "file": file,
            "status": FACE,
            "face": str(i),
            **{
                name: f"{value:.1f}"
                for name, value in zip(("x1", "y1", "x2", "y2"), faces.boxes[i], strict=True)
            },
            "score": FLOAT_FORMAT % faces.scores[i],
            "emotion": decisions.emotions[i],
            "confidence": FLOAT_FORMAT % decisions.confidences[i],
            "faces": str(len(faces)),
            **{name: FLOAT_FORMAT % p for name, p in zip(classes, decisions.pred_probs[i], strict=True)},
        }
        for i in range(len(faces))
    ]


def problem_row(file: str, reason: str) -> Row:
    """Returns the row of a file that could not be read."""
    return {"file": file, "status": reason, "faces": "0"}


def read_records(path: Path, columns: Sequence[str]) -> dict[str, list[Row]]:
    """Reads what is on record completely.

    Args:
        path: The CSV; it need not exist, and may have been cut off.
        columns: The columns it should have.

    Returns:
        The rows of each picture by `file`, in the order of the CSV. Nothing where its columns are others.
    """
    if not path.is_file():
        return {}
    text = path.read_bytes().decode("utf-8", "replace")
    # After a power cut a file may end in a part of a line, or in zeros.
    whole_lines = text[: text.rfind("\n") + 1].partition("\0")[0]
    reader = csv.DictReader(io.StringIO(whole_lines, newline=""))
    if tuple(reader.fieldnames or ()) != tuple(columns):
        return {}
    groups: dict[str, list[Row]] = {}
    for row in reader:
        if None not in row and None not in row.values():
            groups.setdefault(row["file"], []).append(row)
    return {file: group for file, group in groups.items() if str(max(1, _count(group[0]))) == str(len(group))}


def write_records(path: Path, columns: Sequence[str], groups: Iterable[Sequence[Row]]) -> None:
    """Writes the header and the rows of some pictures, atomically."""
    header = dict(zip(columns, columns, strict=True))
    write_text(path, _csv(columns, [header, *(row for group in groups for row in group)]))


class RecordAppender:
    """Adds pictures to a CSV of records, each wholly or not at all.

    Args:
        path: The CSV, made by `write_records`.
        columns: Its columns.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._columns = columns
        self._file = path.open("ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, rows: Sequence[Row]) -> None:
        """Writes the rows of one picture; takes back what was written of them if it cannot write all."""
        start = self._file.seek(0, os.SEEK_END)
        left = memoryview(_csv(self._columns, rows).encode("utf-8"))
        try:
            while left:
                left = left[self._file.write(left) :]
        except BaseException:
            self._file.truncate(start)
            raise


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, columns, restval="", lineterminator="\n").writerows(rows)
    return text.getvalue()


def _count(row: Row) -> int:
    return int(row["faces"]) if row["faces"].isdecimal() else 0
