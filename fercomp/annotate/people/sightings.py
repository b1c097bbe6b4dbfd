"""What is kept of a face, or of a track, until it is known whose it is."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from fercomp.annotate.people.embedder import EMBEDDING_WIDTH, RECOGNISABLE, embedded_face, embedding, unit
from fercomp.annotate.records.rows import FACE, NO_FACE, Row
from fercomp.core.csv_table import FLOAT_FORMAT
from fercomp.faces.found import Faces, known
from fercomp.faces.quality import face_sizes

SIGHTING_COLUMNS: Final = (
    "file",  # as in the records
    "status",  # face | no_face
    "frame",  # empty
    "track",  # of a clip; in a photo the number of the face
    "faces",  # rows of this file
    "frames",  # in which it is seen
    "seconds",  # for which it is seen; 0 in a photo
    "size",  # of its best face, pixels
    "quality",  # of its best face
    "apart",  # tracks that are seen beside it in one picture
    "embedding",  # float16, base64
    "thumbnail",  # JPEG, base64
)
"""Columns of the embeddings of a run; a table of `Records`, so that a kill loses nothing."""

THUMBNAIL: Final = 96
"""Side of a thumbnail in pixels."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """Somebody who is seen: a track of a clip, or a face of a photo.

    Attributes:
        track: Its number.
        frames: Number of frames in which it is seen.
        seconds: How long that is; 0 in a photo.
        size: Longer side of its best face, pixels.
        quality: Of its best face, 0 to 1.
        apart: Numbers of those that are seen in one picture with it, and so are other people.
        vector: `(EMBEDDING_WIDTH,)` float32 of length 1.
        thumbnail: JPEG of its best face.
    """

    track: int
    frames: int
    seconds: float
    size: float
    quality: float
    apart: frozenset[int]
    vector: np.ndarray
    thumbnail: bytes


def photo_sightings(image: np.ndarray, faces: Faces) -> list[Sighting]:
    """Looks at each face of a photo; those that cannot be recognised are left out.

    Args:
        image: `(h, w, 3)` uint8 RGB.
        faces: Its n faces with their qualities.
    """
    everybody = frozenset(range(len(faces)))
    sizes, qualities = face_sizes(faces.boxes).tolist(), known(faces.qualities).tolist()
    result = []
    for i in range(len(faces)):
        face = embedded_face(image, faces, i)
        vector = embedding(face)
        if np.linalg.norm(vector) >= RECOGNISABLE:
            apart, picture = everybody - {i}, face_jpeg(face)
            result.append(Sighting(i, 1, 0.0, sizes[i], qualities[i], apart, unit(vector), picture))
    return result


def face_jpeg(face: np.ndarray) -> bytes:
    """Returns a face `(S, S, 3)` uint8 RGB as a JPEG of `THUMBNAIL` pixels."""
    small = cv2.resize(face, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return data.tobytes()


def sighting_rows(file: str, sightings: Sequence[Sighting]) -> list[Row]:
    """Returns the rows of one file, at least one."""
    if not sightings:
        return [{"file": file, "status": NO_FACE, "faces": "0"}]
    return [
        {
            "file": file,
            "status": FACE,
            "track": str(one.track),
            "faces": str(len(sightings)),
            "frames": str(one.frames),
            "seconds": FLOAT_FORMAT % one.seconds,
            "size": f"{one.size:.1f}",
            "quality": FLOAT_FORMAT % one.quality,
            "apart": " ".join(map(str, sorted(one.apart))),
            "embedding": b64encode(one.vector.astype("<f2").tobytes()).decode(),
            "thumbnail": b64encode(one.thumbnail).decode(),
        }
        for one in sightings
    ]


def read_sighting(row: Row, with_thumbnail: bool = False) -> Sighting:
    """Reads a row of `sighting_rows`.

    Args:
        row: The row.
        with_thumbnail: Otherwise that is left empty, to save memory.

    Raises:
        ValueError: It is damaged.
    """
    vector = np.frombuffer(b64decode(row["embedding"], validate=True), "<f2").astype(np.float32)
    if vector.shape != (EMBEDDING_WIDTH,) or not np.isfinite(vector).all():
        raise ValueError(f"an embedding has {vector.shape} numbers")
    seconds, size, quality = (float(row[name]) for name in ("seconds", "size", "quality"))
    if not np.isfinite((seconds, size, quality)).all():
        raise ValueError("a number is not finite")
    return Sighting(
        int(row["track"]),
        int(row["frames"]),
        seconds,
        size,
        quality,
        frozenset(map(int, row["apart"].split())),
        unit(vector),
        b64decode(row["thumbnail"], validate=True) if with_thumbnail else b"",
    )
