"""Random changes of a photo's colours and quality, which leave everything in its place.

Their random numbers come from streams of their own: with and without them, photos are turned, moved and lit
alike. What is off costs nothing and takes no random number.
"""

from typing import Final

import cv2
import numpy as np

from fercomp.core.params import AugmentParams
from fercomp.faces.changes import LUMA, add_noise, blur, cover, grain, lower_resolution, through_jpeg

BLURRED: Final = (0.002, 0.01)
"""Standard deviation of a blur as a share of the side, from and to (Chen et al., 2020: 0.0005 to 0.009)."""

JPEG_QUALITY: Final = (30, 90)
"""Quality of a JPEG, from and to."""

SMALL: Final = (0.2, 0.7)
"""Side of a photo of low resolution as a share of its own, from and to."""

COVERED: Final = (0.15, 0.4)
"""How far a cover reaches from one edge inwards, as a share of the side, from and to."""

_YIQ: Final = np.array([LUMA, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
"""From RGB to brightness and two axes of colour (NTSC, 1953)."""


class Photometric:
    """Changes of n photos, each in a way of its own.

    Args:
        n: Number of photos.
        params: What may change, and how much.
        rng: Where the random numbers of colours, resolution, blur and JPEG come from.
        own: Where those of covers, light and noise come from, each of a stream of its own.
    """

    def __init__(
        self, n: int, params: AugmentParams, rng: np.random.Generator, own: np.random.Generator
    ) -> None:
        self._colours = _colours(n, params, rng) if params.hue or params.saturation or params.grey else None
        self._small = _some(n, params.low_resolution, SMALL, rng)
        self._blur = _some(n, params.blur, BLURRED, rng)
        self._quality = _some(n, params.jpeg, JPEG_QUALITY, rng)
        covers, gamma, shade, self._grain = own.spawn(4)
        self._cover = _some(n, params.cover, COVERED, covers)
        self._covers = covers.integers(0, (4, 256), (n, 2)).tolist() if params.cover else []
        self._levels = _levels(n, params.gamma, gamma) if params.gamma else None
        self._shade = shade.uniform((0, 0), (params.shade, 2 * np.pi), (n, 2)) if params.shade else None
        self._noise = self._grain.uniform(0, params.noise, n) if params.noise else np.zeros(n)

    def change(self, i: int, face: np.ndarray) -> None:
        """Changes photo i, `(S, S, 3)` uint8 RGB, in place."""
        if self._cover[i]:
            cover(face, self._cover[i], *self._covers[i])
        if self._levels is not None:
            cv2.LUT(face, self._levels[i], dst=face)
        if self._shade is not None:
            _shade(face, *self._shade[i])
        if self._colours is not None:
            cv2.transform(face, self._colours[i], dst=face)
        if self._small[i]:
            lower_resolution(face, max(1, round(self._small[i] * len(face))))
        if self._blur[i]:
            blur(face, self._blur[i])
        if self._noise[i]:
            add_noise(face, self._noise[i], self._grain)
        if self._quality[i]:
            through_jpeg(face, round(self._quality[i]))

    def pass_over(self, i: int, size: int) -> None:
        """Takes the random numbers of photo i, of S pixels, which somebody else changes."""
        if self._noise[i]:
            grain(size, size, self._grain)


def _some(n: int, share: float, bounds: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Returns a number within bounds for a share of n photos, and 0 for the others: `(n,)` float."""
    if not share:
        return np.zeros(n)
    strength = rng.uniform(*bounds, n)
    return np.where(rng.random(n) < share, strength, 0.0)


def _levels(n: int, octaves: float, rng: np.random.Generator) -> np.ndarray:
    """Returns `(n, 256)` uint8: what becomes of each level, by a gamma of up to so many octaves."""
    gamma = 2 ** rng.uniform(-octaves, octaves, (n, 1))
    levels: np.ndarray = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return levels


def _shade(face: np.ndarray, difference: float, angle: float) -> None:
    """Makes one side of a face lighter than the other, by a share of full white along a direction."""
    size = len(face)
    steps = 255 * difference * (np.arange(size, dtype=np.float32) / max(1, size - 1) - 0.5)
    light = np.cos(angle) * steps[None, :] + np.sin(angle) * steps[:, None]
    cv2.add(face, cv2.merge([light.astype(np.float32)] * 3), dst=face, dtype=cv2.CV_8U)


def _colours(n: int, params: AugmentParams, rng: np.random.Generator) -> np.ndarray:
    """Returns `(n, 3, 3)` maps of RGB that turn hues and stretch saturation; brightness and grey stay."""
    angle = np.deg2rad(rng.uniform(-params.hue, params.hue, n))
    stretch = 1 + rng.uniform(-params.saturation, params.saturation, n)
    stretch = np.where(rng.random(n) < params.grey, 0.0, stretch)
    changes = np.zeros((n, 3, 3))
    changes[:, 0, 0] = 1
    changes[:, 1, 1] = changes[:, 2, 2] = stretch * np.cos(angle)
    changes[:, 2, 1] = stretch * np.sin(angle)
    changes[:, 1, 2] = -changes[:, 2, 1]
    colours: np.ndarray = np.linalg.inv(_YIQ) @ changes @ _YIQ
    return colours
