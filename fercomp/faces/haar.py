"""Cascades of Haar features: detectors that OpenCV ships, for upright faces from the front."""

from pathlib import Path

import cv2
import cv2.data
import numpy as np

from fercomp.core.errors import FercompError
from fercomp.faces.crop import scaled
from fercomp.faces.found import MIN_SIZE, Faces


class Haar:
    """A cascade of Haar features (Viola and Jones, 2001) as OpenCV ships it.

    Its score is the number of neighbouring windows that agree on a face.

    Args:
        cascade: Name of the cascade's file.
        min_score: Lowest number of agreeing windows.
        min_size: Lowest longer side of a face in pixels.
    """

    framed = False

    def __init__(self, cascade: str, min_score: float = 5, min_size: float = MIN_SIZE) -> None:
        path = Path(cv2.data.haarcascades) / cascade
        self._cascade = cv2.CascadeClassifier(str(path))
        if self._cascade.empty():
            raise FercompError(f"{path} not found: opencv-python 4.12 to 4.x ships it, install one of these")
        self._neighbours = max(1, round(min_score))
        self._min_size = min_size

    def detect(self, image: np.ndarray) -> Faces:
        """Finds upright, frontal faces."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        look = scaled(grey, haar_scale(*grey.shape))
        found, agreeing = self._cascade.detectMultiScale2(
            look, scaleFactor=1.1, minNeighbors=self._neighbours
        )
        xywh = np.asarray(found, dtype=np.float64).reshape(-1, 4)
        xywh *= np.tile((grey.shape[1] / look.shape[1], grey.shape[0] / look.shape[0]), 2)
        boxes = np.hstack((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]))
        return Faces.within(image, boxes, np.asarray(agreeing, dtype=np.float32), self._min_size)


def haar_scale(height: int, width: int) -> float:
    """Says at which scale a cascade looks at a picture: its time grows with the pixels, its finds hardly."""
    longest = max(height, width)
    return min(max(longest, 96), 640) / longest
