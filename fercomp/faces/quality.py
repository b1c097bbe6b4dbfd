"""How well a face can be seen: how large, sharp, lit, upright and frontal it is."""

from typing import Final

import cv2
import numpy as np

from fercomp.faces.crop import face_input
from fercomp.faces.found import Faces

LARGE: Final = 96
"""Pixels of a face's longer side from which on more do not count."""

SHARP: Final = 0.2
"""Variance of the Laplacian of a sharp face, by that of its grey levels, at `_SIDE` pixels: the median of
photos. A blur of 1 % of the side leaves 0.08, of 2 % 0.03, a side of 32 pixels 0.04."""

LIT: Final = 30.0
"""Standard deviation of a face's grey levels from which on more does not count; 95 of 100 photos have it."""

LEVELLED: Final = 20.0
"""Degrees of tilt from which on a face is cut out upright (docs/experiments/photos.md)."""

_SIDE: Final = 48
_INNER: Final = -0.125
_NOISE: Final = 25.0  # grey levels squared: what a face without any contrast has from noise


def rolls(landmarks: np.ndarray) -> np.ndarray:
    """Says how far heads are tilted to a shoulder.

    Args:
        landmarks: `(n, 5, 2)`, in the order of `LANDMARKS`.

    Returns:
        `(n,)` float32, degrees in -180 to 180, clockwise: how far the line from the right eye, on the left of
        the picture, to the other one falls.

    Example:
        >>> face = np.array([[[0, 0], [10, 10], [4, 9], [0, 20], [9, 20]]], np.float32)
        >>> float(rolls(face)[0])
        45.0
    """
    across = landmarks[:, 1] - landmarks[:, 0]
    return np.asarray(np.degrees(np.arctan2(across[:, 1], across[:, 0])), dtype=np.float32)


def levels(faces: Faces) -> np.ndarray:
    """Says by how much crops of faces are turned upright.

    Returns:
        `(n,)` float32, degrees: the roll of those that are tilted by `LEVELLED` or more, 0 for the others and
        where no landmarks are known.
    """
    if faces.landmarks is None:
        return np.zeros(len(faces), dtype=np.float32)
    tilts = rolls(faces.landmarks)
    return np.where(np.abs(tilts) < LEVELLED, np.float32(0), tilts)


def face_sizes(boxes: np.ndarray) -> np.ndarray:
    """Returns the longer sides of boxes `(n, 4)` xyxy as `(n,)` float32, in pixels."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0), dtype=np.float32)


def face_qualities(image: np.ndarray, faces: Faces) -> np.ndarray:
    """Says how well faces can be seen.

    The root of a product of up to six numbers, each at most 1: the detector's score, the longer side by
    `LARGE`, the root of the sharpness by `SHARP`, the contrast by `LIT`, and, where landmarks are known, the
    cosine of the roll that a crop keeps (`levels`) and 1 for a frontal face down to 0.3 for a profile, which
    shows a person, too.

    Args:
        image: `(h, w, 3)` uint8 RGB.
        faces: Its n faces.

    Returns:
        `(n,)` float32, 0 to 1.
    """
    sharp_and_lit = np.array([_sharp_and_lit(image, box) for box in faces.boxes]).reshape(-1, 2)
    parts = [faces.scores, face_sizes(faces.boxes) / LARGE, *sharp_and_lit.T]
    if faces.landmarks is not None:
        kept = rolls(faces.landmarks) - levels(faces)
        parts += [np.cos(np.radians(kept)), 0.3 + 0.7 * _frontality(faces.landmarks)]
    return np.asarray(np.sqrt(np.prod(np.clip(parts, 0, 1), axis=0)), dtype=np.float32)


def _sharp_and_lit(image: np.ndarray, box: np.ndarray) -> tuple[float, float]:
    # Only the inner part, in which nobody else is.
    grey = cv2.cvtColor(face_input(image, box, _SIDE, _INNER), cv2.COLOR_RGB2GRAY)
    variance, edges = (
        float(cv2.meanStdDev(values)[1][0, 0]) ** 2 for values in (grey, cv2.Laplacian(grey, cv2.CV_32F))
    )
    return np.sqrt(edges / (variance + _NOISE) / SHARP), np.sqrt(variance) / LIT


def _frontality(landmarks: np.ndarray) -> np.ndarray:
    """Returns `(n,)`: 1 where the nose is in the middle between the eyes, 0 where it is beyond one."""
    middle = landmarks[:, :2].mean(axis=1)
    across = landmarks[:, 1] - landmarks[:, 0]
    squared = np.maximum((across**2).sum(axis=1), 1e-6)
    aside = ((landmarks[:, 2] - middle) * across).sum(axis=1) / squared
    return np.asarray(np.clip(1 - 2 * np.abs(aside), 0, 1))
