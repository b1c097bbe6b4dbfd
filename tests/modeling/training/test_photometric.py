import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercomp.core.params import AugmentParams
from fercomp.modeling.training.augment import augment
from fercomp.modeling.training.photometric import _YIQ

NOTHING = {"flip": False, "rotate": 0, "shift": 0, "zoom": 0, "brightness": 0, "contrast": 0, "erase": 0}
OLD = {
    "flip": True,
    "rotate": 30,
    "shift": 0.1,
    "zoom": 0.2,
    "brightness": 0.1,
    "contrast": 0.2,
    "erase": 0.5,
}
QUALITY = ("low_resolution", "blur", "jpeg")
ALL = {"hue": 20.0, "saturation": 0.4, "grey": 0.2, "perspective": 0.2, **dict.fromkeys(QUALITY, 0.5)}


def changed(faces, seed=0, **changes):
    return augment(faces, AugmentParams(**{**NOTHING, **changes}), np.random.default_rng(seed))


def brightness_and_colour(faces):
    """Returns Y `(n, S, S)`, and I + iQ as a complex number."""
    y, i, q = np.moveaxis(faces.astype(float) @ _YIQ.T, -1, 0)
    return y, i + 1j * q


@pytest.fixture
def faces():
    """Photos of a few colours far from black and white, so that no change is cut off."""
    rng = np.random.default_rng(0)
    small = rng.integers(90, 166, (32, 4, 4, 3), dtype=np.uint8)
    return small.repeat(6, axis=1).repeat(6, axis=2)


def test_hues_turn_by_up_to_so_many_degrees_and_brightness_stays(faces):
    before, after = brightness_and_colour(faces), brightness_and_colour(changed(faces, hue=30))
    np.testing.assert_allclose(after[0], before[0], atol=1.5)
    np.testing.assert_allclose(np.abs(after[1]), np.abs(before[1]), atol=1.5)
    clear = np.abs(before[1]) > 25
    turned = np.rad2deg(np.angle(after[1][clear] / before[1][clear]))
    assert 20 < np.abs(turned).max() < 34
    assert turned.min() < -10
    assert turned.max() > 10


def test_saturation_is_stretched_and_hues_stay(faces):
    before, after = brightness_and_colour(faces), brightness_and_colour(changed(faces, saturation=0.5))
    np.testing.assert_allclose(after[0], before[0], atol=1.5)
    clear = np.abs(before[1]) > 25
    ratio = after[1][clear] / before[1][clear]
    assert np.abs(np.rad2deg(np.angle(ratio))).max() < 5
    assert 0.4 < np.abs(ratio).min() < 0.7
    assert 1.3 < np.abs(ratio).max() < 1.6


def test_a_share_loses_its_colours_and_grey_photos_stay(faces):
    out = changed(faces, grey=0.5)
    grey = (np.ptp(out, axis=3) <= 1).all(axis=(1, 2))
    assert 0.2 < grey.mean() < 0.8
    np.testing.assert_array_equal(out[~grey], faces[~grey])
    np.testing.assert_allclose(brightness_and_colour(out)[0], brightness_and_colour(faces)[0], atol=1.5)
    pale = faces[..., :1].repeat(3, axis=3)
    assert np.abs(changed(pale, hue=180, saturation=1, grey=0.5).astype(int) - pale).max() <= 1


@pytest.mark.parametrize("name", QUALITY)
def test_a_share_loses_detail(name):
    sharp = np.random.default_rng(0).integers(60, 190, (64, 24, 24, 3), dtype=np.uint8)
    sharp = sharp.repeat(6, axis=1).repeat(6, axis=2)
    out = changed(sharp, **{name: 0.5})
    touched = (out != sharp).any(axis=(1, 2, 3))
    assert 0.3 < touched.mean() < 0.7
    assert (changed(sharp, **{name: 1}) != sharp).any(axis=(1, 2, 3)).mean() > 0.9
    loss = np.abs(out[touched].astype(int) - sharp[touched]).mean(axis=(1, 2, 3))
    assert loss.max() > 1.3 * loss.min()  # not each as much
    np.testing.assert_allclose(out.mean((1, 2, 3)), sharp.mean((1, 2, 3)), atol=2)
    if name != "jpeg":
        assert (out[touched].std((1, 2, 3)) < sharp[touched].std((1, 2, 3))).all()


def test_a_jpeg_keeps_the_order_of_colours():
    red = np.zeros((4, 24, 24, 3), np.uint8)
    red[..., 0] = 200
    np.testing.assert_allclose(changed(red, jpeg=1), red, atol=8)


def test_what_came_before_is_changed_alike_with_and_without(faces):
    """So that a technique is compared with its absence, and not with other random numbers."""
    whole = {**OLD, "erase": 0}
    plain, grey = changed(faces, **whole), changed(faces, **whole, grey=1)
    np.testing.assert_allclose(grey.mean(axis=3), brightness_and_colour(plain)[0], atol=1.5)
    after = []
    for more in ({}, ALL):
        rng = np.random.default_rng(0)
        augment(faces, AugmentParams(**OLD, **more), rng)
        after.append(rng.random())
    assert after[0] == after[1]


def test_each_photo_is_changed_differently_and_the_seed_repeats(faces):
    same = np.repeat(faces[:1], 6, axis=0)
    first = changed(same, **ALL)
    np.testing.assert_array_equal(first, changed(same, **ALL))
    assert (first != changed(same, seed=1, **ALL)).any()
    assert len({photo.tobytes() for photo in first}) == 6


@settings(max_examples=30)
@given(
    n=st.integers(0, 3),
    size=st.integers(1, 40),
    seed=st.integers(0, 9),
    hue=st.floats(0, 180),
    perspective=st.floats(0, 0.4),
    share=st.floats(0, 1),
)
def test_shape_and_type_stay(n, size, seed, hue, perspective, share):
    faces = np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    before = faces.copy()
    strength = dict.fromkeys(("saturation", "grey", *QUALITY), share)
    params = AugmentParams(**OLD, **strength, hue=hue, perspective=perspective)
    out = augment(faces, params, np.random.default_rng(seed))
    assert (out.shape, out.dtype) == (faces.shape, np.uint8)
    np.testing.assert_array_equal(faces, before)
