"""YuNet for the frames of a clip or a camera, run by OpenVINO in half of OpenCV's time.

OpenVINO compiles the network for one size of picture, in a tenth of a second: nothing for a clip, too much
for photos, each of which may have another size. So photos stay with `yunet.YuNet`; both give the same boxes.
"""

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from fercomp.core.parallel import threads
from fercomp.faces.found import MIN_SIZE, Faces
from fercomp.faces.yunet import YUNET_FILE, YuNet, kept_faces, yunet_clip_scale

if TYPE_CHECKING:
    import openvino

STRIDES: Final = (8, 16, 32)
"""Pixels between two anchors, for small, middle and large faces."""

HEADS: Final = ("cls", "obj", "bbox", "kps")
"""Outputs for each stride: probability that it is a face, that it is anything, where, and its landmarks."""


_COMPILING: Final = threading.Lock()


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


class ClipYuNet:
    """The YuNet network (Wu, Peng and Yu, 2023) for pictures that have one size for long.

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
            self._prepare(height, width)
        # Below half, a bilinear value would leave out pixels between its four.
        method = cv2.INTER_LINEAR if 2 * self._look.shape[1] >= width else cv2.INTER_AREA
        cv2.resize(image, self._look.shape[1::-1], dst=self._look, interpolation=method)
        outputs = self._request.infer({0: self._padded}, share_inputs=True, share_outputs=True)
        found = np.concatenate([self._decoded(outputs, stride) for stride in STRIDES])
        x, y = width / self._look.shape[1], height / self._look.shape[0]
        found *= (x, y, x, y, 1, *(x, y) * 5)
        return kept_faces(image, found, self._min_score, self._min_size)

    def _prepare(self, height: int, width: int) -> None:
        """Gets the network for a size, and makes the buffer that it looks at."""
        scale = yunet_clip_scale(height, width)
        rows, columns = (max(1, round(side * scale)) for side in (height, width))
        # The network halves five times; what is added stays black.
        padded = tuple(-(-side // STRIDES[-1]) * STRIDES[-1] for side in (rows, columns))
        self._padded = np.zeros((1, *padded, 3), dtype=np.uint8)
        self._look = self._padded[0, :rows, :columns]
        with _COMPILING:
            self._request = _compiled(YUNET_FILE, *padded).create_infer_request()
        self._shape = (height, width)

    def _decoded(self, outputs: "openvino.utils.data_helpers.OVDict", stride: int) -> np.ndarray:
        """Returns `(n, 15)` for the anchors of a stride: xyxy, score and landmarks in pixels of the look.

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
        chosen: np.ndarray = found[sides <= YuNet.LARGEST]
        return chosen
