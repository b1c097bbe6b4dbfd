"""YuNet for the frames of a clip or a camera: one look at each."""

import cv2
import numpy as np

from fercomp.faces.found import MIN_SIZE, Faces
from fercomp.faces.yunet import kept_faces, yunet_clip_scale
from fercomp.faces.yunet_network import YuNetLook


class ClipYuNet:
    """YuNet for pictures that have one size for long.

    A picture is looked at in one thread, so that several are at once.

    Args:
        min_score: Lowest score, 0 to 1.
        min_size: Lowest longer side of a face in pixels.
    """

    framed = False

    def __init__(self, min_score: float = 0.7, min_size: float = MIN_SIZE) -> None:
        self._min_score = min_score
        self._min_size = min_size
        self._shape: tuple[int, int] | None = None

    def detect(self, image: np.ndarray) -> Faces:
        """Finds faces by one look at `yunet.yunet_clip_scale`."""
        height, width = image.shape[:2]
        if (height, width) != self._shape:
            scale = yunet_clip_scale(height, width)
            rows, columns = (max(1, round(side * scale)) for side in (height, width))
            self._look, self._shape = YuNetLook(rows, columns, self._min_score), (height, width)
        look = self._look.picture
        # Below half, a bilinear value would leave out pixels between its four.
        method = cv2.INTER_LINEAR if 2 * look.shape[1] >= width else cv2.INTER_AREA
        cv2.resize(image, look.shape[1::-1], dst=look, interpolation=method)
        found = self._look.find()
        x, y = width / look.shape[1], height / look.shape[0]
        found *= (x, y, x, y, 1, *(x, y) * 5)
        return kept_faces(image, found, self._min_score, self._min_size)
