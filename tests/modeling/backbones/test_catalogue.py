import re
from io import BytesIO
from pathlib import Path
from urllib.error import URLError

import keras
import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import InferenceParams, Plan, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.backbones import download
from fercomp.modeling.backbones.catalogue import build_backbone, check_weights
from fercomp.modeling.backbones.names import APPLICATIONS, every_backbone, snake_name
from fercomp.modeling.backend.keras_file import load_keras
from fercomp.modeling.bundle.model import load_bundle
from fercomp.stages.train import train_experiment
from tests.make_tiny import small_network


def test_every_network_of_keras_applications_has_a_name():
    classes = {
        name
        for name in dir(keras.applications)
        if name[0].isupper() and callable(getattr(keras.applications, name))
    }
    assert {cls for _, cls in APPLICATIONS.values()} == classes
    assert len(set(every_backbone())) == len(every_backbone())


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


@pytest.mark.parametrize(
    ("name", "weights", "known"),
    [
        ("compact", "imagenet", "none"),
        ("facenet", "imagenet", "none, faces"),
        ("efficientnet_lite0", "faces", "none, imagenet"),
        ("mobilenet_v2", "faces", "none, imagenet"),
    ],
)
def test_weights_that_a_network_does_not_have(name, weights, known):
    with pytest.raises(
        FercompError, match=f"{name} has no weights `{weights}`: expected {known}, or the path"
    ):
        build_backbone(name, 96, weights)


@pytest.mark.slow
def test_weights_of_another_experiment(tiny_bundle_folder):
    with small_network():
        backbone = build_backbone("compact", 32, str(tiny_bundle_folder / "model.keras"))
    trained = load_keras(tiny_bundle_folder / "model.keras").get_layer("compact")
    for a, b in zip(backbone.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(FercompError, match="does not hold weights of mobilenet_v2"):
        build_backbone("mobilenet_v2", 32, str(tiny_bundle_folder / "model.keras"))


def test_weights_from_a_file(shallow, tmp_path):
    keras.utils.set_random_seed(1)
    first = build_backbone("compact", 32, "none")
    first.save_weights(tmp_path / "compact.weights.h5")
    second = build_backbone("compact", 32, str(tmp_path / "compact.weights.h5"))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_that_are_missing_or_something_else(shallow, tmp_path):
    with pytest.raises(FercompError, match="not found"):
        build_backbone("compact", 32, "nowhere.weights.h5")
    (tmp_path / "junk.weights.h5").write_bytes(b"junk")
    with pytest.raises(FercompError, match="does not hold weights of compact"):
        build_backbone("compact", 32, str(tmp_path / "junk.weights.h5"))


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """No network and no files from before: the first function of Keras that would leave the machine fails."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    asked = []

    def urlretrieve(url, target, *_):
        asked.append(Path(target))
        raise URLError("[Errno -3] Temporary failure in name resolution")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", urlretrieve)
    return asked


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v3_small",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("mobilenet_v2", "nasnet_mobile", "efficientnet_v2_b0")
        ),
    ],
)
def test_weights_that_cannot_be_downloaded(no_network, name):
    with pytest.raises(FercompError, match=rf"{name} cannot be had .*name resolution") as caught:
        build_backbone(name, 224, "imagenet")
    (target,) = no_network
    assert f"put that file into {target.parent} as {target.name}, or" in str(caught.value)
    assert re.search(r"https://\S+\.h5", str(caught.value)), "nothing says where the file is"
    assert "`train.weights=none`" in str(caught.value)
    assert "efficientnet_lite0" in str(caught.value)


def test_weights_are_looked_for_before_a_network_is_built(no_network, monkeypatch, tmp_path):
    asked = []

    def urlopen(request, timeout):
        asked.append((request.get_method(), request.full_url))
        raise URLError("[Errno -3] Temporary failure in name resolution")

    monkeypatch.setattr(download, "urlopen", urlopen)
    with pytest.raises(
        FercompError, match=r"mobilenet_v2 cannot be had .*name resolution.*: put that"
    ) as told:
        check_weights("mobilenet_v2", 96, "imagenet")
    ((method, url),) = asked
    assert method == "HEAD"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / url.rsplit("/", 1)[-1]).touch()
    assert f"put that file into {tmp_path / 'models'} as {url.rsplit('/', 1)[-1]}, or" in str(told.value)
    check_weights("mobilenet_v2", 96, "imagenet")
    for name, weights in (("mobilenet_v2", "none"), ("efficientnet_lite0", "imagenet"), ("compact", "none")):
        check_weights(name, 96, weights)
    assert len(asked) == 1
    assert no_network == []
    monkeypatch.setattr(download, "urlopen", lambda request, timeout: BytesIO())
    check_weights("vgg16", 96, "imagenet")
    with pytest.raises(FercompError, match="vgg16 cannot be built for 20 pixels"):
        check_weights("vgg16", 20, "imagenet")


def test_the_backbone_that_is_offered_without_a_network_needs_none(no_network):
    build_backbone("efficientnet_lite0", 32, "imagenet")
    assert no_network == []


@pytest.mark.parametrize("failure", [ConnectionResetError("reset by peer"), OSError(28, "No space left")])
def test_a_download_that_breaks_off(no_network, monkeypatch, failure):
    def urlretrieve(url, target, *_):
        Path(target).write_bytes(b"half")
        raise failure

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", urlretrieve)
    with pytest.raises(FercompError, match=r"cannot be had .*(reset|space).*: delete what .* and try again"):
        build_backbone("mobilenet_v2", 64, "imagenet")


@pytest.mark.slow
def test_a_download_of_something_else(no_network, monkeypatch):
    monkeypatch.setattr(
        "keras.src.utils.file_utils.urlretrieve", lambda url, target, *_: Path(target).write_bytes(b"<html>")
    )
    with pytest.raises(FercompError, match=r"mobilenet_v3_small cannot be had \(Incomplete or corrupted"):
        build_backbone("mobilenet_v3_small", 64, "imagenet")  # Keras knows the file's hash
    with pytest.raises(FercompError, match=r"mobilenet_v2 cannot be had .*: delete what"):
        build_backbone("mobilenet_v2", 64, "imagenet")  # and this one's not


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "mobilenet_v3_small"])
def test_preprocessing_is_inside(name):
    """Caffe order (resnet50), -1 to 1 (mobilenet_v2) and identity (mobilenet_v3) from one raw picture."""
    module = getattr(keras.applications, APPLICATIONS[name][0])
    backbone = build_backbone(name, 64, "none")
    network = backbone.layers[-1]
    picture = np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)).astype(np.float32)
    expected = network(module.preprocess_input(picture.copy()), training=False)
    np.testing.assert_allclose(backbone(picture, training=False), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.large(17)
@pytest.mark.timeout(900)
def test_the_largest_backbone_goes_all_the_way(workspace):
    """348 M weights: trained for a step, saved, exported or not, scored; 16 GB of memory suffice."""
    photos = PHOTOS.read(workspace.photos)
    PHOTOS.write(photos.groupby("split").head(9), workspace.photos)
    params = TrainParams(backbone="convnext_xlarge", weights="none", size=32, epochs=1, learning_rate=1e-5)
    card = train_experiment("largest", Plan(train=params, inference=InferenceParams(margin=0.1)), workspace)
    bundle = load_bundle(workspace.bundle("largest"))
    pred_probs = bundle.predict(np.zeros((2, 32, 32, 3), dtype=np.uint8))
    assert card.runtime in ("openvino", "keras")
    assert pred_probs.shape == (2, 9)
    np.testing.assert_allclose(pred_probs.sum(axis=1), 1, rtol=1e-5)
