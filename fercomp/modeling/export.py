"""Saves a trained network: as a Keras file, and as the inference graph of the runtime.

Both files hold the same bytes whenever the network is the same: neither dates nor counters of the
process that wrote them.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.modeling.backend import keras
from fercomp.modeling.precision import name_by_position
from fercomp.modeling.runtime import openvino_network

TOLERANCE = 1e-4
"""Largest difference of an output between the exported graph and Keras."""

COMPRESSED_TOLERANCE = 0.02
"""The same where the graph's weights are rounded to float16."""


def save_keras(model: keras.Model, path: Path) -> None:
    """Saves a model as a `.keras` file without the time of writing.

    Args:
        model: The network.
        path: The file to write.
    """
    with tempfile.TemporaryDirectory() as folder:
        dated = Path(folder) / "model.keras"
        model.save(dated)
        with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
            for name in sorted(source.namelist()):
                data = source.read(name)
                if name == "metadata.json":
                    data = json.dumps({**json.loads(data), "date_saved": ""}).encode()
                if name == "config.json":
                    data = _renumber_shared_objects(data.decode()).encode()
                target.writestr(zipfile.ZipInfo(name), data)


def _renumber_shared_objects(config: str) -> str:
    """Replaces memory addresses, which Keras uses to mark objects that layers share, by 0, 1, 2 ..."""
    numbers: dict[str, int] = {}
    return re.sub(
        r'("shared_object_id": )(\d+)',
        lambda match: match[1] + str(numbers.setdefault(match[2], len(numbers))),
        config,
    )


def load_keras(path: Path) -> keras.Model:
    """Loads a `.keras` file; code inside it is refused (`safe_mode`).

    Args:
        path: The file.

    Returns:
        The model, without its optimizer.

    Raises:
        FercompError: The file is missing or is not a model of ours.
    """
    if not path.is_file():
        raise FercompError(f"{path} not found: train the model again")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        why = " ".join(str(error).split())[:200]
        raise FercompError(f"{path} cannot be loaded ({why}): train the model again") from error


def export_openvino(model_file: Path, path: Path, compress: bool = False) -> float:
    """Exports the inference graph and compares it with Keras on a batch of noise.

    Only TensorFlow's backend can export. Under another one, a process of TensorFlow's own does it.

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
    if keras.backend.backend() != "tensorflow":
        return _export_elsewhere(model_file, path, compress)
    import openvino

    model = load_keras(model_file)
    # By way of a SavedModel: traced directly, activations with a gradient of their own (swish) leave extra
    # outputs behind, and OpenVINO 2026.4 fails on Python 3.13.
    with tempfile.TemporaryDirectory() as folder:
        try:
            model.export(folder, format="tf_saved_model", verbose=False)
            graph = openvino.convert_model(folder)
        except (RuntimeError, NotImplementedError, ValueError) as error:
            why = " ".join(str(error).split())[:200]
            raise FercompError(f"{model.name} cannot be exported to OpenVINO ({why})") from error
        name_by_position(graph)
        path.parent.mkdir(parents=True, exist_ok=True)
        openvino.save_model(graph, path, compress_to_fp16=compress)
    size, width = model.input_shape[1], model.output_shape[1]
    faces = np.random.default_rng(0).integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    expected = keras.ops.convert_to_numpy(model(faces, training=False))
    difference = float(np.abs(openvino_network(path, size, width)(faces) - expected).max())
    if not difference <= (COMPRESSED_TOLERANCE if compress else TOLERANCE):
        raise FercompError(f"the exported graph of {model.name} differs from Keras by {difference:.2g}")
    return difference


def _export_elsewhere(model_file: Path, path: Path, compress: bool) -> float:
    arguments = [str(model_file), str(path), "compress" if compress else ""]
    done = subprocess.run(
        [sys.executable, "-m", "fercomp.modeling.export", *arguments],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise FercompError(lines[-1] if lines else f"the export ended with code {done.returncode}")
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    # Keras names its loaded class by this module's own name, not by "__main__".
    from fercomp.modeling import export

    try:
        difference = export.export_openvino(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "compress")
    except FercompError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{difference}\n")
