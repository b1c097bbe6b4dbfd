import timeit

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fercomp.faces.crop import face_input, whole_box

sides = st.integers(1, 40)
sizes = st.integers(1, 64)
images = st.tuples(sides, sides).flatmap(lambda s: hnp.arrays(np.uint8, (*s, 3)))
margins = st.floats(0, 1)


def ramp(height, width):
    """A picture in which every pixel differs from its neighbours and the channels from each other."""
    y, x = np.mgrid[:height, :width]
    return np.stack((x % 256, y % 256, (3 * x + 5 * y) % 256), axis=-1).astype(np.uint8)


@given(side=sides, data=st.data())
def test_a_whole_square_at_its_own_size_is_the_picture(side, data):
    image = data.draw(hnp.arrays(np.uint8, (side, side, 3)))
    np.testing.assert_array_equal(face_input(image, whole_box(image), side, 0), image)


@given(
    image=images,
    corner=st.tuples(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9)),
    extent=st.tuples(st.floats(1, 1e7), st.floats(1, 1e7)),
    size=sizes,
    margin=margins,
)
def test_any_box_over_the_picture_gives_a_square(image, corner, extent, size, margin):
    """Boxes may be much larger than the picture and reach beyond it."""
    x1, y1 = corner[0] * image.shape[1], corner[1] * image.shape[0]
    box = np.array((min(x1, 0), min(y1, 0), max(x1, 0) + extent[0], max(y1, 0) + extent[1]), dtype=np.float32)
    face = face_input(image, box, size, margin)
    assert face.shape == (size, size, 3)
    assert face.dtype == np.uint8
    assert image.min() <= face.min()
    assert face.max() <= image.max()


@given(
    shape=st.tuples(sides, sides),
    cuts=st.tuples(*[st.floats(0, 1, width=32)] * 4),
    size=sizes,
    margin=margins,
)
def test_any_box_inside_the_picture_is_accepted(shape, cuts, size, margin):
    """Detectors clip their boxes to the picture; what is left may be far thinner than a pixel."""
    height, width = shape
    x1, x2 = sorted(np.float32(cut) * np.float32(width) for cut in cuts[:2])
    y1, y2 = sorted(np.float32(cut) * np.float32(height) for cut in cuts[2:])
    if x1 < x2 and y1 < y2:
        assert face_input(ramp(height, width), np.array((x1, y1, x2, y2)), size, margin).shape == (
            size,
            size,
            3,
        )


@given(
    dx=st.integers(0, 30),
    dy=st.integers(0, 30),
    box=st.tuples(st.floats(15, 25), st.floats(15, 25), st.floats(0.5, 12), st.floats(0.5, 12)),
    size=sizes,
    margin=st.floats(0, 0.2),
)
def test_a_face_gives_the_same_pixels_wherever_it_is(dx, dy, box, size, margin):
    x, y, w, h = np.float32(box)
    place = np.array((x, y, x + w, y + h), dtype=np.float64)
    image = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    moved = np.zeros((90, 90, 3), dtype=np.uint8)
    moved[dy : dy + 50, dx : dx + 50] = image
    np.testing.assert_array_equal(
        face_input(image, place, size, margin),
        face_input(moved, place + np.array((dx, dy, dx, dy)), size, margin),
    )


def test_the_square_is_centred_and_as_long_as_the_longer_side():
    image = ramp(60, 60)
    face = face_input(image, np.array((20, 10, 30, 40)), 30, 0)  # 10 x 30 around (25, 25)
    np.testing.assert_array_equal(face, image[10:40, 10:40])


def test_the_margin_is_a_share_of_the_longer_side_on_each_side():
    image = ramp(60, 60)
    face = face_input(image, np.array((20, 20, 40, 40)), 28, 0.2)  # 20 * 1.4 = 28
    np.testing.assert_array_equal(face, image[16:44, 16:44])


def test_beyond_the_picture_its_border_is_repeated():
    image = ramp(10, 10)
    face = face_input(image, np.array((-4, -2, 6, 8)), 10, 0)
    np.testing.assert_array_equal(face, np.pad(image, ((2, 0), (4, 0), (0, 0)), "edge")[:10, :10])


def test_a_photo_that_is_not_square_is_filled_up_not_stretched():
    image = ramp(4, 10)
    face = face_input(image, whole_box(image), 10, 0)
    np.testing.assert_array_equal(face, np.pad(image, ((3, 3), (0, 0), (0, 0)), "edge"))


def test_shrinking_averages_and_enlarging_interpolates():
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    for size, method in ((24, cv2.INTER_AREA), (96, cv2.INTER_LINEAR)):
        expected = cv2.resize(image, (size, size), interpolation=method)
        np.testing.assert_array_equal(face_input(image, whole_box(image), size, 0), expected)


def test_a_crop_is_an_array_of_its_own():
    image = ramp(20, 20)
    face = face_input(image, whole_box(image), 20, 0)
    face[...] = 0
    np.testing.assert_array_equal(image, ramp(20, 20))


def test_a_very_long_picture_needs_no_memory_for_its_square():
    image = np.zeros((8, 1_000_000, 3), dtype=np.uint8)
    assert face_input(image, whole_box(image), 48, 0.1).shape == (48, 48, 3)


@pytest.mark.parametrize(
    "box",
    [(5, 5, 5, 9), (5, 9, 9, 5), (0, 0, np.nan, 9), (0, 0, np.inf, 9), (30, 0, 40, 10), (-9, -9, -1, -1)],
    ids=["flat", "upside down", "nan", "infinite", "right of it", "left of it"],
)
def test_a_box_without_a_face_is_refused(box):
    with pytest.raises(ValueError, match="expected a"):
        face_input(ramp(20, 20), np.array(box, dtype=np.float32), 16, 0)


@pytest.mark.parametrize("shape", [(20, 20), (20, 20, 4)])
def test_only_rgb_is_accepted(shape):
    with pytest.raises(ValueError, match=r"\(h, w, 3\) uint8"):
        face_input(np.zeros(shape, dtype=np.uint8), np.array((0, 0, 9, 9)), 16, 0)
    with pytest.raises(ValueError, match="float32"):
        face_input(np.zeros((20, 20, 3), dtype=np.float32), np.array((0, 0, 9, 9)), 16, 0)


def test_a_training_photo_takes_far_less_than_a_millisecond():
    image = ramp(48, 48)
    seconds = (
        min(timeit.repeat(lambda: face_input(image, whole_box(image), 48, 0), number=100, repeat=5)) / 100
    )
    assert seconds < 5e-4  # measured: 1.5e-5
