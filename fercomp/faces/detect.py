"""The face detectors by name."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from fercomp.core.arguments import require_number, wrong_type
from fercomp.core.errors import FercompError, unknown_name
from fercomp.faces.clip_yunet import ClipYuNet
from fercomp.faces.crop import whole_box
from fercomp.faces.found import MIN_SIZE, Detector, Faces
from fercomp.faces.haar import Haar
from fercomp.faces.second_look import SecondLook
from fercomp.faces.yunet import YuNet


@dataclass(frozen=True)
class Whole:
    """Takes every picture for a face, for photos that are cut out around one."""

    framed: bool = True

    def detect(self, image: np.ndarray) -> Faces:
        """Returns one face: the whole picture, with score 1."""
        return Faces(whole_box(image)[None], np.ones(1, dtype=np.float32))


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
    second_look: bool = False,
) -> Detector:
    """Makes a detector.

    Args:
        name: One of `DETECTORS`.
        min_score: Lowest score of a face: 0 to 1 for `yunet` (0.7), a number of agreeing windows for the
            Haar cascades (5); `None` for these defaults. `whole` does not look at it.
        min_size: Lowest longer side of a face in pixels. `whole` does not look at it.
        clip: The pictures are frames of a clip: `yunet` is a `clip_yunet.ClipYuNet`; the others have but one
            way to look.
        second_look: Where `yunet` is sure of no face in a photo, it looks again, at the photo made larger and
            turned (`second_look.SecondLook`). The others do not say how far a face is tilted: they look once.

    Returns:
        The detector, for one thread.

    Raises:
        FercompError: The name is unknown, the score is out of range, or the detector's file is missing.
    """
    if not isinstance(name, str):
        raise wrong_type("the name of a detector", name, f"one of {', '.join(DETECTORS)}")
    if name == "whole":
        return Whole()
    if name not in _MAKERS:
        raise unknown_name("detector", name, DETECTORS)
    require_number(min_size, "min-size")
    if min_score is not None:
        require_number(min_score, "min-score")
    if min_score is not None and not 0 <= min_score <= (1 if name == "yunet" else 1000):
        raise FercompError(f"min-score {min_score}: expected 0 to 1 for yunet, 1 to 1000 for a Haar detector")
    if not 1 <= min_size < math.inf:
        raise FercompError(f"min-size {min_size:g}: expected the pixels of a face's longer side, at least 1")
    chosen: dict[str, Any] = {} if min_score is None else {"min_score": min_score}
    if clip and name == "yunet":
        return ClipYuNet(min_size=min_size, **chosen)
    if second_look and name == "yunet":
        return SecondLook(min_size=min_size, **chosen)
    return _MAKERS[name](min_size=min_size, **chosen)
