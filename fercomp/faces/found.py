"""The faces in a picture, and what finds them.

Every detector has the same three lines of use: make it once per thread, hand it RGB pictures, get `Faces`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

MIN_SIZE: Final = 16
"""Pixels. Faces with a shorter longest side are left out: no emotion can be read in fewer."""


@dataclass(frozen=True)
class Faces:
    """The faces found in one picture, from left to right.

    Attributes:
        boxes: `(n, 4)` float32 xyxy in pixels of the picture.
        scores: `(n,)` float32, how sure the detector is, on its own scale.

    Raises:
        ValueError: An array has another shape or dtype.
    """

    boxes: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.scores), 4) or self.scores.ndim != 1:
            raise ValueError(
                f"expected (n, 4) boxes and (n,) scores, got {self.boxes.shape}, {self.scores.shape}"
            )
        if self.boxes.dtype != np.float32 or self.scores.dtype != np.float32:
            raise ValueError(f"expected float32 arrays, got {self.boxes.dtype} and {self.scores.dtype}")

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def within(cls, image: np.ndarray, boxes: np.ndarray, scores: np.ndarray, min_size: float) -> "Faces":
        """Makes faces of what a detector answered.

        Args:
            image: `(h, w, 3)`, the picture searched.
            boxes: `(n, 4)` xyxy in its pixels; clipped to the picture.
            scores: `(n,)`.
            min_size: Boxes whose longer side is shorter, in pixels, are left out, as are those that show
                nothing of the picture.

        Returns:
            The faces in the order of x1, then y1, x2, y2.
        """
        height, width = image.shape[:2]
        clipped = np.clip(boxes, 0, (width, height, width, height)).astype(np.float32).reshape(-1, 4)
        sides = clipped[:, 2:] - clipped[:, :2]
        keep = (sides.min(axis=1) > 0) & (sides.max(axis=1) >= min_size)
        clipped, kept_scores = clipped[keep], np.asarray(scores, dtype=np.float32).reshape(-1)[keep]
        order = np.lexsort(clipped.T[::-1])
        return cls(clipped[order], kept_scores[order])


class Detector(Protocol):
    """Finds faces. An instance keeps buffers: use one per thread.

    Attributes:
        framed: The boxes frame the face as training photos do, so a crop takes no margin.
    """

    @property
    def framed(self) -> bool:
        """Whether boxes need no margin."""

    def detect(self, image: np.ndarray) -> Faces:
        """Finds the faces in a picture `(h, w, 3)` uint8 RGB."""


class PerThread:
    """A detector for any number of threads: it makes one for each that looks at pictures.

    Args:
        make_detector: Makes the detector; called once at once, in this thread.

    Attributes:
        framed: As with the detectors themselves.
    """

    def __init__(self, make_detector: Callable[[], Detector]) -> None:
        self._make = make_detector
        self._local = threading.local()
        self.framed = self._here().framed

    def detect(self, image: np.ndarray) -> Faces:
        """Finds the faces in a picture `(h, w, 3)` uint8 RGB; may be called from several threads."""
        return self._here().detect(image)

    def _here(self) -> Detector:
        if not hasattr(self._local, "detector"):
            self._local.detector = self._make()
        detector: Detector = self._local.detector
        return detector
