"""`facenet` computes what the frozen graph in the package computes, to its last 8x8 block."""

import keras
import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.modeling.backbones import facenet, packaged
from fercomp.modeling.backbones.catalogue import build_backbone
from fercomp.modeling.backbones.packaged import FACENET_PACKAGE, facenet_file

LAST = "InceptionResnetV1/Block8/add:0"


def weights_file():
    return facenet_file("another backbone")


@pytest.fixture(scope="module")
def picture():
    from sklearn.datasets import load_sample_image

    return load_sample_image("china.jpg")


def original(rgb):
    """Runs the graph itself, which takes one face of 160 pixels, in about -1 to 1."""
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef.FromString(weights_file().read_bytes())
    with tf.Graph().as_default():
        found = tf.import_graph_def(graph, return_elements=["input:0", LAST], name="")
        with tf.compat.v1.Session() as session:
            return session.run(found[1], {found[0]: (rgb - 127.5) / 128})


@pytest.mark.slow
def test_features_equal_the_original(picture):
    rgb = picture[None, 100:260, 200:360].astype(np.float32)
    backbone = build_backbone("facenet", 160, "faces")
    features = keras.ops.convert_to_numpy(backbone(rgb, training=False))
    assert features.shape == (1, 3, 3, 1792)
    assert features.std() > 0.1
    np.testing.assert_allclose(features, original(rgb), atol=1e-4)
    assert backbone.count_params() == 22_549_808
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in backbone.layers)


@pytest.mark.slow
def test_a_network_of_an_earlier_version_is_refused_in_one_line(tmp_path):
    inputs = keras.Input((96, 96, 3), dtype="uint8")
    earlier = keras.Sequential([keras.layers.Conv2D(8, 3), keras.layers.BatchNormalization()], name="facenet")
    keras.Model(inputs, earlier(keras.layers.Rescaling(1.0)(inputs))).save(tmp_path / "model.keras")
    with pytest.raises(FercompError, match="does not hold weights of facenet") as raised:
        build_backbone("facenet", 96, str(tmp_path / "model.keras"))
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_another_file_is_refused_before_it_is_read(monkeypatch, tmp_path):
    data = bytearray(weights_file().read_bytes())
    data[1_000_000] ^= 1
    (tmp_path / "graph.pb").write_bytes(data)

    class Installed:
        def locate_file(self, path):
            return tmp_path / "graph.pb"

    monkeypatch.setattr(packaged, "distribution", lambda name: Installed())
    monkeypatch.setattr(facenet, "_read_constants", lambda path: pytest.fail("was read"))
    with pytest.raises(FercompError, match=f"damaged, or others.*install {FACENET_PACKAGE} again"):
        build_backbone("facenet", 96, "faces")


@pytest.mark.slow
def test_a_size_too_small_is_one_line():
    with pytest.raises(FercompError, match="facenet cannot be built for 48 pixels: it needs 75 or more"):
        build_backbone("facenet", 48, "none")
    assert build_backbone("facenet", 75, "none").output_shape[1:3] == (1, 1)
