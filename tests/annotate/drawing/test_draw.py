from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.annotate.drawing.draw import SMALL_PHOTO, draw, with_room
from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.palette import GOOD, LABEL_COLOURS
from fercomp.faces.found import Faces


def named(boxes, emotions, confidence=0.93):
    boxes = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    ones = np.ones(len(boxes), dtype=np.float32)
    return Faces(boxes, ones, emotions=tuple(emotions), confidences=np.float32(confidence) * ones)


def one(box, emotion="happy", confidence=0.93):
    return named([box], [emotion], confidence)


def changed(image, drawn):
    """Returns the rectangle that was drawn on: x1, y1, x2, y2."""
    y, x = np.nonzero((image != drawn).any(axis=2))
    return x.min(), y.min(), x.max() + 1, y.max() + 1


sides = st.integers(1, 150)
coordinates = st.floats(-200, 400, width=32)


@given(
    shape=st.tuples(sides, sides),
    boxes=st.lists(st.tuples(*[coordinates] * 4), max_size=6),
    emotion=st.text(max_size=30) | st.sampled_from(EMOTIONS),
    confidence=st.floats(0, 1),
)
def test_any_box_and_text_can_be_drawn_on_any_picture(shape, boxes, emotion, confidence):
    image = np.full((*shape, 3), 77, dtype=np.uint8)
    drawn = draw(image, named(boxes, [emotion] * len(boxes), confidence))
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert (image == 77).all()
    assert drawn is not image


def test_two_hundred_faces_in_one_picture():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 400, (200, 2)).astype(np.float32)
    faces = named(np.hstack((corners, corners + 30)), ["sad"] * 200, 0.5)
    assert draw(np.zeros((430, 430, 3), dtype=np.uint8), faces).any()


def test_the_box_keeps_its_face_visible():
    image = np.full((300, 300, 3), 128, dtype=np.uint8)
    drawn = draw(image, one((100, 100, 200, 220)))
    assert (drawn[110:210, 110:190] == 128).all()
    assert (drawn[100, 100:200] == GOOD).all()
    assert (drawn[219, 100:200] == GOOD).all()


@pytest.mark.parametrize(
    ("box", "above"), [((100, 100, 200, 220), True), ((100, 0, 200, 120), False)], ids=["room", "no room"]
)
def test_the_label_lies_above_the_box_or_where_there_is_room(box, above):
    image = np.full((300, 300, 3), 128, dtype=np.uint8)
    _, top, _, bottom = changed(image, draw(image, one(box)))
    assert (top < box[1]) == above
    assert (bottom > box[3]) != above


def test_the_label_of_a_face_at_the_right_edge_is_whole():
    image = np.full((300, 300, 3), 128, dtype=np.uint8)
    in_the_middle = draw(image, one((100, 100, 130, 140), "uncertain"))
    at_the_edge = draw(image, one((270, 100, 300, 140), "uncertain"))
    label = in_the_middle[changed(image, in_the_middle)[1] : 100, 100 : changed(image, in_the_middle)[2]]
    top = changed(image, at_the_edge)[1]
    np.testing.assert_array_equal(at_the_edge[top:100, 300 - label.shape[1] :], label)


def test_labels_of_two_faces_lie_beside_each_other():
    image = np.full((300, 300, 3), 128, dtype=np.uint8)
    boxes = [(100, 100, 150, 160), (110, 100, 160, 160)]
    drawn = draw(image, named(boxes, ["happy", "sad"], 0.9))
    first = draw(image, one(boxes[0], "happy", 0.9))
    top = changed(image, first)[1]
    np.testing.assert_array_equal(drawn[top:100, 100:150], first[top:100, 100:150])


@pytest.mark.parametrize("background", [0, 128, 255])
@pytest.mark.parametrize("emotion", EMOTIONS)
def test_text_is_white_on_its_own_colour_on_any_background(background, emotion):
    image = np.full((300, 300, 3), background, dtype=np.uint8)
    drawn = draw(image, one((100, 100, 200, 220), emotion))
    label = drawn[changed(image, drawn)[1] : 100, 100:180].reshape(-1, 3)
    assert (label == LABEL_COLOURS[emotion]).all(axis=1).any()
    assert (label == 255).all(axis=1).any()


def test_a_label_lies_beside_the_faces_of_others():
    image = np.full((400, 400, 3), 128, dtype=np.uint8)
    faces = named([(100, 40, 200, 140), (100, 150, 200, 260)], ["happy", "sad"])
    drawn = draw(image, faces)
    assert (drawn[60:130, 110:190] == 128).all(), "the upper face is not covered"
    assert (drawn[170:240, 110:190] == 128).all()


def text_height(drawn, top):
    """Returns the height of the label above a box that begins at `top`."""
    return top - changed(np.zeros_like(drawn), drawn)[1]


@pytest.mark.slow
def test_the_text_of_a_track_grows_pixel_by_pixel_and_does_not_tremble():
    image, sizes = np.zeros((1080, 1920, 3), np.uint8), {}
    sides = [200, 215, 190, 210, 200, 185] * 3 + list(range(200, 401, 20)) + [400] * 20
    heights, texts = [], []
    for side in sides:
        faces = replace(one((500, 500, 500 + side, 500 + side)), tracks=np.array([4]))
        heights.append(text_height(draw(image, faces, sizes), 500))
        texts.append(sizes[4])
    assert len(set(heights[:18])) == 1
    assert max(abs(np.diff(texts))) == 1
    assert max(abs(np.diff(heights))) <= 4, "a pixel of text, and what is around it"
    assert heights[-1] > 1.4 * heights[0]
    assert list(sizes) == [4]


@pytest.mark.parametrize("shape", [(48, 48), (200, 255), (255, 60), (1, 1)])
def test_the_label_of_a_small_photo_does_not_cover_the_face(shape):
    image = np.full((*shape, 3), 128, dtype=np.uint8)
    roomy, moved = with_room(image, one((0, 0, shape[1], shape[0])))
    assert max(roomy.shape) >= SMALL_PHOTO
    drawn = draw(roomy, moved)
    x1, y1, x2, y2 = moved.boxes[0].astype(int)
    assert (x2 - x1, y2 - y1) == tuple(side * roomy.shape[1] // shape[1] for side in shape[::-1])
    line = 1 + round(sum(roomy.shape[:2]) / 600)
    assert (drawn[y1 + line : y2 - line, x1 + line : x2 - line] == 128).all()
    assert (drawn[:y1] != 255).any(), "the label is above"


def test_other_photos_stay_as_they_are():
    image = np.zeros((256, 100, 3), np.uint8)
    assert with_room(image, one((0, 0, 50, 50)))[0] is image
    small = np.zeros((50, 50, 3), np.uint8)
    assert with_room(small, named([], []))[0] is small


def test_lines_and_text_grow_with_the_picture():
    small, large = np.zeros((300, 300, 3), np.uint8), np.zeros((3000, 3000, 3), np.uint8)
    top = changed(small, draw(small, one((100, 100, 200, 220))))[1]
    large_top = changed(large, draw(large, one((1000, 1000, 2000, 2200))))[1]
    assert (1000 - large_top) > 4 * (100 - top)


def test_a_picture_without_faces_is_only_copied():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    drawn = draw(image, named([], []))
    np.testing.assert_array_equal(drawn, image)
    assert drawn is not image


def test_tracks_and_points_are_in_the_label_where_they_are_known():
    image = np.full((300, 300, 3), 128, dtype=np.uint8)
    faces = one((100, 100, 200, 220))
    followed = replace(faces, tracks=np.array([12]))
    placed = replace(followed, valence_arousal=np.array([[0.5, -0.5]], np.float32))
    widths = [changed(image, draw(image, each))[2] for each in (faces, followed, placed)]
    assert widths == sorted(set(widths)), "each label is longer than the one before"


@pytest.mark.parametrize(
    "image", [np.zeros((9, 9, 3)), np.zeros((9, 9), np.uint8), [[1]], np.zeros((0, 9, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(image):
    with pytest.raises(FercompError, match="expected a picture"):
        draw(image, named([], []))


def test_faces_have_to_be_named():
    with pytest.raises(FercompError, match="named"):
        draw(np.zeros((9, 9, 3), np.uint8), Faces(np.zeros((1, 4), np.float32), np.ones(1, np.float32)))
