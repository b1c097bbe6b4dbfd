"""Runs an inference graph.

OpenVINO needs neither TensorFlow nor Keras: it starts in half a second instead of six and classifies a
face several times faster (`docs/experiments/runtime.md`). Keras is the fallback for networks that cannot be
exported.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from fercomp.core.errors import FercompError, last_line

LARGEST_BATCH: Final = 32
"""Faces that go through a graph at once: twice as many take at most 4 % less time a face, and more memory."""

Network = Callable[[np.ndarray], np.ndarray]
"""From `(n, S, S, 3)` uint8 to `(n, W)` float32, n at least 1; safe to call from several threads."""


def openvino_network(graph: Path, size: int, width: int) -> Network:
    """Compiles an OpenVINO graph for this machine's CPU.

    Args:
        graph: The graph's `.xml`; its `.bin` lies beside it.
        size: Side of the input that the card promises, S.
        width: Number of outputs that the card promises, W.

    Returns:
        The network.

    Raises:
        FercompError: A file is missing or damaged, or the graph is not what the card promises.
    """
    from fercomp.core.openvino import openvino

    if not graph.is_file() or not graph.with_suffix(".bin").is_file():
        raise FercompError(f"{graph.parent} lacks graph.xml or graph.bin: train the model again")
    try:
        model = openvino.Core().read_model(graph)
        shapes = (model.input().partial_shape, model.output().partial_shape)
    except RuntimeError as error:
        raise FercompError(f"{graph} is damaged ({last_line(error)}): train the model again") from error
    promised = (openvino.PartialShape([-1, size, size, 3]), openvino.PartialShape([-1, width]))
    if shapes != promised:
        raise FercompError(
            f"{graph} maps {shapes[0]} to {shapes[1]}, its card promises {promised[0]} to {promised[1]}: "
            "the folder mixes two models; train again"
        )
    # The default precision on recent CPUs is bf16: faster, but probabilities then depend on the machine.
    try:
        compiled = openvino.compile_model(
            model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        )
    except RuntimeError as error:
        raise FercompError(f"{graph} cannot be run ({last_line(error)}): train the model again") from error

    def run(faces: np.ndarray) -> np.ndarray:
        request = compiled.create_infer_request()  # one per call: a request is not shared by threads
        outputs = np.empty((len(faces), width), dtype=np.float32)
        start = 0
        for n in batch_sizes(len(faces)):
            batch = slice(start, start + n)
            try:
                outputs[batch] = request.infer({0: np.ascontiguousarray(faces[batch])})[0]
            except (RuntimeError, ValueError) as error:
                raise FercompError(f"{graph} cannot be run ({last_line(error)}): train again") from error
            start += n
        return outputs

    return run


def batch_sizes(n: int) -> list[int]:
    """Returns powers of two, `LARGEST_BATCH` at most and the largest first, whose sum is n.

    OpenVINO keeps memory for every size of a batch that it has met, some MB each, and the number of faces in
    the frames of a clip is never the same for long: with few sizes, ten minutes take no more than one.
    """
    sizes = [LARGEST_BATCH] * (n // LARGEST_BATCH)
    rest = n % LARGEST_BATCH
    return sizes + [1 << bit for bit in reversed(range(rest.bit_length())) if rest >> bit & 1]


def keras_network(path: Path, size: int, width: int) -> Network:
    """Loads a Keras model for inference.

    Args:
        path: The `.keras` file.
        size: Side of the input that the card promises, S.
        width: Number of outputs that the card promises, W.

    Returns:
        The network.

    Raises:
        FercompError: The file is missing or damaged, or the model is not what the card promises.
    """
    from fercomp.modeling.backend.engine import keras
    from fercomp.modeling.backend.keras_file import load_keras

    model = load_keras(path)
    if model.input_shape != (None, size, size, 3) or model.output_shape != (None, width):
        raise FercompError(
            f"{path} maps {model.input_shape} to {model.output_shape}, its card promises size {size} and "
            f"{width} outputs: the folder mixes two models; train again"
        )

    if keras.backend.backend() == "tensorflow":
        model.jit_compile = False  # XLA compiles anew for each number of faces, and rounds otherwise

    def run(faces: np.ndarray) -> np.ndarray:
        result: np.ndarray = model.predict_on_batch(faces)
        return result

    return run
