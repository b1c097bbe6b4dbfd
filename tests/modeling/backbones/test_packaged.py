"""Both networks whose weights come with a package."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from fercomp.core.errors import FercompError
from fercomp.modeling.backbones import efficientnet_lite, packaged
from fercomp.modeling.backbones.catalogue import build_backbone
from fercomp.modeling.backend.engine import make_deterministic
from fercomp.modeling.backend.keras_file import load_keras, save_keras
from fercomp.modeling.bundle.runtime import openvino_network
from fercomp.modeling.export.graph import TOLERANCE, export_openvino
from fercomp.modeling.training.network import build_network


@pytest.mark.parametrize(
    ("module", "name", "weights", "first"),
    [
        pytest.param(
            efficientnet_lite, "efficientnet_lite0", "imagenet", "stem_conv", id="efficientnet_lite0"
        ),
        pytest.param(packaged, "facenet", "faces", "Conv2d_1a_3x3", id="facenet"),
    ],
)
@pytest.mark.slow
def test_random_weights_need_no_package(monkeypatch, module, name, weights, first):
    (package,) = (name for name in vars(module) if name.endswith("_PACKAGE"))
    monkeypatch.setattr(module, package, "a-package-that-is-not-installed")
    one, other = (build_backbone(name, 80, "none").get_layer(first).get_weights()[0] for _ in range(2))
    assert (one != other).any()
    told = rf"weights of {name} need the package a-package-.*install it.*train\.weights=none"
    with pytest.raises(FercompError, match=told):
        build_backbone(name, 80, weights)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "weights"), [("efficientnet_lite0", "imagenet"), ("facenet", "faces")])
def test_saved_and_exported_it_computes_the_same(tmp_path, name, weights):
    make_deterministic(0)
    model = build_network(name, 96, weights)
    small = load_sample_image("china.jpg")[::4, ::4][5:101, 30:126]
    faces = np.stack([small, small[:, ::-1]])
    expected = keras.ops.convert_to_numpy(model(faces, training=False))
    assert np.abs(expected[0] - expected[1]).max() > TOLERANCE
    save_keras(model, tmp_path / "model.keras")
    loaded = load_keras(tmp_path / "model.keras")(faces, training=False)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loaded), expected, atol=1e-6)
    assert export_openvino(tmp_path / "model.keras", tmp_path / "graph.xml") <= TOLERANCE
    graph = openvino_network(tmp_path / "graph.xml", 96, 9)
    np.testing.assert_allclose(graph(faces), expected, atol=TOLERANCE)
