"""Random changes that make framed faces look like those in photos that people take.

Faces of a competition are framed, sharp and from the front. In people's own photos heads turn, light comes
from one side, focus and shutter blur, faces are small, files are compressed and hands are in front of mouths.
OpenCV makes each change in some tens of microseconds a photo. `AugmentParams` says how much of each there is;
all are off by default.
"""

from typing import Final

import cv2
import numpy as np

from fercomp.core.params import AugmentParams

BLURRED: Final = (0.01, 0.035)
"""Standard deviation of a blur as a share of the side, from and to: half a pixel to under two of 48."""

SEEN_AT: Final = (16.0, 48.0)
"""Side in pixels at which a small face is seen, from and to."""

QUALITY: Final = (15, 70)
"""Quality of JPEG files, from and to; cameras begin at 85, messengers at 50."""

COVERED: Final = (0.15, 0.4)
"""How far a cover reaches from one edge inwards, as a share of the side, from and to."""

CHANGES: Final = ("blur", "low_resolution", "jpeg", "gamma", "shade", "tint", "noise", "cover")
"""The parameters that this module looks at; `perspective` is part of the one warp of `data.augment`."""


def tilts(n: int, params: AugmentParams, rng: np.random.Generator) -> np.ndarray:
    """Draws how far heads are turned and nod.

    Args:
        n: Number of photos.
        params: `perspective`.
        rng: Where the random numbers come from.

    Returns:
        `(n, 2)` float64: the last row of a homography, apart from its 1, in units of half a side.
    """
    result: np.ndarray = rng.uniform(-params.perspective, params.perspective, (n, 2)) / 2
    return result


def turned(matrix: np.ndarray, tilt: np.ndarray, size: int) -> np.ndarray:
    """Adds a turn of the head to a warp.

    A turned head is narrower, and smaller where it is farther away: the homography of a plane that turns
    about its own axis, seen from near. It is a plane's, not a head's: nothing hidden comes into view.

    Args:
        matrix: `(2, 3)`, the map from a pixel of the result to the pixel of the photo that it shows.
        tilt: `(2,)` of `tilts`.
        size: Side in pixels, S.

    Returns:
        `(3, 3)`, likewise.
    """
    centre, half = (size - 1) / 2, size / 2
    narrow = np.hypot(1, 2 * np.abs(tilt))  # 1 / cos of an angle whose tangent grows with the tilt
    plane = np.array([[narrow[0], 0, 0], [0, narrow[1], 0], [*(tilt / half), 1]])
    there = np.array([[1, 0, centre], [0, 1, centre], [0, 0, 1.0]])
    back = np.array([[1, 0, -centre], [0, 1, -centre], [0, 0, 1.0]])
    result: np.ndarray = np.vstack([matrix, [0, 0, 1]]) @ there @ plane @ back
    return result


def grain(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draws noise of which each photo of a batch takes a piece: to draw it for each would take the most time.

    Args:
        size: Side of a photo in pixels, S.
        rng: Where the random numbers come from.

    Returns:
        `(2 S, 2 S)` float32, standard normal.
    """
    return rng.standard_normal((2 * size, 2 * size), dtype=np.float32)


def photographed(
    face: np.ndarray, params: AugmentParams, noise: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Changes one photo.

    Args:
        face: `(S, S, 3)` uint8 RGB; may be changed in place.
        params: What may change, and how much.
        noise: Of `grain`.
        rng: Where the random numbers come from; as many are drawn, whatever the parameters are.

    Returns:
        `(S, S, 3)` uint8 RGB.
    """
    chances, amounts = rng.random(4), rng.random(15)
    if chances[0] < params.cover:
        _cover(face, amounts[:3])
    if params.gamma or params.tint:
        _light(face, params, amounts[3:6])
    if params.shade:
        _add(face, _slope(len(face), params.shade, amounts[6:8]))
    if chances[1] < params.blur:
        face = _blur(face, amounts[8:10])
    if chances[2] < params.low_resolution or chances[3] < params.jpeg:
        face = _stored(
            face, chances[2] < params.low_resolution, chances[3] < params.jpeg, amounts[10], amounts[11]
        )
    if params.noise:
        top, left = (int(share * len(face)) for share in amounts[12:14])
        piece = noise[top : top + len(face), left : left + len(face)]
        _add(face, (255 * params.noise * np.float32(amounts[14])) * piece)
    return face


def _cover(face: np.ndarray, amount: np.ndarray) -> None:
    """Covers what lies beyond a slanting line near one edge with one colour."""
    size = len(face)
    depth = (COVERED[0] + (COVERED[1] - COVERED[0]) * amount[0]) * size
    turns, slant = int(amount[1] * 4), (amount[2] - 0.5) * 0.6 * size
    left, right = size - depth - slant, size - depth + slant  # below this line
    corners = np.array([[-1, left], [size, right], [size, size], [-1, size]])
    for _ in range(turns):
        corners = np.stack([size - 1 - corners[:, 1], corners[:, 0]], axis=1)
    colour = int(amount[2] * 997) % 256  # any: bits of the slant that nobody sees
    cv2.fillConvexPoly(face, np.rint(corners).astype(np.int32), (colour, colour, colour))


def _light(face: np.ndarray, params: AugmentParams, amount: np.ndarray) -> None:
    """Bends the levels, and weakens or strengthens red against blue."""
    gamma = 2.0 ** (params.gamma * (2 * amount[0] - 1))
    levels = 255 * (np.arange(256) / 255) ** gamma
    red, blue = 1 + params.tint * (2 * amount[1:3] - 1)
    channels = np.stack([levels * red, levels, levels * blue], axis=1) if params.tint else levels[:, None]
    cv2.LUT(face, np.clip(np.rint(channels), 0, 255).astype(np.uint8)[None], dst=face)


def _slope(size: int, largest: float, amount: np.ndarray) -> np.ndarray:
    """Returns what makes one side lighter and the other darker, along any direction: `(S, S)` float32."""
    angle, steps = 2 * np.pi * amount[0], np.linspace(-0.5, 0.5, size, dtype=np.float32)
    steps *= np.float32(255 * largest * amount[1])
    along: np.ndarray = (
        np.float32(np.cos(angle)) * steps[None, :] + np.float32(np.sin(angle)) * steps[:, None]
    )
    return along


def _add(face: np.ndarray, levels: np.ndarray) -> None:
    """Adds the same to all channels, in place: noise is, too, once a camera has smoothed its colours."""
    cv2.add(face, cv2.merge([levels] * 3), dst=face, dtype=cv2.CV_8U)


def _blur(face: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Blurs a photo evenly (focus), or more along one axis (movement)."""
    sigma = (BLURRED[0] + (BLURRED[1] - BLURRED[0]) * amount[0]) * len(face)
    if amount[1] < 0.5:
        return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))
    length = 1 + round(6 * sigma)
    box = (length, 1) if amount[1] < 0.75 else (1, length)
    return np.asarray(cv2.blur(face, box, borderType=cv2.BORDER_REPLICATE))


def _stored(face: np.ndarray, small: bool, compressed: bool, side: float, quality: float) -> np.ndarray:
    """Shrinks a photo, compresses it, and enlarges it again."""
    size = len(face)
    seen_at = min(size, round(SEEN_AT[0] * (SEEN_AT[1] / SEEN_AT[0]) ** side)) if small else size
    if seen_at < size:
        face = cv2.resize(face, (seen_at, seen_at), interpolation=cv2.INTER_AREA)
    if compressed:
        percent = round(QUALITY[0] + (QUALITY[1] - QUALITY[0]) * quality)
        _, file = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, percent])
        face = np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR))
    return face if seen_at >= size else cv2.resize(face, (size, size), interpolation=cv2.INTER_LINEAR)
