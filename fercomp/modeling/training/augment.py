"""Random changes of training photos, in the loader: one warp, light, colours and quality, one patch erased.

Not a layer of the network: OpenCV warps a small photo some ten times faster than Keras' layers do on a CPU
(`docs/experiments/speed.md` has the figures), the random numbers depend on nothing but the seed, and a saved
network holds nothing that is not needed to run it.
"""

from typing import Final

import cv2
import numpy as np

from fercomp.core.params import AugmentParams
from fercomp.faces.changes import tilted
from fercomp.modeling.training.photometric import Photometric

ERASED_AREA: Final = (0.02, 0.2)
"""Share of a photo that is erased, from and to; Zhong et al. (2020) go to 0.4, but a face fills its photo."""

ERASED_ASPECT: Final = (0.3, 1 / 0.3)
"""Height by width of what is erased (Zhong et al., 2020)."""


class Changes:
    """How the photos of a batch are changed, each in a way of its own.

    Args:
        n: Photos in the batch.
        size: Their side in pixels, S.
        params: What may change, and how much.
        rng: Where the random numbers come from. What comes later takes the same ones, whichever of the
            photos are changed here.
    """

    def __init__(self, n: int, size: int, params: AugmentParams, rng: np.random.Generator) -> None:
        own = rng.spawn(3)  # of what came later: the numbers below stay as they were
        self._size = size
        self._warp = cv2.warpPerspective if params.perspective else cv2.warpAffine
        self._matrices = _warps(n, size, params, rng)
        if params.perspective:
            tilt = own[0].uniform(-params.perspective, params.perspective, (n, 2))
            self._matrices = tilted(self._matrices, tilt, size)
        self._photometric = Photometric(n, params, own[1], own[2])
        self._gain = 1 + rng.uniform(-params.contrast, params.contrast, n)
        self._offset = rng.uniform(-255 * params.brightness, 255 * params.brightness, n)
        self._patches = [_patch(size, rng) if erased else None for erased in rng.random(n) < params.erase]

    def of(self, faces: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Changes some of the photos; to be called once.

        Args:
            faces: `(m, S, S, 3)` uint8 RGB; left as they are.
            rows: Which of the batch they are, `(m,)` int, ascending.

        Returns:
            `(m, S, S, 3)` uint8 RGB. What comes from outside a photo repeats its border.
        """
        changed, done = np.empty_like(faces), 0
        for i in range(len(self._gain)):
            if done < len(rows) and i == rows[done]:
                self._change(i, faces[done], changed[done])
                done += 1
            else:
                self._photometric.pass_over(i, self._size)
        return changed

    def _change(self, i: int, face: np.ndarray, changed: np.ndarray) -> None:
        self._warp(
            face,
            self._matrices[i],
            (self._size, self._size),
            dst=changed,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        mean = sum(cv2.sumElems(changed)) / changed.size
        levels = (np.arange(256) - mean) * self._gain[i] + mean + self._offset[i]
        cv2.LUT(changed, np.clip(np.rint(levels), 0, 255).astype(np.uint8), dst=changed)
        self._photometric.change(i, changed)
        if (patch := self._patches[i]) is not None:
            top, left, height, width, colour = patch
            changed[top : top + height, left : left + width] = colour


def augment(faces: np.ndarray, params: AugmentParams, rng: np.random.Generator) -> np.ndarray:
    """Changes each photo in a way of its own, as `Changes` does.

    Args:
        faces: `(n, S, S, 3)` uint8 RGB; left as they are.
        params: What may change, and how much.
        rng: Where the random numbers come from.

    Returns:
        `(n, S, S, 3)` uint8 RGB.
    """
    return Changes(len(faces), faces.shape[1], params, rng).of(faces, np.arange(len(faces)))


def _warps(n: int, size: int, params: AugmentParams, rng: np.random.Generator) -> np.ndarray:
    """Returns `(n, 2, 3)` maps from a pixel of the result to the pixel of the photo that it shows."""
    angle = np.deg2rad(rng.uniform(-params.rotate, params.rotate, n))
    scale = 1 + rng.uniform(-params.zoom, params.zoom, n)
    mirror = np.where(rng.random(n) < 0.5, -1.0, 1.0) if params.flip else np.ones(n)
    shift = rng.uniform(-params.shift * size, params.shift * size, (n, 2))
    linear = np.empty((n, 2, 2))
    linear[:, 0, 0], linear[:, 0, 1] = scale * np.cos(angle) * mirror, -scale * np.sin(angle)
    linear[:, 1, 0], linear[:, 1, 1] = scale * np.sin(angle) * mirror, scale * np.cos(angle)
    centre = np.full(2, (size - 1) / 2)
    return np.concatenate([linear, (centre - linear @ centre + shift)[:, :, None]], axis=2)


def _patch(size: int, rng: np.random.Generator) -> tuple[int, int, int, int, np.ndarray]:
    """Draws what covers a photo: top, left, height, width and colour (random erasing, Zhong et al., 2020)."""
    area = rng.uniform(*ERASED_AREA) * size * size
    aspect = np.exp(rng.uniform(*np.log(ERASED_ASPECT)))
    height, width = (
        int(np.clip(round(side), 1, size)) for side in (np.sqrt(area * aspect), np.sqrt(area / aspect))
    )
    top, left = rng.integers(0, size - height + 1), rng.integers(0, size - width + 1)
    return int(top), int(left), height, width, rng.integers(0, 256, 3)
