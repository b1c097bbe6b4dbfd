import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercomp.core.params import AugmentParams
from fercomp.modeling.training.augment import ERASED_AREA, augment

NOTHING = {"flip": False, "rotate": 0, "shift": 0, "zoom": 0, "brightness": 0, "contrast": 0, "erase": 0}


def changed(faces, seed=0, **changes):
    return augment(faces, AugmentParams(**{**NOTHING, **changes}), np.random.default_rng(seed))


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 256, (16, 24, 24, 3), dtype=np.uint8)


def test_without_any_change_the_photo_stays(faces):
    before = faces.copy()
    np.testing.assert_array_equal(changed(faces), faces)
    augment(faces, AugmentParams(), np.random.default_rng(0))
    np.testing.assert_array_equal(faces, before)


def test_flip_mirrors_about_half(faces):
    out = changed(faces, flip=True)
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(out, faces, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(out, faces, strict=True)]
    assert all(m or s for m, s in zip(mirrored, same, strict=True))
    assert 0 < sum(mirrored) < len(faces)


def test_rotation_keeps_the_centre_and_moves_the_corner():
    dot = np.zeros((8, 25, 25, 3), np.uint8)
    dot[:, 12, 12] = 255
    assert changed(dot, rotate=90)[:, 12, 12].min() > 250
    corner = np.zeros((8, 25, 25, 3), np.uint8)
    corner[:, 2, 2] = 255
    assert changed(corner, rotate=90)[:, 2, 2].min() < 128


def test_zoom_scales_about_the_centre():
    ring = np.zeros((1, 41, 41, 3), np.uint8)
    ring[:, 20, 30] = 255
    columns = [np.nonzero(changed(ring, seed, zoom=0.5)[0, 20, :, 0])[0].mean() for seed in range(20)]
    assert min(columns) < 28
    assert max(columns) > 32
    assert min(columns) > 20 + 10 / 1.5 - 1.5


def test_perspective_keeps_the_middle_and_tilts_the_rest():
    dot = np.zeros((32, 41, 41, 3), np.uint8)
    dot[:, 20, 20] = 255
    assert changed(dot, perspective=0.3)[:, 20, 20].min() > 250
    ring = np.zeros((1, 41, 41, 3), np.uint8)
    ring[:, 20, 35] = 255
    columns = [
        np.nonzero(changed(ring, seed, perspective=0.3)[0, ..., 0].max(axis=0))[0].mean()
        for seed in range(30)
    ]
    assert min(columns) < 33
    assert max(columns) > 38


def test_without_tilt_the_wider_map_is_the_same():
    smooth = np.linspace(0, 255, 48).astype(np.uint8)
    faces = np.broadcast_to(smooth[None, :, None, None], (16, 48, 48, 3)).copy()
    turned = {"rotate": 40, "shift": 0.1, "zoom": 0.2, "flip": True}
    np.testing.assert_allclose(changed(faces, **turned, perspective=1e-9), changed(faces, **turned), atol=2)


def test_shift_is_bounded():
    dot = np.zeros((64, 41, 41, 3), np.uint8)
    dot[:, 20, 20] = 255
    _, rows, columns = np.nonzero(changed(dot, shift=0.1)[..., 0] > 1)
    assert rows.min() >= 20 - 5
    assert rows.max() <= 20 + 5
    assert columns.std() > 0.5


def test_brightness_moves_all_pixels_alike_and_contrast_keeps_the_mean():
    middle = np.random.default_rng(0).integers(100, 156, (8, 24, 24, 3), dtype=np.uint8)
    moved = changed(middle, brightness=0.2).astype(int) - middle
    assert [len(np.unique(photo)) for photo in moved] == [1] * 8
    assert 10 < np.abs(moved).max() <= 51
    spread = changed(middle, contrast=0.5)
    np.testing.assert_allclose(spread.mean((1, 2, 3)), middle.mean((1, 2, 3)), atol=0.5)
    assert np.ptp(spread.std((1, 2, 3)) / middle.std((1, 2, 3))) > 0.2


def test_erasing_covers_a_rectangle_of_one_colour():
    grey = np.full((64, 48, 48, 3), 128, np.uint8)
    out = changed(grey, erase=1)
    for photo in out:
        rows, columns = np.nonzero((photo != 128).any(axis=2))
        area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert area == len(rows)
        assert len(np.unique(photo[rows, columns], axis=0)) == 1
        assert 0.5 * ERASED_AREA[0] < area / 48**2 < 1.2 * ERASED_AREA[1]
    some = (changed(grey, erase=0.25) != 128).any(axis=(1, 2, 3)).mean()
    assert 0.1 < some < 0.45


def test_each_photo_is_changed_differently_and_the_seed_repeats(faces):
    same = np.repeat(faces[:1], 4, axis=0)
    first = changed(same, rotate=20, shift=0.1)
    np.testing.assert_array_equal(first, changed(same, rotate=20, shift=0.1))
    assert (first != changed(same, seed=1, rotate=20, shift=0.1)).any()
    assert len({photo.tobytes() for photo in first}) == 4


@settings(max_examples=25)
@given(
    n=st.integers(0, 3),
    size=st.integers(1, 40),
    rotate=st.floats(0, 180),
    shift=st.floats(0, 0.5),
    zoom=st.floats(0, 0.5),
    light=st.floats(0, 1),
)
def test_shape_and_type_stay(n, size, rotate, shift, zoom, light):
    faces = np.full((n, size, size, 3), 77, np.uint8)
    params = AugmentParams(rotate=rotate, shift=shift, zoom=zoom, brightness=light, contrast=light, erase=1)
    out = augment(faces, params, np.random.default_rng(0))
    assert (out.shape, out.dtype) == (faces.shape, np.uint8)
