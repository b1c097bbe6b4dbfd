"""From a face to numbers that say whose it is: FaceNet, to its last layer, run by OpenVINO."""

import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.errors import FercompError, last_line
from fercomp.core.parallel import threads
from fercomp.faces.crop import upright_input
from fercomp.faces.found import Faces
from fercomp.faces.quality import rolls
from fercomp.modeling.backbones.packaged import facenet_file

if TYPE_CHECKING:
    import openvino

EMBEDDED_SIDE: Final = 160
"""Side of the network's input in pixels."""

EMBEDDING_WIDTH: Final = 512

RECOGNISABLE: Final = 17.0
"""Length of an embedding from which on it says whose face it is. Faces that are too dark, small or blurred
get shorter ones, which are like each other whoever it is (docs/experiments/people.md)."""

_LAST: Final = "InceptionResnetV1/Bottleneck/BatchNorm/Reshape_1"  # before the length is taken out

_MARGIN: Final = 0.1  # of 0 to 0.3 the best, and upright better than not (docs/experiments/people.md)

_LOADING: Final = threading.Lock()


@lru_cache(maxsize=1)
def require_embedder() -> Path:
    """Returns FaceNet's file, before hours of work.

    Raises:
        FercompError: Its package is not installed, or damaged.
    """
    return facenet_file("leave --people out")


@lru_cache(maxsize=1)
def _network() -> "openvino.CompiledModel":
    """Reads and compiles the graph: half a second each."""
    from fercomp.core.openvino import openvino

    try:
        whole = openvino.Core().read_model(require_embedder())
        last = next(node for node in whole.get_ops() if node.get_friendly_name() == _LAST)
        graph = openvino.Model([last.output(0)], whole.get_parameters())
        most = threads()
        # Where the processor has bf16, it moves distances by 0.0001 and takes a third of the time.
        return openvino.compile_model(graph, "CPU", {"NUM_STREAMS": most, "INFERENCE_NUM_THREADS": most})
    except RuntimeError as error:
        raise FercompError(f"FaceNet cannot be run ({last_line(error)}): leave --people out") from error


def load_embedder() -> None:
    """Makes sure that the network is there, so that not the first face waits for it."""
    with _LOADING:
        _network()


def embedded_face(image: np.ndarray, faces: Faces, i: int) -> np.ndarray:
    """Cuts a face out as FaceNet expects it: upright, where its eyes are known.

    Args:
        image: `(h, w, 3)` uint8 RGB.
        faces: Its faces.
        i: Which of them.

    Returns:
        `(EMBEDDED_SIDE, EMBEDDED_SIDE, 3)` uint8 RGB.
    """
    roll = 0.0 if faces.landmarks is None else float(rolls(faces.landmarks[i : i + 1])[0])
    return upright_input(image, faces.boxes[i], roll, EMBEDDED_SIDE, _MARGIN)


def embedding(face: np.ndarray) -> np.ndarray:
    """Says whose face it is; may be called from several threads.

    Args:
        face: Of `embedded_face`.

    Returns:
        `(EMBEDDING_WIDTH,)` float32. The cosine of two is higher for one person than for two; their lengths
        say how sure that is (`RECOGNISABLE`).
    """
    load_embedder()
    request = _network().create_infer_request()
    said = request.infer({0: (face[None].astype(np.float32) - 127.5) / 128})[0][0]
    return np.array(said, dtype=np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Returns vectors `(..., EMBEDDING_WIDTH)` with length 1, as float32."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: np.ndarray = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return scaled
