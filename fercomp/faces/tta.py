"""The views of a photo that a model may average its answers over (test-time augmentation)."""

from typing import Final, NamedTuple

import cv2
import numpy as np


class View(NamedTuple):
    """How a photo is looked at.

    Attributes:
        scale: How many times larger.
        angle: Degrees to the left.
        right: Shift to the right, as a share of the side.
        down: Likewise.
        mirrored: The mirror image of all this.
    """

    scale: float = 1.0
    angle: float = 0.0
    right: float = 0.0
    down: float = 0.0
    mirrored: bool = False


def number_of_views(views: bool, flip: bool) -> int:
    """Returns how many views a network looks at (`InferenceParams`)."""
    return len(VIEWS) if views else 1 + flip


VIEWS: Final = (
    View(),
    View(scale=1.08, mirrored=True),
    View(scale=0.93),
    View(angle=6, mirrored=True),
    View(angle=-6),
    View(right=0.04, mirrored=True),
    View(right=-0.04),
    View(down=0.04, mirrored=True),
    View(down=-0.04),
)
"""Within what training changes at random (`AugmentParams`). Neither farther views nor the mirror images of
all of them gave better answers (docs/experiments/tta-and-ensembles.md)."""


def resized(faces: np.ndarray, size: int) -> np.ndarray:
    """Returns faces `(n, S, S, 3)` uint8 RGB with `size` pixels a side; the same array where that is S."""
    if faces.shape[1] == size:
        return faces
    how = cv2.INTER_AREA if size < faces.shape[1] else cv2.INTER_LINEAR
    changed = np.empty((len(faces), size, size, 3), np.uint8)
    for face, to in zip(faces, changed, strict=True):
        cv2.resize(face, (size, size), dst=to, interpolation=how)
    return changed


def seen(faces: np.ndarray, view: View) -> np.ndarray:
    """Returns faces as a view shows them.

    Args:
        faces: `(n, S, S, 3)` uint8 RGB; left as they are.
        view: How.

    Returns:
        `(n, S, S, 3)` uint8 RGB. What comes from outside a photo repeats its border.
    """
    if view == View():
        return faces
    size = faces.shape[1]
    centre = (size - 1) / 2
    matrix = cv2.getRotationMatrix2D((centre, centre), view.angle, view.scale)
    matrix[:, 2] += np.array([view.right, view.down]) * size
    changed = np.empty_like(faces)
    for face, to in zip(faces, changed, strict=True):
        cv2.warpAffine(face, matrix, (size, size), dst=to, borderMode=cv2.BORDER_REPLICATE)
    return changed[:, :, ::-1] if view.mirrored else changed
