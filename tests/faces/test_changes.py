"""Changes of faces: what each does, that none is as it was by chance, and that the seed repeats them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercomp.core.tables import CHANGES, UNCHANGED
from fercomp.faces.changes import STRENGTHS, changed

NOTHING = dict.fromkeys(STRENGTHS, 0.0) | {"size": 64, "jpeg": 100}
"""The strength at which nothing changes; a JPEG of quality 100 changes a few levels."""


def some(n=3, size=24, seed=0):
    """Faces of a few large patches, so that a JPEG changes little of them."""
    small = np.random.default_rng(seed).integers(0, 256, (n, 4, 4, 3), dtype=np.uint8)
    return np.stack([cv2.resize(face, (size, size), interpolation=cv2.INTER_CUBIC) for face in small])


def after(faces, change, strength, seed=0):
    return changed(faces, change, strength, np.random.default_rng(seed))


def test_every_change_has_a_unit_and_three_strengths_that_grow():
    assert list(CHANGES) == list(STRENGTHS)
    for change, strengths in STRENGTHS.items():
        assert sorted(strengths, reverse=change in ("jpeg", "size")) == list(strengths)
        assert len(set(strengths)) == 3
        assert f"{strengths[0]:g}" in CHANGES[change].format(strengths[0])


@settings(max_examples=60)
@given(
    change=st.sampled_from([*STRENGTHS, UNCHANGED]),
    which=st.integers(0, 2),
    n=st.integers(0, 3),
    size=st.integers(8, 64),
    seed=st.integers(0, 99),
    mirrored=st.booleans(),
)
def test_shape_and_type_stay_and_the_seed_repeats(change, which, n, size, seed, mirrored):
    faces = np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    faces = faces[:, :, ::-1] if mirrored else faces
    before = faces.copy()
    strength = STRENGTHS[change][which] if change != UNCHANGED else 0.0
    out = after(faces, change, strength, seed)
    assert (out.shape, out.dtype) == (faces.shape, np.uint8)
    np.testing.assert_array_equal(out, after(faces, change, strength, seed))
    np.testing.assert_array_equal(faces, before)
    assert not np.shares_memory(out, faces)


@settings(max_examples=60)
@given(change=st.sampled_from([*STRENGTHS, UNCHANGED]), size=st.integers(8, 64), seed=st.integers(0, 99))
def test_nothing_changes_at_no_strength(change, size, seed):
    faces = some(2, size, seed)
    if change == "jpeg":  # which keeps colours at half the resolution
        faces = faces[..., :1].repeat(3, axis=3)
    out = after(faces, change, NOTHING.get(change, 0.0), seed).astype(int)
    assert np.abs(out - faces).max() <= 3 * (change == "jpeg")


@pytest.mark.parametrize("change", STRENGTHS)
def test_more_of_it_changes_more(change):
    faces = some(16, 64)
    distances = [np.abs(after(faces, change, s).astype(int) - faces).mean() for s in STRENGTHS[change]]
    assert 0 < distances[0] < distances[1] < distances[2]


@pytest.mark.parametrize("change", STRENGTHS)
def test_every_face_is_changed(change):
    faces = some(32, 64)
    out = after(faces, change, STRENGTHS[change][2])
    assert (out != faces).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("change", ["roll", "yaw", "cover"])
def test_sides_are_drawn_alike_at_every_strength_and_size(change):
    """So that strengths, models and inputs of an ensemble are compared on the same faces."""

    def sides(size, strength, seed):
        ramp = np.linspace(60, 200, size).astype(np.uint8)
        faces = np.repeat((ramp[:, None] // 2 + ramp[None, :] // 2)[None, :, :, None], 24, axis=0)
        out = after(faces.repeat(3, axis=3), change, strength, seed).astype(int)
        moved = (out - faces).mean(axis=3)
        if change == "yaw":
            return moved.mean(axis=(1, 2)) > 0
        return moved[:, size // 8, size // 2] > moved[:, -size // 8, size // 2]

    strengths = STRENGTHS[change]
    first = sides(32, strengths[2], 0)
    assert 0 < first.sum() < len(first)
    np.testing.assert_array_equal(first, sides(64, strengths[2], 0))
    assert (first != sides(32, strengths[2], 1)).any()


def test_darkness_takes_so_much_light_and_grey_the_colours():
    faces = some()
    np.testing.assert_array_equal(after(faces, "darkness", 0.6), np.rint(faces * 0.4))
    assert after(faces, "darkness", 1).max() == 0
    half, none = (np.ptp(after(faces, "grey", share).astype(int), axis=3) for share in (0.5, 1))
    np.testing.assert_allclose(half, np.ptp(faces.astype(int), axis=3) / 2, atol=1)
    assert none.max() == 0


def test_noise_is_grey_and_has_its_deviation():
    faces = np.full((4, 64, 64, 3), 128, np.uint8)
    out = after(faces, "noise", 0.06)
    assert np.ptp(out, axis=3).max() == 0
    assert out.std() == pytest.approx(0.06 * 255, rel=0.05)
    assert len({face.tobytes() for face in out}) == 4


def test_a_cover_is_one_level_and_reaches_so_far_from_one_edge():
    faces = some(64, 40)
    out = after(faces, "cover", 0.25)
    covered = (out != faces).any(axis=3)
    edges = set()
    for face, hidden in zip(out, covered, strict=True):
        rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
        edges.add((rows[0], rows[-1], columns[0], columns[-1]))
        assert len(np.unique(face[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])) == 1
    assert edges == {(0, 9, 0, 39), (30, 39, 0, 39), (0, 39, 0, 9), (0, 39, 30, 39)}


def test_a_size_at_least_that_of_the_input_changes_nothing():
    faces = some(2, 32)
    np.testing.assert_array_equal(after(faces, "size", 32), faces)
    assert (after(faces, "size", 31) != faces).any()


def test_a_jpeg_keeps_the_order_of_colours():
    red = np.zeros((2, 24, 24, 3), np.uint8)
    red[..., 0] = 200
    np.testing.assert_allclose(after(red, "jpeg", 90), red, atol=8)


def test_a_yaw_keeps_the_middle_and_squeezes_one_side():
    size = 65
    ramp = np.broadcast_to(np.arange(size, dtype=np.uint8)[None, None, :, None], (16, size, size, 3))
    out = after(ramp, "yaw", 0.4).astype(int)
    assert (np.abs(out[:, :, 32] - 32) <= 1).all()
    left, right = out[:, 32, 22, 0] - 32, out[:, 32, 42, 0] - 32
    assert (np.abs(left) != np.abs(right)).all()
    assert len(set(np.abs(left) > np.abs(right))) == 2
