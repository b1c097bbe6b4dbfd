import numpy as np
import pytest

from fercomp.modeling.augment import Augment

NOTHING = {"flip": False, "rotate": 0, "shift": 0, "zoom": 0, "brightness": 0, "contrast": 0, "seed": 0}


@pytest.fixture
def faces():
    return np.random.default_rng(0).uniform(0, 255, (16, 24, 24, 3)).astype(np.float32)


def test_inert_outside_training(faces):
    layer = Augment(True, 10, 0.1, 0.1, 0.2, 0.2, seed=0)
    np.testing.assert_array_equal(layer(faces, training=False), faces)


def test_without_any_change_the_photo_stays(faces):
    np.testing.assert_allclose(Augment(**NOTHING)(faces, training=True), faces, atol=1e-3)


def test_flip_mirrors_about_half(faces):
    out = np.asarray(Augment(**{**NOTHING, "flip": True})(faces, training=True))
    mirrored = [np.allclose(a, b[:, ::-1], atol=1e-2) for a, b in zip(out, faces, strict=True)]
    same = [np.allclose(a, b, atol=1e-2) for a, b in zip(out, faces, strict=True)]
    assert all(m or s for m, s in zip(mirrored, same, strict=True))
    assert 0 < sum(mirrored) < len(faces)


def test_rotation_keeps_the_centre_and_moves_the_corner():
    dot = np.zeros((8, 25, 25, 3), np.float32)
    dot[:, 12, 12] = 255
    out = np.asarray(Augment(**{**NOTHING, "rotate": 90})(dot, training=True))
    np.testing.assert_allclose(out[:, 12, 12], 255, atol=1)
    corner = np.zeros((8, 25, 25, 3), np.float32)
    corner[:, 2, 2] = 255
    assert np.asarray(Augment(**{**NOTHING, "rotate": 90})(corner, training=True))[:, 2, 2].min() < 128


def test_shift_is_bounded():
    dot = np.zeros((64, 41, 41, 3), np.float32)
    dot[:, 20, 20] = 255
    out = np.asarray(Augment(**{**NOTHING, "shift": 0.1})(dot, training=True))[..., 0]
    _, rows, columns = np.nonzero(out > 1)
    assert rows.min() >= 20 - 5
    assert rows.max() <= 20 + 5
    assert columns.std() > 0.5


def test_light_stays_in_range(faces):
    out = np.asarray(Augment(**{**NOTHING, "brightness": 1, "contrast": 1})(faces, training=True))
    assert out.min() >= 0
    assert out.max() <= 255
    assert np.abs(out - faces).max() > 20


def test_each_photo_and_call_is_changed_differently_and_the_seed_repeats(faces):
    settings = {**NOTHING, "rotate": 20, "shift": 0.1}
    one, two = Augment(**settings), Augment(**settings)
    first = np.asarray(one(faces, training=True))
    np.testing.assert_array_equal(first, two(faces, training=True))
    assert np.abs(first - np.asarray(one(faces, training=True))).max() > 1
    same = np.repeat(faces[:1], 4, axis=0)
    assert np.asarray(one(same, training=True)).std(axis=0).max() > 1


def test_config_round_trip():
    layer = Augment(True, 10, 0.1, 0.2, 0.3, 0.4, seed=5, name="augment")
    assert Augment.from_config(layer.get_config()).get_config() == layer.get_config()
