"""YuNet, the network that finds faces by default, as OpenCV runs it on pictures of any size."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from fercomp.faces.crop import scaled
from fercomp.faces.found import MIN_SIZE, Faces

YUNET_FILE: Final = Path(__file__).with_name("face_detection_yunet_2023mar.onnx")
"""The network, from OpenCV's zoo of models; YUNET-LICENSE.txt beside it is its licence."""

OVERLAP: Final = 0.4
"""Boxes of YuNet with a higher intersection over union show the same face."""


class YuNet:
    """The YuNet network (Wu, Peng and Yu, 2023), the default.

    Args:
        min_score: Lowest score, 0 to 1.
        min_size: Lowest longer side of a face in pixels.
    """

    framed = False

    LARGEST: Final = 320
    """Pixels of a look. Larger finds are often a part of a face; the first look sees the whole of it."""

    def __init__(self, min_score: float = 0.7, min_size: float = MIN_SIZE) -> None:
        self._min_score = min_score
        self._min_size = min_size
        self._network = cv2.FaceDetectorYN.create(str(YUNET_FILE), "", (320, 320), min_score, OVERLAP)

    def detect(self, image: np.ndarray) -> Faces:
        """Finds faces at each scale and keeps the best of those that overlap."""
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        found = np.concatenate([self._at_scale(bgr, scale) for scale in yunet_scales(*image.shape[:2])])
        return kept_faces(image, found, self._min_score, self._min_size)

    def _at_scale(self, bgr: np.ndarray, scale: float) -> np.ndarray:
        """Returns `(n, 15)`: xyxy, the score, and x and y of each landmark, in pixels of `bgr`."""
        look = scaled(bgr, scale)
        height, width = look.shape[:2]
        self._network.setInputSize((width, height))
        _, rows = self._network.detect(look)
        if rows is None:
            return np.empty((0, 15), dtype=np.float32)
        rows = rows[rows[:, 2:4].max(axis=1) <= self.LARGEST]
        corner, sides, points = np.split(
            rows[:, :14] * np.tile((bgr.shape[1] / width, bgr.shape[0] / height), 7), (2, 4), axis=1
        )
        return np.hstack((corner, corner + sides, rows[:, 14:], points))


def yunet_scales(height: int, width: int) -> tuple[float, ...]:
    """Says at which scales YuNet looks at a picture.

    YuNet finds faces of about 20 to 300 pixels. A first look at 256 pixels of the longer side finds the
    faces that fill a picture of any size, from a tight 48-pixel crop (0.97 found, against 0.71 unscaled) to
    a portrait of 4,000; a second look at up to 1,280 finds the small faces of larger pictures.
    `docs/experiments/detectors.md` has the figures.
    """
    longest = max(height, width)
    return (256 / longest,) if longest <= 384 else (256 / longest, min(1.0, 1280 / longest))


def yunet_clip_scale(height: int, width: int) -> float:
    """Says at which scale YuNet looks at a frame of a clip: once, at up to 480 pixels of the longer side.

    A face that is missed in one frame is found in the next, so one look has to do, in a third of the time of
    two. `docs/experiments/detectors.md` has the figures.
    """
    longest = max(height, width)
    return (256 if longest <= 384 else min(480, longest)) / longest


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
