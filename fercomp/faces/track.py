"""Who is who over the frames of a clip.

A track is a person from frame to frame, known by place and looks. The libraries of such trackers do not fit:
`trackers` and `supervision` bring an OpenCV of their own, and `norfair` a further package for its Kalman
filter; and they follow places, not looks, so that two people who swap places may swap ids. What a few faces
per frame need is SciPy's assignment and the lines below.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from fercomp.faces.found import Faces

PATIENCE: Final = 0.5
"""Seconds after which a face that is not found again is forgotten; not one of the frame before, however."""

LONGEST_STEP: Final = 3.0
"""Seconds between two frames after which nobody is known any more."""

MIN_OVERLAP: Final = 0.2
"""Lowest intersection over union of a face's box and where it was expected."""

MIN_LIKENESS: Final = 0.4
"""Lowest correlation of a face's pixels with its last ones: 0.8 and more from frame to frame as a rule."""

CUT: Final = 20.0
"""Grey levels by which two pictures differ, on the mean, when another scene begins."""

PATCH: Final = 24
"""Side in pixels of the faces that are compared."""


@dataclass
class _Track:
    id: int
    box: np.ndarray
    speed: np.ndarray  # of the box's four numbers, pixels per second
    time: float
    patch: np.ndarray


class Tracker:
    """Gives the faces of one clip their ids, frame after frame.

    A face goes on with the track that it overlaps most and looks most like. Every doubt ends a track: a new
    scene, another face in the same place, half a second unseen. Ids count from 0 and never come again.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 0
        self._time = 0.0
        self._scene: np.ndarray | None = None

    def update(self, faces: Faces, image: np.ndarray, time: float) -> np.ndarray:
        """Says who the faces of the next frame are.

        Args:
            faces: The n faces.
            image: The frame, `(h, w, 3)` uint8 RGB.
            time: Seconds, never earlier than in the call before.

        Returns:
            `(n,)` int64, a track's id for each face, all different.
        """
        if self._new_scene(image):
            self._tracks = []
        patience = max(PATIENCE, min(time - self._time, LONGEST_STEP))
        self._tracks = [track for track in self._tracks if time - track.time <= patience]
        self._time = time
        patches = [_patch(image, box) for box in faces.boxes]
        matches = self._matches(faces.boxes, patches, time)
        ids = np.empty(len(faces), dtype=np.int64)
        for i, (box, patch) in enumerate(zip(faces.boxes, patches, strict=True)):
            track = matches.get(i)
            if track is None:
                track = _Track(self._next_id, box, np.zeros(4), time, patch)
                self._tracks.append(track)
                self._next_id += 1
            else:
                self._move(track, box, patch, time)
            ids[i] = track.id
        return ids

    def forget(self) -> None:
        """Ends all tracks."""
        self._tracks = []

    def _new_scene(self, image: np.ndarray) -> bool:
        small = cv2.resize(image, (32, 18), interpolation=cv2.INTER_AREA)
        scene = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        before, self._scene = self._scene, scene
        return before is not None and float(np.abs(scene - before).mean()) > CUT

    def _matches(self, boxes: np.ndarray, patches: list[np.ndarray], time: float) -> dict[int, _Track]:
        """Returns the track of each face that has one: the assignment that fits best on the whole."""
        if not self._tracks or not len(boxes):
            return {}
        expected = np.array([track.box + track.speed * (time - track.time) for track in self._tracks])
        overlap = _overlaps(boxes, expected)
        likeness = np.array(
            [[float((patch * track.patch).mean()) for track in self._tracks] for patch in patches]
        )
        fits = (overlap >= MIN_OVERLAP) & (likeness >= MIN_LIKENESS)
        return {i: self._tracks[j] for i, j in _pairs(fits, overlap + likeness)}

    @staticmethod
    def _move(track: _Track, box: np.ndarray, patch: np.ndarray, time: float) -> None:
        passed = time - track.time
        if passed > 0:
            # Half of the speed is the last step's: detectors tremble by a few pixels.
            track.speed = 0.5 * track.speed + 0.5 * (box - track.box) / passed
        track.box, track.patch, track.time = box, patch, time


def _pairs(fits: np.ndarray, values: np.ndarray) -> list[tuple[int, int]]:
    """Assigns faces to tracks so that the pairs that fit have the largest sum of values, all above 0.

    Args:
        fits: `(n, m)` bool, whether a face may be a track.
        values: `(n, m)`, how well it fits.
    """
    if (fits.sum(axis=0) > 1).any() or (fits.sum(axis=1) > 1).any():
        # Imported only where faces are in doubt: it takes a third of a second, and most clips have none.
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(np.where(fits, values, 0.0), maximize=True)
        chosen = np.zeros_like(fits)
        chosen[rows, columns] = True
        fits = fits & chosen
    return [(int(i), int(j)) for i, j in np.argwhere(fits)]


def _patch(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns a face in grey, `(PATCH, PATCH)` float32 with mean 0 and deviation 1: light does not matter."""
    x1, y1 = np.floor(box[:2]).astype(int)
    x2, y2 = np.maximum(np.ceil(box[2:]).astype(int), (x1 + 1, y1 + 1))
    face = cv2.resize(image[y1:y2, x1:x2], (PATCH, PATCH), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    scaled: np.ndarray = (grey - grey.mean()) / (grey.std() + 1e-6)
    return scaled


def _overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns the intersection over union of boxes `(n, 4)` and `(m, 4)` as `(n, m)`."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    overlaps: np.ndarray = shared / np.maximum(union, 1e-9)
    return overlaps
