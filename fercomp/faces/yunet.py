"""YuNet, the network that finds faces by default, on photos of any size."""

from functools import cached_property
from typing import Final

import cv2
import numpy as np

from fercomp.faces.crop import scaled
from fercomp.faces.found import MIN_SIZE, Faces
from fercomp.faces.yunet_network import OVERLAP, YuNetLook, by_opencv, found_by_opencv

PORTRAIT: Final = 256
"""Pixels of the longer side of a look at all of a photo."""

SCENE: Final = 1280
"""Most pixels of the longer side of a look at small faces."""

NEAR: Final = 2.0
"""How many times larger a picture is made, at most, for a look at tiny faces."""

TINY: Final = 48
"""Pixels of the longer side up to which faces may be missed since they are small."""


class YuNet:
    """The YuNet network (Wu, Peng and Yu, 2023), the default; for one thread.

    Args:
        min_score: Lowest score, 0 to 1.
        min_size: Lowest longer side of a face in pixels.
    """

    framed = False

    def __init__(self, min_score: float = 0.7, min_size: float = MIN_SIZE) -> None:
        self._min_score = min_score
        self._min_size = min_size

    def detect(self, image: np.ndarray) -> Faces:
        """Finds faces at each scale and keeps the best of those that overlap."""
        portrait, *closer = yunet_scales(*image.shape[:2])
        found = [self._all_of(image, portrait), *(self._closer(image, scale) for scale in closer)]
        return kept_faces(image, np.concatenate(found), self._min_score, self._min_size)

    def enlarged(self, image: np.ndarray) -> Faces:
        """Finds faces of up to `TINY` pixels, in the picture made larger; none where it is large already."""
        scale = min(NEAR, SCENE / max(image.shape[:2]))
        found = self._closer(image, scale) if scale > 1 else np.zeros((0, 15), dtype=np.float32)
        found = found[(found[:, 2:4] - found[:, :2]).max(axis=1, initial=0) <= TINY]
        return kept_faces(image, found, self._min_score, self._min_size)

    @cached_property
    def _portrait(self) -> YuNetLook:
        return YuNetLook(PORTRAIT, PORTRAIT, self._min_score)

    @cached_property
    def _opencv(self) -> cv2.FaceDetectorYN:
        return by_opencv(self._min_score)

    def _all_of(self, image: np.ndarray, scale: float) -> np.ndarray:
        """Does what `_closer` does, at all of a picture, in a corner of a square that is black beyond it."""
        look = scaled(image, scale)
        height, width = look.shape[:2]
        self._portrait.picture[:] = 0
        self._portrait.picture[:height, :width] = look
        return _enlarged(self._portrait.find(), look, image)

    def _closer(self, image: np.ndarray, scale: float) -> np.ndarray:
        """Returns `(n, 15)`: xyxy, the score, and x and y of each landmark, in pixels of the picture."""
        look = scaled(image, scale)
        return _enlarged(found_by_opencv(self._opencv, look), look, image)


def _enlarged(found: np.ndarray, look: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Takes places `(n, 15)` of a look to those of the picture that it shows."""
    x, y = image.shape[1] / look.shape[1], image.shape[0] / look.shape[0]
    return found * np.array((x, y, x, y, 1, *(x, y) * 5), dtype=np.float32)


def yunet_scales(height: int, width: int) -> tuple[float, ...]:
    """Says at which scales YuNet looks at a picture.

    YuNet finds faces of about 30 to 300 pixels. A first look at `PORTRAIT` pixels of the longer side finds
    the faces that fill a picture of any size, from a tight 48-pixel crop (0.97 found, against 0.71 unscaled)
    to a portrait of 4,000; a second look at up to 1,280 finds the small faces of larger pictures.
    `docs/experiments/detectors.md` has the figures.
    """
    longest = max(height, width)
    return (PORTRAIT / longest,) if longest <= 384 else (PORTRAIT / longest, min(1.0, SCENE / longest))


def yunet_clip_scale(height: int, width: int) -> float:
    """Says at which scale YuNet looks at a frame of a clip: once, at up to 480 pixels of the longer side.

    A face that is missed in one frame is found in the next, so one look has to do, in a third of the time of
    two. `docs/experiments/detectors.md` has the figures.
    """
    longest = max(height, width)
    return (PORTRAIT if longest <= 384 else min(480, longest)) / longest


def kept_faces(image: np.ndarray, found: np.ndarray, min_score: float, min_size: float) -> Faces:
    """Makes faces of what the network gave: the best of those that overlap.

    Args:
        image: `(h, w, 3)`, the picture searched.
        found: `(n, 15)`: xyxy, the score, and x and y of each landmark, in its pixels.
        min_score: Lowest score.
        min_size: Lowest longer side of a face in pixels.
    """
    best = found[best_of(found[:, :4], found[:, 4], min_score)]
    return Faces.within(image, best[:, :4], best[:, 4], min_size, best[:, 5:].reshape(-1, 5, 2))


def best_of(boxes: np.ndarray, scores: np.ndarray, min_score: float) -> np.ndarray:
    """Chooses among boxes that overlap: the one with the highest score (non-maximum suppression).

    Args:
        boxes: `(n, 4)` xyxy.
        scores: `(n,)`.
        min_score: Lowest score.

    Returns:
        Their indices, the best first.
    """
    # OpenCV's suppression takes x, y, width, height.
    rectangles = np.hstack((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]))
    best = cv2.dnn.NMSBoxes(rectangles.tolist(), scores.tolist(), min_score, OVERLAP)
    return np.asarray(best, dtype=np.intp).reshape(-1)
