import keras
import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.modeling.backbones import APPLICATIONS, BACKBONES, build_backbone, snake_name


def test_every_network_of_keras_applications_has_a_name():
    classes = {
        name
        for name in dir(keras.applications)
        if name[0].isupper() and callable(getattr(keras.applications, name))
    }
    assert {cls for _, cls in APPLICATIONS.values()} == classes
    assert len(set(BACKBONES)) == len(BACKBONES)


@pytest.mark.parametrize(
    ("class_name", "name"),
    [
        ("ConvNeXtXLarge", "convnext_xlarge"),
        ("EfficientNetV2B0", "efficientnet_v2_b0"),
        ("EfficientNetB7", "efficientnet_b7"),
        ("MobileNetV3Small", "mobilenet_v3_small"),
        ("ResNet50V2", "resnet50_v2"),
        ("InceptionResNetV2", "inception_resnet_v2"),
        ("NASNetMobile", "nasnet_mobile"),
        ("DenseNet121", "densenet121"),
        ("VGG16", "vgg16"),
    ],
)
def test_names(class_name, name):
    assert snake_name(class_name) == name


def test_an_unknown_name_lists_near_ones():
    with pytest.raises(FercompError, match=r"did you mean.*convnext_tiny"):
        build_backbone("convnext_tinny", 64, "none")


def test_a_size_too_small_is_one_line():
    with pytest.raises(FercompError, match="xception cannot be built for 32 pixels"):
        build_backbone("xception", 32, "none")


def test_compact_has_no_imagenet_weights():
    with pytest.raises(FercompError, match="weights: none"):
        build_backbone("compact", 48, "imagenet")


def test_weights_from_a_file(tmp_path):
    keras.utils.set_random_seed(1)
    first = build_backbone("compact", 32, "none")
    first.save_weights(tmp_path / "compact.weights.h5")
    second = build_backbone("compact", 32, str(tmp_path / "compact.weights.h5"))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_that_are_missing_or_something_else(tmp_path):
    with pytest.raises(FercompError, match="not found"):
        build_backbone("compact", 32, "nowhere.weights.h5")
    (tmp_path / "junk.weights.h5").write_bytes(b"junk")
    with pytest.raises(FercompError, match="does not hold weights of compact"):
        build_backbone("compact", 32, str(tmp_path / "junk.weights.h5"))


def test_weights_that_cannot_be_downloaded(monkeypatch, tmp_path):
    # A proxy that refuses stands for a machine without a network.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))  # no file from before
    with pytest.raises(FercompError, match=r"mobilenet_v2.*put that file into .*`weights: none`"):
        build_backbone("mobilenet_v2", 224, "imagenet")


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "mobilenet_v3_small"])
def test_preprocessing_is_inside(name):
    """Caffe order (resnet50), -1 to 1 (mobilenet_v2) and identity (mobilenet_v3) from one raw picture."""
    module = getattr(keras.applications, APPLICATIONS[name][0])
    backbone = build_backbone(name, 64, "none")
    network = backbone.layers[-1]
    picture = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    expected = network(module.preprocess_input(picture.copy()), training=False)
    np.testing.assert_allclose(backbone(picture, training=False), expected, rtol=1e-5, atol=1e-5)
