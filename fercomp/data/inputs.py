"""Photos of a table as model input: the only road from `datasets/raw` to a network."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from fercomp.core.parallel import in_order, threads
from fercomp.core.progress import track
from fercomp.faces.crop import face_input, whole_box
from fercomp.media.images import ImageProblem, read_image

READERS: Final = 4
"""Most threads that read: decoding releases the interpreter lock, and more would only wait for the disk."""


def read_face(path: Path, size: int) -> np.ndarray:
    """Reads a photo that is already framed on a face.

    Args:
        path: The photo.
        size: Side of the model's input in pixels, S.

    Returns:
        `(S, S, 3)` uint8 RGB.

    Raises:
        ImageProblem: The photo cannot be used.
    """
    image = read_image(path)
    return face_input(image, whole_box(image), size, margin=0.0)


def read_faces(raw: Path, image_paths: Sequence[str], size: int) -> np.ndarray:
    """Reads photos into one array.

    Args:
        raw: The folder that `image_paths` are relative to.
        image_paths: N paths.
        size: Side of the model's input in pixels, S.

    Returns:
        `(N, S, S, 3)` uint8 RGB.
    """
    faces = np.empty((len(image_paths), size, size, 3), dtype=np.uint8)
    start = 0
    for batch in iterate_faces(raw, image_paths, size, batch_size=256):
        faces[start : start + len(batch)] = batch
        start += len(batch)
    return faces


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


def iterate_faces(raw: Path, image_paths: Sequence[str], size: int, batch_size: int) -> Iterator[np.ndarray]:
    """Reads photos batch by batch, in order, a few batches ahead of whoever takes them.

    Args:
        raw: The folder that `image_paths` are relative to.
        image_paths: N paths.
        size: Side of the model's input in pixels, S.
        batch_size: Photos per batch; the last one may be smaller.

    Yields:
        `(n, S, S, 3)` uint8 RGB.
    """
    starts = range(0, len(image_paths), batch_size)

    def read(start: int) -> np.ndarray:
        return np.stack([read_face(raw / path, size) for path in image_paths[start : start + batch_size]])

    readers = threads(READERS)
    with ThreadPoolExecutor(readers) as pool:
        try:
            batches = in_order(pool, read, starts, ahead=2 * readers)
            yield from track(batches, "reading photos", "batch", total=len(starts))
        finally:
            pool.shutdown(cancel_futures=True)
