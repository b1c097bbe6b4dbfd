"""Faces that are missed at first: tiny ones, and those who tilt their heads or whose photo is not upright.

YuNet knows upright faces of some 30 pixels and more. So a photo is made larger, for smaller ones, and turned.
Of those that lie on their side it misses most. One that stands on its head it often takes for an upright one,
but is less sure of it than of the same face turned the right way. docs/experiments/photos.md has the figures.
"""

import math
from typing import Final

import cv2
import numpy as np

from fercomp.faces.crop import scaled
from fercomp.faces.found import MIN_SIZE, Faces, known
from fercomp.faces.yunet import YuNet, best_of

TILTS: Final = {45: 256, -45: 256, 90: 640, -90: 640, 135: 256, -135: 256, 180: 640}
"""By how many degrees, clockwise, faces are tilted that are looked for, and at how many pixels of the turned
photo's longer side: 256 for one look of YuNet, 640 for two, since whole groups lie on their side."""

SURE: Final = 0.9
"""Score of a face from which on a photo is not looked at again: 94, 99 and 85 % of three sets of upright
photos have such a face, 14 % of those that stand on their head, none of those on their side."""

MIN_SCORE: Final = 0.8
"""Lowest score of a face in a second look: there are eight times as many chances to be wrong."""

LEAD: Final = 0.03
"""By how much a face has to score higher in the turned photo than in the photo as it is."""


class SecondLook:
    """YuNet, which enlarges and turns a photo where it is sure of no face in it.

    Args:
        min_score: Lowest score, 0 to 1; of a face in a second look `MIN_SCORE`, if that is more.
        min_size: Lowest longer side of a face in pixels.
    """

    framed = False

    def __init__(self, min_score: float = 0.7, min_size: float = MIN_SIZE) -> None:
        self._min_size = min_size
        self._first = YuNet(min_score, min_size)
        # What is small in a photo that was shrunk need not be small.
        self._again = YuNet(max(min_score, MIN_SCORE), 1)

    def detect(self, image: np.ndarray) -> Faces:
        """Finds faces, and looks again where none is sure."""
        first = self._first.detect(image)
        if first.scores.max(initial=0) >= SURE:
            return first
        small = scaled(image, min(1.0, max(TILTS.values()) / max(image.shape[:2])))
        times = np.array(image.shape[1::-1]) / small.shape[1::-1]
        upright = [first, self._again.enlarged(image)]
        found = [*upright, *(self._turned(small, times, tilt) for tilt in TILTS)]
        boxes, scores = (
            np.concatenate([getattr(one, name) for one in found]) for name in ("boxes", "scores")
        )
        landmarks = np.concatenate([known(one.landmarks) for one in found])
        lead = np.where(np.arange(len(scores)) < sum(map(len, upright)), LEAD, 0.0)
        best = best_of(boxes, scores + lead, 0)
        return Faces.within(image, boxes[best], scores[best], self._min_size, landmarks[best])

    def _turned(self, small: np.ndarray, times: np.ndarray, tilt: int) -> Faces:
        """Finds faces of a tilt in a photo that was shrunk, in pixels of the photo."""
        view, back = turned(small, tilt, TILTS[tilt])
        back *= times[:, None]
        faces = self._again.detect(view)
        return Faces(
            boxes_back(faces.boxes, back),
            faces.scores,
            (known(faces.landmarks) @ back[:, :2].T + back[:, 2]).astype(np.float32),
        )


def turned(image: np.ndarray, tilt: float, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Turns a picture so that what is tilted in it stands upright.

    Args:
        image: `(h, w, 3)` uint8.
        tilt: Degrees, clockwise.
        longest: Pixels of the result's longer side, to which it is shrunk where it would be longer.

    Returns:
        `(H, W, 3)` uint8 that shows all of it, with its border repeated in the corners; and `(2, 3)`, by
        which places of the result (pixels have their centres at halves) become places of the picture.
    """
    height, width = image.shape[:2]
    cos, sin = round(math.cos(math.radians(tilt)), 12), round(math.sin(math.radians(tilt)), 12)
    spans = np.array((width * abs(cos) + height * abs(sin), width * abs(sin) + height * abs(cos)))
    small = scaled(image, min(1.0, longest / spans.max()))
    centre = np.array((small.shape[1], small.shape[0])) / 2
    sides = np.maximum(np.ceil(np.abs(((cos, sin), (sin, cos))) @ (2 * centre) - 1e-6), 1).astype(int)
    turn = np.array(((cos, -sin), (sin, cos)))
    back = np.column_stack((turn, centre - turn @ (sides / 2)))
    by_centres = back.copy()  # OpenCV's pixels have their centres at whole numbers
    by_centres[:, 2] += turn @ (0.5, 0.5) - 0.5
    view = cv2.warpAffine(
        small,
        by_centres,
        (int(sides[0]), int(sides[1])),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return view, back * np.array((width, height))[:, None] / (2 * centre)[:, None]


def boxes_back(boxes: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Takes boxes of a turned picture to the picture.

    They stay upright there, around the same centres: as wide and high as the ellipses in them are, turned.
    The longer side stays as long, since crops go by it.

    Args:
        boxes: `(n, 4)` xyxy.
        back: `(2, 3)`, of `turned`.

    Returns:
        `(n, 4)` float32 xyxy.
    """
    turn = back[:, :2]
    sides = boxes[:, 2:] - boxes[:, :2]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 @ turn.T + back[:, 2]
    spans = np.sqrt(sides**2 @ (turn**2).T)
    longer = sides.max(axis=1, keepdims=True) * math.sqrt(abs(np.linalg.det(turn)))
    spans *= longer / np.maximum(spans.max(axis=1, keepdims=True), 1e-9)
    return np.hstack((centres - spans / 2, centres + spans / 2)).astype(np.float32)
