"""The faces in a picture, and what finds them.

Every detector has the same three lines of use: make it once per thread, hand it RGB pictures, get `Faces`.
What comes after adds to them: who they are in a clip, and what a model says of them.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.tables import LANDMARK_COLUMNS, LANDMARKS, RAW

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

MIN_SIZE: Final = 16
"""Pixels. Faces with a shorter longest side are left out: no emotion can be read in fewer."""


@dataclass(frozen=True, eq=False)
class Faces:
    """The n faces of one picture, from left to right: an array for each thing that is known of them.

        faces.boxes[faces.scores > 0.9]
        faces[faces.scores > 0.9]   # everything that is known of these; also a slice, indices, an index
        faces.to_frame()            # a row for each

    A detector gives boxes, scores and perhaps landmarks, a tracker adds tracks, a model the rest
    (`dataclasses.replace`). What is not known is `None`.

    Attributes:
        boxes: `(n, 4)` float32 xyxy in pixels of the picture.
        scores: `(n,)` float32, how sure the detector is, on its own scale.
        landmarks: `(n, 5, 2)` float32, x and y of `LANDMARKS` in pixels, perhaps outside the picture; YuNet
            gives them.
        qualities: `(n,)` float32, 0 to 1, how well they can be seen (`faces.quality`).
        tracks: `(n,)` int64, in a clip: who they are.
        classes: The model's K class names.
        pred_probs: `(n, K)` float32, the probability of every class; smoothed in a clip.
        raw: `(n, K)` float32, in a clip: the probabilities of this frame alone, NaN where a face was not
            classified in it.
        emotions: A class name each, or `uncertain`.
        confidences: `(n,)` float32, the probability of the emotion; of the likeliest class where a threshold
            makes it `uncertain`.
        valence_arousal: `(n, 2)` float32, -1 to 1 each, where the model gives them; smoothed in a clip.

    Raises:
        ValueError: An array has another shape or dtype, or a box is not finite.
    """

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray | None = None
    qualities: np.ndarray | None = None
    tracks: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    pred_probs: np.ndarray | None = None
    raw: np.ndarray | None = None
    emotions: tuple[str, ...] | None = None
    confidences: np.ndarray | None = None
    valence_arousal: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.scores) if isinstance(self.scores, np.ndarray) and self.scores.ndim else 0
        k = len(self.classes)
        _check("boxes", self.boxes, (n, 4), required=True)
        _check("scores", self.scores, (n,), required=True)
        if not np.isfinite(self.boxes).all():
            raise ValueError(f"expected boxes that are finite, got {self.boxes.tolist()}")
        _check("landmarks", self.landmarks, (n, len(LANDMARKS), 2))
        _check("qualities", self.qualities, (n,))
        _check("tracks", self.tracks, (n,), np.int64)
        _check("pred_probs", self.pred_probs, (n, k))
        _check("raw", self.raw, (n, k))
        _check("confidences", self.confidences, (n,))
        _check("valence_arousal", self.valence_arousal, (n, 2))
        if self.emotions is not None and len(self.emotions) != n:
            raise ValueError(f"expected {n} emotions, got {len(self.emotions)}")

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: "int | slice | np.ndarray | list[int]") -> "Faces":
        """Returns some of the faces: by a mask `(n,)` bool, a slice, indices, or the index of one."""
        places = np.atleast_1d(np.arange(len(self))[chosen])
        some: dict[str, Any] = {
            field.name: value[places]
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }
        if self.emotions is not None:
            some["emotions"] = tuple(self.emotions[i] for i in places)
        return replace(self, **some)

    def __iter__(self) -> "Iterator[Faces]":
        """Gives each face as `Faces` of one."""
        return (self[i] for i in range(len(self)))

    @classmethod
    def within(
        cls,
        image: np.ndarray,
        boxes: np.ndarray,
        scores: np.ndarray,
        min_size: float,
        landmarks: np.ndarray | None = None,
    ) -> "Faces":
        """Makes faces of what a detector answered.

        Args:
            image: `(h, w, 3)`, the picture searched.
            boxes: `(n, 4)` xyxy in its pixels; clipped to the picture.
            scores: `(n,)`.
            min_size: Boxes whose longer side is shorter, in pixels, are left out, as are those that show
                nothing of the picture.
            landmarks: `(n, 5, 2)` in its pixels, where the detector gives them.

        Returns:
            The faces in the order of x1, then y1, x2, y2.
        """
        height, width = image.shape[:2]
        clipped = np.clip(boxes, 0, (width, height, width, height)).astype(np.float32).reshape(-1, 4)
        sides = clipped[:, 2:] - clipped[:, :2]
        keep = np.flatnonzero((sides.min(axis=1) > 0) & (sides.max(axis=1) >= min_size))
        order = keep[np.lexsort(clipped[keep].T[::-1])]
        points = None if landmarks is None else landmarks[order].astype(np.float32)
        return cls(clipped[order], np.asarray(scores, dtype=np.float32).reshape(-1)[order], points)

    def to_frame(self) -> "pd.DataFrame":
        """Makes a table with a row for each face and columns for what is known of it.

        Returns:
            `x1`, `y1`, `x2`, `y2`, `score`, `quality`, `track`, `emotion`, `confidence`, a column for each
            class, `valence`, `arousal`, `raw_` and the class, `<landmark>_x` and `<landmark>_y` for each of
            `LANDMARKS`.

        Raises:
            FercompError: A class is called as one of the other columns.
        """
        import pandas as pd

        emotions = None if self.emotions is None else np.array(self.emotions, dtype=object)
        columns: list[tuple[list[str], np.ndarray | None]] = [
            (["x1", "y1", "x2", "y2", "score"], np.column_stack((self.boxes, self.scores))),
            (["quality"], self.qualities),
            (["track"], self.tracks),
            (["emotion"], emotions),
            (["confidence"], self.confidences),
            (list(self.classes), self.pred_probs),
            (["valence", "arousal"], self.valence_arousal),
            ([f"{RAW}{name}" for name in self.classes], self.raw),
            (list(LANDMARK_COLUMNS), self.landmarks),
        ]
        known = [
            pd.DataFrame(values.reshape(len(self), len(names)), columns=names)
            for names, values in columns
            if values is not None
        ]
        table = pd.concat(known, axis=1)
        if not table.columns.is_unique:
            twice = sorted(table.columns[table.columns.duplicated()])
            raise FercompError(f"the model's classes {twice} are names of columns: train it with other names")
        return table


def known(value: T | None) -> T:
    """Returns what has to be known of faces by now.

    Raises:
        ValueError: It is not: the faces have not yet been followed or named.
    """
    if value is None:
        raise ValueError("expected faces that have been followed or named already")
    return value


def _check(
    name: str,
    array: np.ndarray | None,
    shape: tuple[int, ...],
    dtype: type[np.generic] = np.float32,
    required: bool = False,
) -> None:
    if array is None and not required:
        return
    wanted = f"{name} {shape} {dtype.__name__}"
    if not isinstance(array, np.ndarray):
        raise ValueError(f"expected {wanted}, got {type(array).__name__}: make an array of it")
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"expected {wanted}, got {array.shape} {array.dtype}")


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
