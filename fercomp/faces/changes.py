"""Changes of framed faces, as other cameras, files and places make them.

Training makes some of them at random (`modeling.training`); `fercomp robustness` makes each in three
strengths, and measures what that costs a model.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from fercomp.core.tables import UNCHANGED
from fercomp.faces.tta import View, seen

STRENGTHS: Final[Mapping[str, tuple[float, float, float]]] = MappingProxyType(
    {
        "blur": (0.01, 0.02, 0.04),
        "jpeg": (50, 25, 10),
        "darkness": (0.4, 0.6, 0.8),
        "roll": (10, 20, 40),
        "yaw": (0.1, 0.2, 0.4),
        "size": (32, 24, 16),
        "grey": (0.5, 0.75, 1.0),
        "noise": (0.03, 0.06, 0.12),
        "cover": (0.1, 0.25, 0.4),
    }
)
"""How much of each change is measured, from little to much; `core.tables.CHANGES` says in which unit."""

LUMA: Final = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in grey (ITU-R BT.601), as Pillow, OpenCV and JPEG have them."""


def changed(faces: np.ndarray, change: str, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Changes faces, each as much as any other.

    To which side a face is turned, which edge is covered and how light the cover is are drawn first, so that
    equal seeds draw the same for every change, strength and size.

    Args:
        faces: `(n, S, S, 3)` uint8 RGB; left as they are.
        change: A name of `STRENGTHS`, or `UNCHANGED`.
        strength: How much, in the unit of `core.tables.CHANGES`. Nothing changes at 0; of `jpeg`, a quality
            in 1 to 100, and `size`, a side in pixels from 1, less is worse.
        rng: Where the random numbers come from.

    Returns:
        `(n, S, S, 3)` uint8 RGB. What comes from outside a photo repeats its border.

    Examples:
        >>> faces = np.full((1, 4, 4, 3), 200, np.uint8)
        >>> int(changed(faces, "darkness", 0.5, np.random.default_rng(0)).max())
        100
    """
    result = faces.copy()
    if change != UNCHANGED:
        drawn = rng.integers(0, (4, 256), (len(faces), 2))
        for face, (edge, level) in zip(result, drawn.tolist(), strict=True):
            _CHANGES[change](face, strength, edge, level, rng)
    return result


def blur(face: np.ndarray, share: float) -> None:
    """Blurs a face `(S, S, 3)` uint8 in place; `share` is the standard deviation by the side."""
    cv2.GaussianBlur(face, (0, 0), share * len(face), dst=face, borderType=cv2.BORDER_REFLECT_101)


def lower_resolution(face: np.ndarray, side: int) -> None:
    """Shrinks a face `(S, S, 3)` uint8 to `side` pixels and enlarges it again, in place."""
    size = len(face)
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    cv2.resize(small, (size, size), dst=face, interpolation=cv2.INTER_LINEAR)


def through_jpeg(face: np.ndarray, quality: int) -> None:
    """Saves a face `(S, S, 3)` uint8 RGB as a JPEG, in memory, and reads it again, in place."""
    bgr = cv2.cvtColor(face, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB, dst=face)


def add_noise(face: np.ndarray, share: float, rng: np.random.Generator) -> None:
    """Adds normal noise to a face `(S, S, 3)` uint8, in place; `share` is the standard deviation by 255.

    All channels get the same: noise is, too, once a camera has smoothed its colours.
    """
    height, width = face.shape[:2]
    noise = 255 * share * grain(height, width, rng)
    face[...] = np.clip(np.rint(face + noise), 0, 255)


def grain(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Draws the grain of a face: `(height, width, 1)` float32, standard normal."""
    return rng.standard_normal((height, width, 1), dtype=np.float32)


def cover(face: np.ndarray, share: float, edge: int, level: int) -> None:
    """Covers a face `(S, S, 3)` uint8 from an edge, 0 to 3, inwards with a level of 0 to 255, in place."""
    np.rot90(face, edge)[: round(share * len(face))] = level


def tilted(affine: np.ndarray, tilt: np.ndarray, size: int) -> np.ndarray:
    """Tilts maps about the middle of a photo, as if heads were turned.

    Args:
        affine: `(n, 2, 3)` maps from a pixel of the result to the pixel of the photo that it shows.
        tilt: `(n, 2)`, to the side and up or down: the share by which a step of S / 2 from the middle changes
            the scale.
        size: Side in pixels, S.

    Returns:
        `(n, 3, 3)` maps, likewise.
    """
    per_pixel = tilt / (size / 2)
    centre = (size - 1) / 2
    below = np.concatenate([per_pixel, 1 - centre * per_pixel.sum(axis=1, keepdims=True)], axis=1)
    # What the middle shows stays, whatever the tilt: so it is the distance from there that is divided.
    middle = affine @ np.array([centre, centre, 1.0])
    from_there = affine.copy()
    from_there[:, :, 2] -= middle
    above = from_there + middle[:, :, None] * below[:, None, :]
    return np.concatenate([above, below[:, None, :]], axis=1)


_Change = Callable[[np.ndarray, float, int, int, np.random.Generator], None]
"""Changes a face in place: its strength, the edge (0 to 3) and the level (0 to 255) that were drawn for it,
and where other random numbers come from."""


def _blur(face: np.ndarray, share: float, *_: object) -> None:
    if share > 0:
        blur(face, share)


def _jpeg(face: np.ndarray, quality: float, *_: object) -> None:
    through_jpeg(face, round(quality))


def _size(face: np.ndarray, side: float, *_: object) -> None:
    if side < len(face):
        lower_resolution(face, round(side))


def _darken(face: np.ndarray, share: float, *_: object) -> None:
    face[...] = np.rint(np.arange(256) * (1 - share)).astype(np.uint8)[face]


def _roll(face: np.ndarray, degrees: float, edge: int, *_: object) -> None:
    face[...] = seen(face[None], View(angle=degrees if edge % 2 else -degrees))[0]


def _yaw(face: np.ndarray, share: float, edge: int, *_: object) -> None:
    size = len(face)
    if share > 0:
        tilt = np.array([[share if edge % 2 else -share, 0.0]])
        face[...] = cv2.warpPerspective(
            face,
            tilted(np.eye(2, 3)[None], tilt, size)[0],
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )


def _grey(face: np.ndarray, share: float, *_: object) -> None:
    cv2.transform(face, (1 - share) * np.eye(3) + share * np.tile(LUMA, (3, 1)), dst=face)


def _noise(face: np.ndarray, share: float, edge: int, level: int, rng: np.random.Generator) -> None:
    del edge, level
    add_noise(face, share, rng)


def _cover(face: np.ndarray, share: float, edge: int, level: int, *_: object) -> None:
    cover(face, share, edge, level)


_CHANGES: Final[Mapping[str, _Change]] = {
    "blur": _blur,
    "jpeg": _jpeg,
    "darkness": _darken,
    "roll": _roll,
    "yaw": _yaw,
    "size": _size,
    "grey": _grey,
    "noise": _noise,
    "cover": _cover,
}
