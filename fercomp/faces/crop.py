"""How a face becomes a network's input, in one place for training, prediction and annotation."""

import math

import cv2
import numpy as np

from fercomp.core.errors import FercompError


def face_input(image: np.ndarray, box: np.ndarray, size: int, margin: float) -> np.ndarray:
    """Cuts a face out of a picture as a square of the network's size.

    The square lies around the centre of the box and has a side of `max(w, h) * (1 + 2 * margin)`, rounded
    to whole pixels (halves up, at least 1); its corner is rounded to the nearest pixel. Larger squares are
    shrunk by area averaging, smaller ones enlarged bilinearly. Where the square reaches beyond the picture,
    the nearest pixels of the picture are repeated. So the box of a whole square picture, with no margin
    and its own side as size, gives back the very pixels.

    Args:
        image: `(h, w, 3)` uint8 RGB.
        box: `(4,)` xyxy in pixels of `image`, right and bottom edges exclusive.
        size: Side of the result in pixels.
        margin: Share of the box's longer side added on each side.

    Returns:
        `(size, size, 3)` uint8 RGB, an array of its own.

    Raises:
        ValueError: The picture is not uint8 RGB, or the box is not finite, has no area or lies outside
            the picture.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"expected a picture (h, w, 3) uint8, got {image.shape} {image.dtype}")
    x1, y1, x2, y2 = (float(value) for value in box)
    longest = max(x2 - x1, y2 - y1) * (1 + 2 * margin)
    if not (x1 < x2 and y1 < y2 and math.isfinite(longest)):
        raise ValueError(f"expected a finite box with x1 < x2 and y1 < y2, got {(x1, y1, x2, y2)}")
    side = max(1, _nearest(longest))
    columns, left, right = _along_axis(x1, x2, side, image.shape[1], size)
    rows, top, bottom = _along_axis(y1, y2, side, image.shape[0], size)
    scaled = cv2.resize(
        image[rows, columns],
        (size - left - right, size - top - bottom),
        interpolation=cv2.INTER_AREA if side > size else cv2.INTER_LINEAR,
    )
    # Repeating the border after scaling costs the same for every picture; before it, a square around a
    # very long picture would not fit in memory.
    return cv2.copyMakeBorder(scaled, top, bottom, left, right, cv2.BORDER_REPLICATE)


def upright_input(image: np.ndarray, box: np.ndarray, roll: float, size: int, margin: float) -> np.ndarray:
    """Cuts a face out of a picture as `face_input` does, and turns it upright; a roll of 0 changes nothing.

    Args:
        image: `(h, w, 3)` uint8 RGB.
        box: `(4,)` xyxy in pixels of `image`.
        roll: Degrees by which the head is tilted (`faces.quality.rolls`).
        size: Side of the result in pixels.
        margin: As for `face_input`.

    Returns:
        `(size, size, 3)` uint8 RGB.
    """
    if roll == 0:
        return face_input(image, box, size, margin)
    # A square that is large enough to be turned by any angle, in the scale of the result.
    wide = math.ceil(size * math.sqrt(2))
    share = wide / size
    around = face_input(image, box, wide, ((1 + 2 * margin) * share - 1) / 2)
    matrix = cv2.getRotationMatrix2D(((wide - 1) / 2, (wide - 1) / 2), roll, 1.0)
    matrix[:, 2] += np.full(2, (size - wide) / 2)
    return cv2.warpAffine(around, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)


def require_picture(image: np.ndarray) -> np.ndarray:
    """Returns a picture that a user hands over, if it is one.

    Raises:
        FercompError: It is not `(h, w, 3)` uint8 with at least one pixel.
    """
    if not isinstance(image, np.ndarray):
        raise FercompError(
            f"expected a picture (h, w, 3) uint8 RGB or its file, got {type(image).__name__}: "
            "fercomp.read_image reads a file, np.asarray(image) turns a Pillow image into pixels"
        )
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        floats = np.issubdtype(image.dtype, np.floating)
        remedy = (
            "(255 * image).astype('uint8') turns 0 to 1 into such"
            if floats
            else "fercomp.read_image gives such"
        )
        raise FercompError(
            f"expected a picture (h, w, 3) uint8 RGB, got {image.shape} {image.dtype}: {remedy}"
        )
    return image


def scaled(image: np.ndarray, scale: float) -> np.ndarray:
    """Returns a picture `(h, w)` or `(h, w, 3)` at another scale; at 1 itself."""
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return image if scale == 1 else cv2.resize(image, (width, height), interpolation=method)


def whole_box(image: np.ndarray) -> np.ndarray:
    """Returns the box `(4,)` float32 xyxy of a photo that is already framed on a face: all of it."""
    height, width = image.shape[:2]
    return np.array((0, 0, width, height), dtype=np.float32)


def _along_axis(low: float, high: float, side: int, length: int, size: int) -> tuple[slice, int, int]:
    """Places a square on one axis of a picture.

    Returns:
        The pixels of the picture inside the square, and how many of the result's `size` pixels lie before
        and after them.
    """
    start = _nearest((low + high - side) / 2)
    inside = slice(max(start, 0), min(start + side, length))
    if inside.start >= inside.stop:
        raise ValueError(f"expected a box that overlaps the picture, got {low} to {high} of {length} pixels")
    before = min(_nearest((inside.start - start) * size / side), size - 1)
    after = min(_nearest((start + side - inside.stop) * size / side), size - 1 - before)
    return inside, before, after


def _nearest(value: float) -> int:
    """Rounds halves up: unlike `round`, a shift by one pixel always moves the result by one."""
    return math.floor(value + 0.5)
