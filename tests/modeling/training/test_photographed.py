"""Changes as in photos that people take: each does what it says, and none when it is off."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercomp.core.params import AugmentParams
from fercomp.modeling.training.augment import augment
from fercomp.modeling.training.photographed import CHANGES, COVERED, tilts, turned

NOTHING = {"flip": False, "rotate": 0, "shift": 0, "zoom": 0, "brightness": 0, "contrast": 0, "erase": 0}
SIZE = 48


def changed(faces, seed=0, **changes):
    return augment(faces, AugmentParams(**{**NOTHING, **changes}), np.random.default_rng(seed))


@pytest.fixture
def faces():
    rough = np.random.default_rng(0).integers(60, 196, (32, 12, 12), dtype=np.uint8)
    return np.stack([np.repeat(cv2.resize(face, (SIZE, SIZE))[..., None], 3, axis=2) for face in rough])


@pytest.fixture
def plain():
    return np.full((32, SIZE, SIZE, 3), 128, np.uint8)


def test_all_are_off_by_default():
    assert all(getattr(AugmentParams(), name) == 0 for name in (*CHANGES, "perspective"))


def test_they_leave_the_random_numbers_of_the_other_changes_alone(faces):
    others = {"flip": True, "rotate": 20, "shift": 0.1, "brightness": 0.2, "erase": 1}
    np.testing.assert_array_equal(changed(faces, noise=1e-6, **others), changed(faces, **others))


def test_the_seed_repeats_them(faces):
    everything = {**dict.fromkeys(CHANGES, 0.5), "perspective": 0.3}
    first = changed(faces, **everything)
    np.testing.assert_array_equal(first, changed(faces, **everything))
    assert (first != changed(faces, seed=1, **everything)).any()


def test_a_turned_head_is_narrower_and_its_far_side_smaller():
    tilt = np.array([0.2, 0.0])
    matrix = turned(np.array([[1.0, 0, 0], [0, 1, 0]]), tilt, SIZE)
    middle = (SIZE - 1) / 2

    def shown(x, y):
        point = matrix @ [x, y, 1]
        return point[:2] / point[2]

    np.testing.assert_allclose(shown(middle, middle), [middle, middle])
    heights = [shown(middle + x, SIZE)[1] - shown(middle + x, 0)[1] for x in (-SIZE / 2, SIZE / 2)]
    assert heights[1] / heights[0] == pytest.approx(0.8 / 1.2)
    assert shown(middle + 1, middle)[0] - shown(middle - 1, middle)[0] > 2
    drawn = tilts(1000, AugmentParams(perspective=0.3), np.random.default_rng(0))
    assert 0.14 < np.abs(drawn).max() <= 0.15


def test_perspective_moves_the_corners_and_keeps_the_middle(faces):
    out = changed(faces, perspective=0.4)
    middle = slice(SIZE // 2 - 1, SIZE // 2 + 1)
    assert np.abs(out[:, middle, middle].astype(int) - faces[:, middle, middle]).mean() < 8
    assert np.abs(out[:, :4].astype(int) - faces[:, :4]).mean() > 8


@pytest.mark.parametrize("change", ["blur", "low_resolution"])
def test_a_share_of_the_photos_loses_its_detail(faces, change):
    def detail(photos):
        return np.array([cv2.Laplacian(photo, cv2.CV_32F).std() for photo in photos])

    stripes = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    stripes[:, :, ::2] = 255
    many = np.repeat(stripes, 64, axis=0)
    assert (detail(changed(many, **{change: 1})) < detail(many)).mean() > 0.7
    some = (changed(np.repeat(faces, 4, axis=0), **{change: 0.3}) != np.repeat(faces, 4, axis=0)).any(
        (1, 2, 3)
    )
    assert 0.1 < some.mean() < 0.5


def test_jpeg_leaves_traces_of_its_blocks(faces):
    out = changed(faces, jpeg=1).astype(int) - faces
    assert (out != 0).any((1, 2, 3)).all()
    assert np.abs(out).mean() < 12
    assert abs(out.mean()) < 1


def test_gamma_keeps_black_and_white_and_moves_what_is_between():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, None, :, None], 3, axis=3)
    ramp = np.repeat(np.repeat(ramp, 256, axis=1), 16, axis=0)
    out = changed(ramp, gamma=1).astype(int)
    np.testing.assert_array_equal(out[..., 0, :], 0)
    np.testing.assert_array_equal(out[..., 255, :], 255)
    assert (np.diff(out[:, 0, :, 0]) >= 0).all()
    assert out[:, 0, 128, 0].min() < 100
    assert out[:, 0, 128, 0].max() > 156


def test_shade_makes_one_side_lighter(plain):
    out = changed(plain, shade=0.5).astype(int)
    assert 32 < np.ptp(out, axis=(1, 2, 3)).max() < 0.5 * 255 * 2**0.5 + 2
    np.testing.assert_allclose(out.mean((1, 2, 3)), 128, atol=1)


def test_tint_parts_red_from_blue(plain):
    out = changed(plain, tint=0.2).astype(int)
    assert 10 < np.abs(out[..., 0] - out[..., 2]).max() <= 52
    np.testing.assert_array_equal(out[..., 1], 128)


def test_noise_is_the_same_in_all_channels_and_another_in_each_photo(plain):
    out = changed(plain, noise=0.05).astype(int)
    np.testing.assert_array_equal(out[..., 0], out[..., 2])
    assert 8 < out.std(axis=(1, 2, 3)).max() < 0.05 * 255 * 1.1
    assert len({photo.tobytes() for photo in out}) > len(out) / 2


def test_a_cover_reaches_inwards_from_one_edge(plain):
    plain[:, ::2] = 127  # a pattern, so that no colour equals it everywhere
    out = changed(plain, cover=1)
    for photo, before in zip(out, plain, strict=True):
        covered = (photo != before).any(axis=2)
        assert COVERED[0] * 0.6 < covered.mean() < COVERED[1] * 1.3
        edges = covered[0], covered[-1], covered[:, 0], covered[:, -1]
        assert max(edge.mean() for edge in edges) > 0.6
        assert len(np.unique(photo[covered])) == 1


@settings(max_examples=25, deadline=None)
@given(n=st.integers(0, 2), size=st.integers(1, 40), share=st.floats(0, 1))
def test_shape_and_type_stay(n, size, share):
    faces = np.full((n, size, size, 3), 77, np.uint8)
    everything = {**dict.fromkeys(CHANGES, share), "perspective": share / 2, "noise": share / 2}
    out = augment(faces, AugmentParams(**everything), np.random.default_rng(0))
    assert (out.shape, out.dtype) == (faces.shape, np.uint8)
