"""The inference graph of a trained network, for the runtime.

It holds the same bytes whenever the network is the same: no counters of the process that wrote it.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fercomp.core.errors import FercompError, in_brief
from fercomp.modeling.backend.devices import has_gpu
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.keras_file import load_keras, save_keras
from fercomp.modeling.bundle.runtime import Network, openvino_network
from fercomp.modeling.export.quantise import name_by_position
from fercomp.modeling.export.static_slices import static_slices

TOLERANCE = 1e-4
"""Largest difference of an output between the exported graph and Keras; of numbers above 1, its share."""

COMPRESSED_TOLERANCE = 0.02
"""The same where the graph's weights are rounded to float16."""


def export_openvino(model_file: Path, path: Path, compress: bool = False) -> float:
    """Exports the inference graph and compares it with Keras on a batch of noise.

    Only TensorFlow's backend can export, and on the processor: GPUs round otherwise. Under another one, or
    with a GPU, a process of TensorFlow's own does it.

    Args:
        model_file: A `.keras` file of a network from `(n, S, S, 3)` uint8 to `(n, W)` float32.
        path: The graph's `.xml` to write; the weights go into a `.bin` beside it.
        compress: Store weights as float16: half the size; arithmetic stays float32.

    Returns:
        The largest difference of an output between the graph and Keras, at most `TOLERANCE`, or
        `COMPRESSED_TOLERANCE` with compressed weights.

    Raises:
        FercompError: The network cannot be exported, or the graph does not equal it.
    """
    if keras.backend.backend() != "tensorflow" or has_gpu():
        return export_apart(model_file, path, compress)
    import openvino

    model = load_keras(model_file)
    # By way of a SavedModel: traced directly, activations with a gradient of their own (swish) leave extra
    # outputs behind, and OpenVINO 2026.4 fails on Python 3.13.
    with tempfile.TemporaryDirectory() as folder:
        try:
            with static_slices():
                model.export(folder, format="tf_saved_model", verbose=False)
            graph = openvino.convert_model(folder)
        except (RuntimeError, NotImplementedError, ValueError) as error:
            raise FercompError(f"{model.name} cannot be exported to OpenVINO ({in_brief(error)})") from error
        name_by_position(graph)
        path.parent.mkdir(parents=True, exist_ok=True)
        openvino.save_model(graph, path, compress_to_fp16=compress)
    size, width = model.input_shape[1], model.output_shape[1]
    faces = np.random.default_rng(0).integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    expected = keras.ops.convert_to_numpy(model(faces, training=False))
    difference = float(np.abs(openvino_network(path, size, width)(faces) - expected).max())
    scale = max(1.0, float(np.abs(expected).max()))
    if not difference <= scale * (COMPRESSED_TOLERANCE if compress else TOLERANCE):
        raise FercompError(f"the exported graph of {model.name} differs from Keras by {difference:.2g}")
    return difference


def export_apart(model_file: Path, path: Path, compress: bool = False) -> float:
    """Exports, as `export_openvino` does, in a process of its own, with TensorFlow on the processor.

    So it takes none of a GPU's memory, and leaves Keras in the state that a training needs.
    """
    code = (
        "import sys, pathlib\n"
        "from fercomp.core.errors import FercompError\n"
        "from fercomp.modeling.export.graph import export_openvino\n"
        "model_file, path, compress = sys.argv[1:]\n"
        "try:\n"
        "    print(export_openvino(pathlib.Path(model_file), pathlib.Path(path), compress == 'compress'))\n"
        "except FercompError as error:\n"
        "    sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model_file), str(path), "compress" if compress else ""],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise FercompError(lines[-1] if lines else f"the export ended with code {done.returncode}")
    return float(done.stdout.split()[-1])


def exported(model: keras.Model, export: Callable[[Path, Path], float]) -> Network:
    """Opens the graph of a network for as long as this process runs; no file stays.

    Args:
        model: The network.
        export: `export_openvino` or `export_apart`.

    Raises:
        FercompError: It cannot be exported.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        file, graph = Path(name) / "model.keras", Path(name) / "graph.xml"
        save_keras(model, file)
        export(file, graph)
        return openvino_network(graph, model.input_shape[1], model.output_shape[1])
