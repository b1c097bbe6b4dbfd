"""How photos are framed on a face: what training photos show around it, a found face must show too."""

from collections.abc import Iterable

import numpy as np

from fercomp.faces.found import Detector

ENOUGH = 20
"""Faces below which no framing is measured."""


def measure_margin(images: Iterable[np.ndarray], detector: Detector) -> float:
    """Measures the margin that makes a detector's box frame a face as these photos do.

    `crop.face_input` makes a square of side `max(w, h) * (1 + 2 * margin)` from a box; the median photo is
    to be its own square.

    Args:
        images: `(h, w, 3)` uint8 RGB, each framed on one face.
        detector: The detector that will find faces.

    Returns:
        Share of the box side to add on each side, 0 to 1, in steps of 0.001. 0 where fewer than `ENOUGH`
        photos show exactly one face to the detector.
    """
    ratios = []
    for image in images:
        boxes = detector.detect(image).boxes
        if len(boxes) == 1:
            x1, y1, x2, y2 = boxes[0]
            ratios.append(max(image.shape[:2]) / max(x2 - x1, y2 - y1))
    if len(ratios) < ENOUGH:
        return 0.0
    return round(float(np.clip((np.median(ratios) - 1) / 2, 0.0, 1.0)), 3)
