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
OLD_IN_PLACE = {**OLD, "erase": 0}
QUALITY = ("low_resolution", "blur", "jpeg")
COLOURS = {"hue": 20.0, "saturation": 0.4, "grey": 0.2, "perspective": 0.2, **dict.fromkeys(QUALITY, 0.5)}
LIGHT = {"gamma": 0.5, "shade": 0.3, "noise": 0.05, "cover": 0.5}
ALL = {**COLOURS, **LIGHT}


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


@pytest.mark.parametrize("name", LIGHT)
def test_each_of_light_noise_and_covers_leaves_the_others_their_random_numbers(faces, name):
    others = {**OLD_IN_PLACE, **ALL} | {name: 0}
    np.testing.assert_array_equal(changed(faces, **others | {name: 1e-9}), changed(faces, **others))


@pytest.fixture
def plain():
    return np.full((32, 24, 24, 3), 128, np.uint8)


def test_gamma_keeps_black_and_white_and_moves_what_is_between():
    ramp = np.arange(256, dtype=np.uint8)[None, None, :, None].repeat(16, 0).repeat(256, 1).repeat(3, 3)
    out = changed(ramp, gamma=1).astype(int)
    assert (out[:, :, 0] == 0).all()
    assert (out[:, :, 255] == 255).all()
    assert (np.diff(out[:, 0, :, 0]) >= 0).all()
    # From 255 * (128 / 255)**2 to the root of the same.
    assert 64 <= out[:, 0, 128, 0].min() < 100
    assert 156 < out[:, 0, 128, 0].max() <= 181


def test_shade_makes_one_side_lighter(plain):
    out = changed(plain, shade=0.5).astype(int)
    assert 32 < np.ptp(out, axis=(1, 2, 3)).max() < 0.5 * 255 * 2**0.5 + 2
    np.testing.assert_allclose(out.mean((1, 2, 3)), 128, atol=1)
    lighter = (out[:, :, -1].mean((1, 2)) > out[:, :, 0].mean((1, 2))).mean()
    assert 0.2 < lighter < 0.8


def test_noise_is_the_same_in_all_channels_and_another_in_each_photo(plain):
    out = changed(plain, noise=0.05).astype(int)
    np.testing.assert_array_equal(out[..., 0], out[..., 2])
    deviations = out.std(axis=(1, 2, 3))
    assert deviations.min() < 6 < 10 < deviations.max() < 0.05 * 255 * 1.1
    assert len({photo.tobytes() for photo in out}) > 24


def test_a_cover_reaches_inwards_from_one_edge(faces):
    out = changed(faces, cover=0.5)
    covered = (out != faces).any(axis=3)
    some = covered.any(axis=(1, 2))
    assert 0.2 < some.mean() < 0.8
    edges = set()
    for photo, mask in zip(out[some], covered[some], strict=True):
        edge = next(edge for edge in range(4) if np.rot90(mask, edge)[0].all())
        rows = np.rot90(mask, edge).all(axis=1)
        assert 0.1 < rows.mean() <= 0.42
        assert len(np.unique(np.rot90(photo, edge)[rows])) == 1
        edges.add(edge)
    assert len(edges) > 2


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
    strength = dict.fromkeys(("saturation", "grey", "gamma", "shade", "cover", *QUALITY), share)
    strength["noise"] = share / 2
    params = AugmentParams(**OLD, **strength, hue=hue, perspective=perspective)
    out = augment(faces, params, np.random.default_rng(seed))
    assert (out.shape, out.dtype) == (faces.shape, np.uint8)
    np.testing.assert_array_equal(faces, before)
