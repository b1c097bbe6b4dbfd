"""What is written down of a picture: one row for every face, or one that says there is none."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from fercomp.annotate.recognise.recogniser import Picture
from fercomp.core.csv_table import FLOAT_FORMAT
from fercomp.core.tables import RAW, RECORDS
from fercomp.faces.found import Faces, known
from fercomp.faces.quality import face_sizes, rolls

FACE: Final = "face"
NO_FACE: Final = "no_face"
TRUNCATED: Final = "truncated"
"""The note of a photo that lacks its end and was used as far as it goes."""

ROWS: Final = 3
"""Raised with each change after which the same photo or clip may get other rows."""

TEXT: Final = frozenset({"file", "status", "emotion", "note"})
"""The columns that are no numbers."""

Row = Mapping[str, str]


def columns(classes: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns of the records of a model."""
    return (*RECORDS, *classes, *(f"{RAW}{name}" for name in classes))


def face_rows(file: str, faces: Faces) -> list[Row]:
    """Returns the rows of one picture: one for each named face, or one that says there is none."""
    if len(faces) == 0:
        return [{"file": file, "status": NO_FACE, "faces": "0"}]
    rolled = None if faces.landmarks is None else rolls(faces.landmarks)
    sizes, qualities = face_sizes(faces.boxes), faces.qualities
    emotions, confidences = known(faces.emotions), known(faces.confidences)
    pred_probs, points = known(faces.pred_probs), faces.valence_arousal
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
            **({} if rolled is None else {"roll": f"{rolled[i]:.1f}"}),
            "size": f"{sizes[i]:.1f}",
            **({} if qualities is None else {"quality": FLOAT_FORMAT % qualities[i]}),
            "emotion": emotions[i],
            "confidence": FLOAT_FORMAT % confidences[i],
            **({} if points is None else _numbers(("valence", "arousal"), points[i])),
            "faces": str(len(faces)),
            **_numbers(faces.classes, pred_probs[i]),
        }
        for i in range(len(faces))
    ]


def frame_rows(file: str, picture: Picture) -> list[Row]:
    """Returns the rows of one frame of a clip; raw probabilities are empty where it was not classified."""
    frame, faces = picture.frame, picture.faces
    moment = {"frame": str(frame.index), "time": FLOAT_FORMAT % frame.time}
    rows = face_rows(file, faces)
    if len(faces) == 0:
        return [{**row, **moment} for row in rows]
    names = [f"{RAW}{name}" for name in faces.classes]
    return [
        {**row, **moment, "track": str(track), **({} if np.isnan(raw).any() else _numbers(names, raw))}
        for row, track, raw in zip(rows, known(faces.tracks), known(faces.raw), strict=True)
    ]


def problem_row(file: str, reason: str) -> Row:
    """Returns the row of a file that could not be read."""
    return {"file": file, "status": reason, "faces": "0"}


def whole_number(text: str) -> int | None:
    """Reads a number that is 0 or more; `None` where there is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _numbers(names: Sequence[str], values: np.ndarray) -> dict[str, str]:
    return {name: FLOAT_FORMAT % value for name, value in zip(names, values, strict=True)}
