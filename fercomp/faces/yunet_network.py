"""The network YuNet on OpenVINO, in half of OpenCV's time, for looks of one size.

OpenVINO compiles the network for one size, in a tenth of a second. So looks at the frames of a clip, which
have one size for long, and at whole photos, shrunk to a square of one size, are run here; photos of any
size in more detail stay with OpenCV (`yunet.YuNet`). Both give the same boxes.
"""

import os
import threading
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fercomp.core.parallel import threads

if TYPE_CHECKING:
    import openvino

YUNET_FILE: Final = Path(__file__).with_name("face_detection_yunet_2023mar.onnx")
"""The network, from OpenCV's zoo of models; YUNET-LICENSE.txt beside it is its licence."""

OVERLAP: Final = 0.4
"""Boxes of YuNet with a higher intersection over union show the same face."""

LARGEST_FACE: Final = 320
"""Pixels of a look. Larger finds are often a part of a face; a look at less of them sees the whole of it."""

STRIDES: Final = (8, 16, 32)
"""Pixels between two anchors, for small, middle and large faces."""

HEADS: Final = ("cls", "obj", "bbox", "kps")
"""Outputs for each stride: probability that it is a face, that it is anything, where, and its landmarks."""


_COMPILING: Final = threading.Lock()

_process = 0
"""The one that runs OpenVINO's threads. They do not come along to a child that it forks, which would wait for
them for ever: there OpenCV looks."""


@lru_cache(maxsize=4)
def _compiled(file: Path, height: int, width: int) -> "openvino.CompiledModel":
    """Compiles the network for pictures `(1, height, width, 3)` uint8 RGB, one on each core at once."""
    from openvino.preprocess import PrePostProcessor

    from fercomp.core.openvino import openvino

    whole = openvino.Core().read_model(file)
    wanted = [whole.output(f"{head}_{stride}") for stride in STRIDES for head in HEADS]
    model = openvino.Model(wanted, whole.get_parameters())
    model.reshape([1, 3, height, width])
    processor = PrePostProcessor(model)
    taken = processor.input()
    taken.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    taken.model().set_layout(openvino.Layout("NCHW"))
    taken.preprocess().convert_element_type(openvino.Type.f32).reverse_channels()  # RGB to BGR
    most = threads()
    options = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": most, "INFERENCE_NUM_THREADS": most}
    return openvino.compile_model(processor.build(), "CPU", options)


class YuNetLook:
    """YuNet's looks at pictures of one size, from one thread; several threads with one each look at once.

    Args:
        height: Rows of a look.
        width: Its columns.
        min_score: Lowest score, 0 to 1.

    Attributes:
        picture: `(height, width, 3)` uint8 RGB, black at first: what `find` looks at is written here.
    """

    def __init__(self, height: int, width: int, min_score: float) -> None:
        self._min_score = min_score
        # The network halves five times; what is added stays black.
        padded = tuple(-(-side // STRIDES[-1]) * STRIDES[-1] for side in (height, width))
        self._padded = np.zeros((1, *padded, 3), dtype=np.uint8)
        self.picture = self._padded[0, :height, :width]
        global _process
        with _COMPILING:
            _process = _process or os.getpid()
            if _process == os.getpid():
                self._request = _compiled(YUNET_FILE, *padded).create_infer_request()

    def find(self) -> np.ndarray:
        """Finds faces in the picture.

        Returns:
            `(n, 15)`: xyxy, score, and x and y of each landmark, in its pixels. Those of one face overlap.
        """
        if _process != os.getpid():
            return found_by_opencv(self._opencv, self.picture)
        outputs = self._request.infer({0: self._padded}, share_inputs=True, share_outputs=True)
        return np.concatenate([self._decoded(outputs, stride) for stride in STRIDES])

    @cached_property
    def _opencv(self) -> cv2.FaceDetectorYN:
        return by_opencv(self._min_score)

    def _decoded(self, outputs: "openvino.utils.data_helpers.OVDict", stride: int) -> np.ndarray:
        """Returns `(n, 15)` for the anchors of a stride: xyxy, score and landmarks.

        As in OpenCV's `FaceDetectorYN`: the score is the geometric mean of the two probabilities, a box's
        centre and the landmarks are given in strides from its anchor, its sides as logarithms of strides.
        """
        classes, objects, boxes, points = (outputs[f"{head}_{stride}"][0] for head in HEADS)
        scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
        anchors = np.flatnonzero(scores >= self._min_score)
        places = np.stack(np.divmod(anchors, self._padded.shape[2] // stride)[::-1], axis=1)
        centres = (places + boxes[anchors, :2]) * stride
        halves = np.exp(boxes[anchors, 2:]) * (stride / 2)
        sides = 2 * halves.max(axis=1, initial=0)
        landmarks = (np.tile(places, 5) + points[anchors]) * stride
        found = np.hstack((centres - halves, centres + halves, scores[anchors, None], landmarks))
        chosen: np.ndarray = found[sides <= LARGEST_FACE]
        return chosen


def by_opencv(min_score: float) -> cv2.FaceDetectorYN:
    """Makes OpenCV's detector, for `found_by_opencv`."""
    return cv2.FaceDetectorYN.create(str(YUNET_FILE), "", (LARGEST_FACE, LARGEST_FACE), min_score, OVERLAP)


def found_by_opencv(network: cv2.FaceDetectorYN, look: np.ndarray) -> np.ndarray:
    """Looks at a picture `(h, w, 3)` uint8 RGB of any size; returns what `YuNetLook.find` does."""
    network.setInputSize(look.shape[1::-1])
    _, rows = network.detect(cv2.cvtColor(look, cv2.COLOR_RGB2BGR))
    if rows is None:
        return np.empty((0, 15), dtype=np.float32)
    corner, sides, points, scores = np.split(
        rows[rows[:, 2:4].max(axis=1) <= LARGEST_FACE], (2, 4, 14), axis=1
    )
    return np.hstack((corner, corner + sides, scores, points))
