"""Rates that fall from stage to stage of a backbone."""

import keras
import numpy as np
import pandas as pd
import pytest

from fercomp.core.params import TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.backbones.catalogue import build_backbone
from fercomp.modeling.training.checkpoint import Checkpoint
from fercomp.modeling.training.fit import fit
from fercomp.modeling.training.staged_adamw import StagedAdamW, depths, scales
from fercomp.modeling.training.training_set import training_data

TINY = TrainParams(size=32, epochs=2, batch_size=16, layer_decay=0.5)


def test_facenet_has_a_stage_for_each_resolution():
    found = depths(build_backbone("facenet", 160, "none"))
    assert max(found.values()) == 5
    expected = {
        "Conv2d_1a_3x3": 5,
        "Conv2d_4a_3x3": 4,
        "Repeat_block35_5_Branch_1_Conv2d_0b_3x3": 3,
        "Repeat_1_block17_10_Branch_0_Conv2d_1x1": 2,
        "Repeat_2_block8_1_Branch_0_Conv2d_1x1": 1,
        "Block8_Conv2d_1x1": 1,
    }
    for name, depth in expected.items():
        assert found[f"{name}/kernel"] == found[f"{name}/bias"] == depth, name


@pytest.mark.parametrize("name", ["compact", "efficientnet_lite0", "mobilenet_v3_small"])
def test_every_backbone_has_stages_that_fall_from_the_top(name):
    backbone = build_backbone(name, 64, "none")
    found = depths(backbone)
    assert set(found) == {variable.path for variable in backbone.trainable_variables}
    first, *_, last = [found[variable.path] for variable in backbone.trainable_variables]
    assert last == 1
    assert first == max(found.values()) > 2
    assert scales(backbone, 0.7)[backbone.trainable_variables[0].path] == pytest.approx(0.7**first)


def steps(optimizer, n=3):
    """Returns the weights of a small network before and after some steps of training."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    low = keras.layers.Dense(5, name="low")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, name="top")(low))
    before = model.get_weights()
    model.compile(optimizer, "mse")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8 * n, 4)), rng.normal(size=(8 * n, 3))
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    return before, model.get_weights()


def test_with_one_rate_for_all_it_is_adamw():
    plain = keras.optimizers.AdamW(0.01, weight_decay=0.1)
    plain.exclude_from_weight_decay(var_names=["bias"])
    _, expected = steps(plain)
    _, found = steps(StagedAdamW(0.01, 0.1, {}, ("bias",)))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_first_step_is_as_long_as_the_scale_says_decay_included():
    before, whole = steps(StagedAdamW(0.01, 0.1, {}, ("bias",)), n=1)
    _, half = steps(StagedAdamW(0.01, 0.1, {"low/kernel": 0.5, "low/bias": 0.0}, ("bias",)), n=1)
    moved = [(a - b, c - b) for b, a, c in zip(before, whole, half, strict=True)]
    np.testing.assert_allclose(moved[0][1], moved[0][0] / 2, rtol=1e-3, atol=1e-7)
    np.testing.assert_array_equal(moved[1][1], 0)
    np.testing.assert_allclose(moved[2][1], moved[2][0], rtol=1e-3, atol=1e-7)


@pytest.mark.usefixtures("shallow")
def test_a_run_that_was_stopped_goes_on_as_if_unbroken(tiny_workspace, tmp_path, monkeypatch):
    data = training_data(TINY, PHOTOS.read(tiny_workspace.photos))
    unbroken = fit(TINY, data, tiny_workspace.raw, tmp_path / "whole.npz")
    save = Checkpoint.save

    def stop(self, *state):
        save(self, *state)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        fit(TINY, data, tiny_workspace.raw, tmp_path / "state.npz")
    monkeypatch.setattr(Checkpoint, "save", save)
    resumed = fit(TINY, data, tiny_workspace.raw, tmp_path / "state.npz")
    pd.testing.assert_frame_equal(resumed.history, unbroken.history)
    for a, b in zip(resumed.model.get_weights(), unbroken.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_backends_scale_the_same_steps(run_on):
    run_on(
        "jax",
        "import sys; sys.path.insert(0, 'tests/modeling/training')\n"
        "import test_staged_adamw as t\n"
        "t.test_with_one_rate_for_all_it_is_adamw()\n"
        "t.test_the_first_step_is_as_long_as_the_scale_says_decay_included()\n",
    )
