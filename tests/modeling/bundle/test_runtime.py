"""Every exported graph equals Keras on the same batch."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.errors import FercompError
from fercomp.modeling.backend.engine import keras, make_deterministic
from fercomp.modeling.backend.keras_file import load_keras, save_keras
from fercomp.modeling.bundle.card import GRAPH
from fercomp.modeling.bundle.runtime import LARGEST_BATCH, batch_sizes, keras_network, openvino_network
from fercomp.modeling.export.graph import TOLERANCE, export_openvino
from fercomp.modeling.training.network import build_network

FAMILIES = (
    "mobilenet_v3_small", "efficientnet_v2_b0", "convnext_tiny", "resnet50", "mobilenet_v2", "vgg16"
)  # fmt: skip


def export(model, folder):
    """Saves and exports a network; returns the largest difference between the two."""
    save_keras(model, folder / "model.keras")
    return export_openvino(folder / "model.keras", folder / "graph.xml")


def noise(n, size):
    return np.random.default_rng(n).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backbone", "size"), [("compact", 48), *((name, 64) for name in FAMILIES), ("xception", 96)]
)
def test_exported_graph_equals_keras(backbone, size, tmp_path):
    make_deterministic(0)
    model = build_network(backbone, size)
    assert export(model, tmp_path) <= TOLERANCE
    network = openvino_network(tmp_path / "graph.xml", size, 9)
    for n in (1, 3, 36):  # the batch is free
        faces = noise(n, size)
        expected = keras.ops.convert_to_numpy(model(faces, training=False))
        np.testing.assert_allclose(network(faces), expected, atol=TOLERANCE)
        np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
def test_with_a_gpu_the_processor_exports_in_a_process_of_its_own(tmp_path, monkeypatch):
    make_deterministic(0)
    model = build_network("compact", 32)
    difference = export(model, tmp_path)
    monkeypatch.setattr("fercomp.modeling.export.graph.has_gpu", lambda: True)
    (tmp_path / "again").mkdir()
    assert export(model, tmp_path / "again") == difference
    for name in ("graph.xml", "graph.bin"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


@given(st.integers(min_value=0, max_value=1000))
def test_batches_come_in_few_sizes_and_leave_no_face_out(n):
    sizes = batch_sizes(n)
    assert sum(sizes) == n
    assert sizes == sorted(sizes, reverse=True)
    assert set(sizes) <= {1, 2, 4, 8, 16, 32}
    assert len(sizes) <= n // LARGEST_BATCH + 5


@pytest.fixture(scope="module")
def model(shallow):
    make_deterministic(3)
    return build_network("compact", 32)


@pytest.mark.slow
def test_files_are_the_same_bytes_whatever_the_process_did_before(model, tmp_path):
    code = (
        "from pathlib import Path\n"
        "from fercomp.modeling.backbones import compact\n"
        "from fercomp.modeling.backend.engine import make_deterministic\n"
        "from fercomp.modeling.backend.keras_file import save_keras\n"
        "from fercomp.modeling.export.graph import export_openvino\n"
        "from fercomp.modeling.training.network import build_network\n"
        "compact.BLOCKS, compact.CHANNELS = 1, {'compact': (16,)}\n"  # as the fixture `shallow`
        "make_deterministic(3)\n"
        "model = build_network('compact', 32)\n"
        "save_keras(model, Path('model.keras'))\n"
        "export_openvino(Path('model.keras'), Path('graph.xml'))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    (tmp_path / "here").mkdir()
    export(model, tmp_path / "here")
    for name in ("graph.xml", "graph.bin", "model.keras"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "here" / name).read_bytes(), name


def test_a_saved_model_loads_with_equal_output(model, tmp_path):
    save_keras(model, tmp_path / "model.keras")
    faces = noise(3, 32)
    expected = keras.ops.convert_to_numpy(model(faces, training=False))
    np.testing.assert_array_equal(keras_network(tmp_path / "model.keras", 32, 9)(faces), expected)


def test_code_inside_a_model_file_is_refused(tmp_path):
    inputs = keras.Input((4,))
    evil = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs))
    evil.save(tmp_path / "model.keras")
    with pytest.raises(FercompError, match="cannot be loaded"):
        load_keras(tmp_path / "model.keras")


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04junk"])
def test_a_damaged_model_file_is_one_line(tmp_path, content):
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(FercompError, match="cannot be loaded"):
        load_keras(tmp_path / "model.keras")
    (tmp_path / "graph.xml").write_bytes(content)
    (tmp_path / "graph.bin").write_bytes(content)
    with pytest.raises(FercompError, match=r"graph\.xml is damaged"):
        openvino_network(tmp_path / "graph.xml", 32, 9)


def test_missing_files_are_one_line(tmp_path):
    with pytest.raises(FercompError, match="train the model again"):
        load_keras(tmp_path / "model.keras")
    with pytest.raises(FercompError, match=r"lacks graph.xml or graph.bin"):
        openvino_network(tmp_path / "graph.xml", 32, 9)


def test_a_truncated_graph_is_one_line(tiny_bundle_folder, tmp_path):
    for path in (tiny_bundle_folder / GRAPH).parent.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    openvino_network(tmp_path / "graph.xml", 32, 9)
    weights = tmp_path / "graph.bin"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(FercompError, match="damaged"):
        openvino_network(tmp_path / "graph.xml", 32, 9)


@pytest.mark.slow
def test_a_graph_of_another_card_is_refused(model, tmp_path):
    export(model, tmp_path)
    for size, k in ((48, 9), (32, 8)):
        with pytest.raises(FercompError, match="mixes two models"):
            openvino_network(tmp_path / "graph.xml", size, k)
        with pytest.raises(FercompError, match="mixes two models"):
            keras_network(tmp_path / "model.keras", size, k)
