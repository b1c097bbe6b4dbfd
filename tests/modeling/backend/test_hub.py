"""What is told of KerasHub's networks where KerasHub is not installed."""

import json
import zipfile

import keras
import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.modeling.backbones.catalogue import build_backbone, check_backbone, check_weights
from fercomp.modeling.backbones.names import check_backbone_name
from fercomp.modeling.backend import hub
from fercomp.modeling.backend.hub import needs_hub, settle_positions
from fercomp.modeling.backend.keras_file import load_keras
from fercomp.modeling.bundle.scorer import device_of
from fercomp.modeling.export.static_slices import replaced


@pytest.fixture
def no_hub(monkeypatch):
    monkeypatch.setattr(hub, "find_spec", lambda name: None)


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("dinov2_bse", "dinov2_base"),
        ("dinov2", "dinov2_base"),
        ("siglip2", "siglip2_base_patch16_256"),
        ("vit_base_patch16_224", "vit_base_patch16_224_imagenet21k"),
        ("mobilenet_v3_smal", "mobilenet_v3_small, "),
        ("compakt", "compact"),
    ],
)
def test_near_names_are_of_all_families(typed, near):
    with pytest.raises(FercompError, match=rf"^unknown backbone '{typed}': did you mean .*{near}"):
        check_backbone_name(typed)


def test_a_name_near_to_none_gets_those_that_are_always_there():
    with pytest.raises(FercompError, match=r"known: compact, .*, xception, and KerasHub's") as told:
        check_backbone_name("qqq")
    assert len(str(told.value)) < 1000


@pytest.mark.parametrize(
    ("backbone", "weights", "size"),
    [
        ("dinov2_base", "preset", 224),
        ("siglip2_base_patch16_256", "preset", 256),
        ("clip_vit_large_patch14_336", "preset", 336),
        ("mobilenet_v2", "imagenet", 224),
        ("compact", "none", 48),
    ],
)
def test_what_a_backbone_starts_from_and_its_size(backbone, weights, size):
    params = TrainParams(backbone=backbone)
    assert (params.weights, params.size) == (weights, size)


def test_where_it_is_not_installed_the_way_is_told(no_hub):
    for look in (
        lambda: check_backbone("dinov2_base", "preset"),
        lambda: check_weights("dinov2_base", 224, "preset"),
        lambda: build_backbone("dinov2_base", 224, "none"),
    ):
        with pytest.raises(FercompError, match=r"^dinov2_base needs KerasHub, .*`./run hub fercomp train`"):
            look()


def test_weights_that_a_network_does_not_have(monkeypatch):
    monkeypatch.setattr(hub, "find_spec", lambda name: object())
    with pytest.raises(
        FercompError, match="dinov2_base has no weights `imagenet`: expected none, preset, or"
    ):
        check_backbone("dinov2_base", "imagenet")
    with pytest.raises(FercompError, match="compact has no weights `preset`: expected none, or"):
        check_backbone("compact", "preset")


def test_a_saved_network_that_needs_it(no_hub, tmp_path, capsys):
    file = tmp_path / "model.keras"
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("config.json", json.dumps({"registered_name": "keras_hub>DINOV2Backbone"}))
    assert needs_hub(file)
    with pytest.raises(FercompError, match=r"model\.keras needs KerasHub, which is not in this environment"):
        load_keras(file)
    assert device_of(tmp_path, "gpu") == "cpu"
    assert (
        "needs KerasHub, which is not in this environment: OpenVINO answers on the CPU"
        in capsys.readouterr().err
    )
    assert not needs_hub(tmp_path / "missing.keras")


def test_positions_are_settled_whatever_the_sum_of_changes():
    class Positions(keras.layers.Layer):
        def build(self, shape):
            self.position_embeddings = self.add_weight((1, 4, 2), "zeros", trainable=False)
            self.interpolated_position_embeddings = self.add_weight((1, 4, 2), "zeros")

        def call(self, x):
            return x + self.interpolated_position_embeddings

    inputs = keras.Input((4, 2))
    layer = Positions()
    model = keras.Model(inputs, layer(inputs))
    layer.interpolated_position_embeddings.assign(-np.ones((1, 4, 2)))
    settle_positions(model)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(layer.position_embeddings), -1)


def test_a_replaced_part_is_that_of_keras():
    whole, part = np.arange(60).reshape(3, 4, 5), -np.arange(6).reshape(1, 2, 3)
    for start in ([0, 0, 0], [1, 1, 2], [2, 2, 1]):
        np.testing.assert_array_equal(
            replaced(whole, start, part), keras.ops.slice_update(whole, start, part)
        )
