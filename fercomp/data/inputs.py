"""Photos of a table as model input: the only road from `datasets/raw` to a network."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from fercomp.core.parallel import in_order, thread_pool, threads
from fercomp.core.progress import track
from fercomp.faces.crop import face_input, whole_box
from fercomp.media.images import decode_photo, read_file
from fercomp.media.problems import ImageProblem

READERS: Final = 4
"""Most threads that read: decoding releases the interpreter lock, and more would only wait for the disk."""

MOST_WAITING: Final = 2**28
"""Bytes of decoded photos that wait to be taken."""

FINER: Final = 2
"""A JPEG is decoded at a reduced scale where it stays this many times larger than the network's input: area
averaging then gives the same pixels but for half a grey level or one, in half of the time."""


def face_of(data: bytes, size: int, name: str = "the photo") -> np.ndarray:
    """Decodes a photo that is already framed on a face: the only way in which such a one becomes model input.

    Args:
        data: The bytes of its file.
        size: Side of the model's input in pixels, S.
        name: What to call it in an error.

    Returns:
        `(S, S, 3)` uint8 RGB.

    Raises:
        ImageProblem: The photo cannot be used.
    """
    image = decode_photo(data, name, least=FINER * size).pixels
    return face_input(image, whole_box(image), size, margin=0.0)


def read_face(path: Path, size: int) -> np.ndarray:
    """Reads a photo that is already framed on a face, as `face_of` does."""
    return face_of(read_file(path), size, str(path))


class Photos:
    """N photos as model input, decoded whenever they are taken.

    Args:
        raw: The folder that `paths` are relative to.
        paths: N paths.
        size: Side of the model's input in pixels, S.
    """

    def __init__(self, raw: Path, paths: Sequence[str], size: int) -> None:
        self._raw = raw
        self._paths = paths
        self._size = size

    def __len__(self) -> int:
        """Returns the number of photos, N."""
        return len(self._paths)

    def face(self, i: int) -> np.ndarray:
        """Returns photo i, `(S, S, 3)` uint8 RGB, not to be written to; from any thread."""
        return read_face(self._raw / self._paths[i], self._size)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Returns photos `(n, S, S, 3)` uint8 RGB of `(n,)` int rows."""
        faces = np.empty((len(rows), self._size, self._size, 3), dtype=np.uint8)
        for face, row in zip(faces, rows, strict=True):
            face[...] = self.face(row)
        return faces

    def _bytes(self, rows: np.ndarray) -> int:
        return len(rows) * self._size * self._size * 3

    def in_batches(self, batch_size: int, bar: bool = True) -> Iterator[np.ndarray]:
        """Yields all photos in order, `(n, S, S, 3)`, a few batches ahead of whoever takes them.

        Args:
            batch_size: Photos in a batch, n, but for the last.
            bar: Whether a bar shows how far that is.
        """
        n = len(self)
        batches = [np.arange(start, min(start + batch_size, n)) for start in range(0, n, batch_size)]
        readers = threads(READERS)
        with thread_pool(readers) as pool:
            taken = in_order(pool, self.take, batches, 2 * readers, self._bytes, MOST_WAITING)
            yield from track(taken, "reading photos", "batch", len(batches)) if bar else taken


def read_faces(raw: Path, image_paths: Sequence[str], size: int) -> np.ndarray:
    """Reads a few photos into one array.

    Args:
        raw: The folder that `image_paths` are relative to.
        image_paths: N paths.
        size: Side of the model's input in pixels, S.

    Returns:
        `(N, S, S, 3)` uint8 RGB.
    """
    return Photos(raw, image_paths, size).take(np.arange(len(image_paths)))


def readable_faces(
    raw: Path, image_paths: Sequence[str], size: int, most: int
) -> tuple[list[int], list[np.ndarray]]:
    """Reads the first photos that can be read.

    Args:
        raw: The folder that `image_paths` are relative to.
        image_paths: N paths.
        size: Side in pixels, S.
        most: How many are enough.

    Returns:
        Which of the paths these are, and the photos, `(S, S, 3)` uint8 RGB each.
    """
    places: list[int] = []
    faces: list[np.ndarray] = []
    for i, path in enumerate(image_paths):
        if len(faces) == most:
            break
        with suppress(ImageProblem):
            faces.append(read_face(raw / path, size))
            places.append(i)
    return places, faces
