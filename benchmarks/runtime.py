"""Compares the shipped runtime with its peers on the same networks in one run.

    python benchmarks/runtime.py [BACKBONE:SIZE ...]

Per network: milliseconds per face at batch 1 and at batch 32 for `keras.Model.predict`, a `tf.function`,
ONNX Runtime and OpenVINO; each as the median over the repetitions of about two seconds, and the largest
difference of a probability from Keras. Needs the dependency group `bench`.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from fercomp.modeling.backend.engine import keras, make_deterministic
from fercomp.modeling.backend.keras_file import save_keras
from fercomp.modeling.bundle.runtime import openvino_network
from fercomp.modeling.export.graph import export_openvino
from fercomp.modeling.training.network import build_network

DEFAULT = ("compact:48", "mobilenet_v3_small:224", "efficientnet_v2_b0:224", "convnext_tiny:224")
Network = Callable[[np.ndarray], np.ndarray]


def milliseconds(network: Network, faces: np.ndarray, seconds: float = 2.0) -> float:
    """Returns the median time per face."""
    network(faces)
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        start = time.perf_counter()
        network(faces)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times) / len(faces)


def peers(model: keras.Model, size: int, folder: Path) -> dict[str, Network | str]:
    """Returns each runtime, or why it cannot run the network."""
    import tensorflow as tf

    function = tf.function(lambda faces: model(faces, training=False))
    save_keras(model, folder / "model.keras")
    export_openvino(folder / "model.keras", folder / "graph.xml")
    return {
        "keras predict": lambda faces: model.predict(faces, verbose=0),
        "tf.function": lambda faces: function(tf.constant(faces)).numpy(),
        "onnxruntime": onnx(model, folder / "model.onnx"),
        "openvino": openvino_network(folder / "graph.xml", size, 9),
    }


def onnx(model: keras.Model, path: Path) -> Network | str:
    """Exports to ONNX and opens it in ONNX Runtime."""
    import onnxruntime

    try:
        model.export(str(path), format="onnx", verbose=False)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as error:
        return f"{type(error).__name__} in the export"
    inputs = [node.name for node in session.get_inputs()]
    if len(inputs) > 1:
        return f"export has {len(inputs) - 1} inputs too many"
    return lambda faces: session.run(None, {inputs[0]: faces})[0]


def main() -> None:
    """Prints one table."""
    table = Table("network", "runtime", "batch 1, ms", "batch 32, ms", "difference from Keras")
    for case in sys.argv[1:] or DEFAULT:
        backbone, size = case.split(":")
        make_deterministic(0)
        model = build_network(backbone, int(size))
        faces = np.random.default_rng(0).integers(0, 256, (32, int(size), int(size), 3), dtype=np.uint8)
        expected = keras.ops.convert_to_numpy(model(faces[:4], training=False))
        with tempfile.TemporaryDirectory() as folder:
            for runtime, network in peers(model, int(size), Path(folder)).items():
                if isinstance(network, str):
                    table.add_row(case, runtime, "-", "-", network)
                    continue
                difference = np.abs(network(faces[:4]) - expected).max()
                one, many = milliseconds(network, faces[:1]), milliseconds(network, faces)
                table.add_row(case, runtime, f"{one:.1f}", f"{many:.1f}", f"{difference:.1g}")
    Console().print(table)


if __name__ == "__main__":
    main()
