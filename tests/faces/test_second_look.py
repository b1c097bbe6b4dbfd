"""A photo is enlarged and turned where no face is sure; what is found comes back to the photo as it is."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.faces.crop import upright_input
from fercomp.faces.detect import make_detector
from fercomp.faces.quality import levels, rolls
from fercomp.faces.second_look import SURE, TILTS, SecondLook, boxes_back, turned
from fercomp.faces.yunet import YuNet
from tests.drawn import draw_face

lengths = st.integers(1, 250)
quarters = st.sampled_from((90, -90, 180))


def ramp(height, width):
    """A picture whose colours say where they are."""
    y, x = np.mgrid[:height, :width]
    return np.stack((x, y, 0 * x), axis=-1).astype(np.uint8)


@given(lengths, lengths, st.sampled_from(list(TILTS)), st.floats(0, 1), st.floats(0, 1))
def test_what_a_turned_picture_shows_is_where_it_says(height, width, tilt, right, down):
    view, back = turned(ramp(height, width), tilt, 1000)
    place = np.array((right * width, down * height))
    there = np.linalg.solve(back[:, :2], place - back[:, 2])
    assert (there >= -1e-6).all(), "all of the picture is shown"
    assert (there <= np.array((view.shape[1], view.shape[0])) + 1e-6).all()
    column, row = np.clip(there.astype(int), 0, (view.shape[1] - 1, view.shape[0] - 1))
    np.testing.assert_allclose(view[row, column, :2], place - 0.5, atol=1.6)


@given(quarters, st.integers(2, 60), st.integers(2, 60), st.data())
def test_a_quarter_turn_moves_pixels_and_boxes_as_they_are(tilt, height, width, data):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    view, back = turned(image, tilt, 1000)
    np.testing.assert_array_equal(view, np.rot90(image, tilt // 90))
    x1, x2 = sorted(data.draw(st.lists(st.integers(0, view.shape[1]), min_size=2, max_size=2, unique=True)))
    y1, y2 = sorted(data.draw(st.lists(st.integers(0, view.shape[0]), min_size=2, max_size=2, unique=True)))
    (box,) = boxes_back(np.array([(x1, y1, x2, y2)], np.float32), back)
    u1, v1, u2, v2 = np.rint(box).astype(int)
    np.testing.assert_allclose(box, (u1, v1, u2, v2), atol=1e-3)
    np.testing.assert_array_equal(np.rot90(image[v1:v2, u1:u2], tilt // 90), view[y1:y2, x1:x2])


@given(
    st.sampled_from(list(TILTS)),
    st.tuples(*[st.floats(-1e3, 1e3)] * 2, *[st.floats(1, 1e3)] * 2),
    st.floats(0.01, 1),
)
def test_a_box_keeps_its_centre_and_its_longer_side(tilt, box, scale):
    side = 800
    view, back = turned(np.zeros((side, side, 3), np.uint8), tilt, round(side * scale))
    x, y, width, height = box
    ((x1, y1, x2, y2),) = boxes_back(np.array([(x, y, x + width, y + height)]), back).astype(float)
    longer = (
        max(width, height) * side / (max(view.shape) / max(1, abs(np.sin(np.radians(tilt * 2))) * 2**0.5))
    )
    assert max(x2 - x1, y2 - y1) == pytest.approx(longer, rel=0.25 if max(view.shape) < 30 else 0.05)
    centre = back[:, :2] @ (x + width / 2, y + height / 2) + back[:, 2]
    np.testing.assert_allclose(((x1 + x2) / 2, (y1 + y2) / 2), centre, atol=1e-3 * longer + 1e-2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (8, 9)])
def test_any_shape_of_picture_is_turned(shape):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    boxes = SecondLook(0.7, 16).detect(noise).boxes
    assert ((boxes >= 0) & (boxes <= np.tile((shape[1], shape[0]), 2))).all()
    for tilt, longest in TILTS.items():
        view, back = turned(noise, tilt, 40)
        assert 1 <= max(view.shape) <= 41 < longest
        assert np.isfinite(back).all()


@pytest.fixture(scope="module")
def scene():
    """A picture of 420 x 420 with a face of 150 pixels; of others YuNet tells the tilt less well."""
    picture = np.full((420, 420, 3), 200, dtype=np.uint8)
    picture[90:240, 150:300] = draw_face("neutral", np.random.default_rng(5), 150)
    return picture


def tilted(picture, degrees):
    """Turns a square picture clockwise about its centre, and says by which matrix."""
    middle = (picture.shape[0] - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), -degrees, 1)
    size = picture.shape[1::-1]
    return cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE), matrix


@pytest.mark.parametrize("degrees", list(TILTS))
def test_a_tilted_face_is_found_where_it_is_and_cut_out_upright(scene, degrees):
    (upright,) = YuNet().detect(scene)
    picture, matrix = tilted(scene, degrees)
    (face,) = make_detector(second_look=True).detect(picture)
    centre = (upright.boxes[0, :2] + upright.boxes[0, 2:]) / 2
    np.testing.assert_allclose((face.boxes[0, :2] + face.boxes[0, 2:]) / 2, matrix @ (*centre, 1), atol=15)
    away = (rolls(face.landmarks)[0] - rolls(upright.landmarks)[0] - degrees + 180) % 360 - 180
    assert abs(away) < 12
    crops = [
        upright_input(image, one.boxes[0], float(levels(one)[0]), 48, 0.1).astype(float)
        for image, one in ((scene, upright), (picture, face))
    ]
    lying = upright_input(picture, face.boxes[0], 0, 48, 0.1).astype(float)
    assert np.abs(crops[0] - crops[1]).mean() < 0.6 * np.abs(crops[0] - lying).mean()


def test_a_photo_with_a_sure_face_is_not_looked_at_again(scene):
    plain, again = YuNet().detect(scene), SecondLook(0.7, 16).detect(scene)
    assert plain.scores.max() > SURE
    for name in ("boxes", "scores", "landmarks"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(again, name))


@pytest.mark.parametrize("side", [24, 30])
def test_a_tiny_face_is_found_where_it_is(scene, side):
    place, scale = (300, 200), side / 150
    small = cv2.resize(scene, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((480, 640, 3), 200, dtype=np.uint8)
    picture[place[1] :, place[0] :][: small.shape[0], : small.shape[1]] = small
    assert len(YuNet().detect(picture)) == 0
    (face,) = SecondLook(0.7, 16).detect(picture)
    (large,) = YuNet().detect(scene)
    np.testing.assert_allclose(face.boxes[0], large.boxes[0] * scale + (*place, *place), atol=4)
    np.testing.assert_allclose(face.landmarks[0], large.landmarks[0] * scale + place, atol=4)
    assert len(SecondLook(0.7, 60).detect(picture)) == 0


def test_large_photos_are_not_made_larger():
    assert len(YuNet().enlarged(np.zeros((1280, 40, 3), np.uint8))) == 0


def test_min_score_and_min_size_are_of_the_photo_as_it_is(scene):
    large = np.rot90(cv2.resize(scene, None, fx=2, fy=2)).copy()  # shrunk to 640 pixels where it is turned
    (face,) = SecondLook(0.7, 200).detect(large)
    side = (face.boxes[0, 2:] - face.boxes[0, :2]).max()
    assert 200 < side < 400
    assert len(SecondLook(0.7, float(side) + 1).detect(large)) == 0
    assert len(SecondLook(0.999, 16).detect(large)) == 0


def test_only_yunet_looks_again():
    assert isinstance(make_detector(second_look=True), SecondLook)
    assert not isinstance(make_detector(), SecondLook)
    assert (
        make_detector("haar_alt", second_look=True).detect(np.zeros((50, 50, 3), np.uint8)).landmarks is None
    )
