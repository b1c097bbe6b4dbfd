import multiprocessing

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.errors import FercompError
from fercomp.faces.detect import DETECTORS, Haar, make_detector
from fercomp.faces.found import Faces
from fercomp.faces.yunet import PORTRAIT, yunet_scales
from fercomp.faces.yunet_network import YUNET_FILE
from tests.drawn import draw_face


@pytest.fixture(scope="module")
def face():
    return draw_face("happy", np.random.default_rng(3), 160)


@pytest.fixture(scope="module")
def scene(face):
    """A picture of 640 x 480 with a face at (60, 100) and a smaller one at (400, 200)."""
    scene = np.full((480, 640, 3), 200, dtype=np.uint8)
    scene[100:260, 60:220] = face
    small = draw_face("sad", np.random.default_rng(4), 100)
    scene[200:300, 400:500] = small
    return scene


def centres(faces):
    return (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2


def test_yunet_finds_both_faces_from_left_to_right(scene):
    faces = make_detector().detect(scene)
    assert len(faces) == 2
    np.testing.assert_allclose(centres(faces), [(140, 180), (450, 250)], atol=20)
    assert (faces.scores >= 0.7).all()
    assert (faces.scores <= 1).all()


@pytest.mark.parametrize("side", [48, 350, 1000, 3000])
def test_yunet_finds_a_face_that_fills_a_picture_of_any_size(face, side):
    image = cv2.resize(face, (side, side), interpolation=cv2.INTER_LINEAR)
    faces = make_detector().detect(image)
    assert len(faces) == 1
    np.testing.assert_allclose(centres(faces)[0], side / 2, atol=0.15 * side)


def test_yunet_finds_a_small_face_in_a_large_picture(face):
    image = np.full((1500, 2000, 3), 200, dtype=np.uint8)
    image[1000:1160, 1500:1660] = face
    np.testing.assert_allclose(centres(make_detector().detect(image)), [(1580, 1080)], atol=25)


def test_yunet_says_where_eyes_nose_and_mouth_are(scene):
    """At each scale the picture is looked at, in pixels of the picture."""
    for faces in (make_detector().detect(scene), make_detector(clip=True).detect(scene)):
        for box, points in zip(faces.boxes, faces.landmarks, strict=True):
            right_eye, left_eye, nose, right_mouth, left_mouth = points
            assert (points > box[:2]).all()
            assert (points < box[2:]).all()
            assert right_eye[0] < nose[0] < left_eye[0]
            assert right_mouth[0] < left_mouth[0]
            assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_photos_and_clips_have_the_same_landmarks(scene):
    """But for what comes of looking at other scales: 5 % of a face."""
    photo, frame = make_detector().detect(scene), make_detector(clip=True).detect(scene)
    sides = (photo.boxes[:, 2:] - photo.boxes[:, :2]).max(axis=1)
    assert (np.abs(photo.landmarks - frame.landmarks).max(axis=(1, 2)) < 0.05 * sides).all()


def test_other_detectors_give_no_landmarks(scene):
    assert make_detector("whole").detect(scene).landmarks is None
    assert make_detector("haar_default").detect(scene).landmarks is None


@pytest.mark.parametrize("name", DETECTORS)
def test_no_face_in_a_plain_picture_but_the_whole(name):
    faces = make_detector(name).detect(np.full((90, 120, 3), 128, dtype=np.uint8))
    assert len(faces) == (1 if name == "whole" else 0)
    assert faces.boxes.dtype == faces.scores.dtype == np.float32


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (8, 9), (33, 31)])
def test_any_shape_of_picture_is_searched(name, shape):
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    make_detector(name).detect(noise)


def test_a_haar_cascade_finds_an_upright_face(scene):
    faces = make_detector("haar_default").detect(scene)
    assert len(faces) >= 1
    assert (faces.scores >= 5).all()
    nearest = np.abs(centres(faces)[:, None] - np.array([(140, 180), (450, 250)])).max(axis=2).min()
    assert nearest < 30


def test_whole_takes_the_picture_as_it_is_framed():
    whole = make_detector("whole")
    assert whole.framed
    assert not make_detector("yunet").framed
    faces = whole.detect(np.zeros((30, 40, 3), dtype=np.uint8))
    np.testing.assert_array_equal(faces.boxes, [(0, 0, 40, 30)])


def test_min_score_and_min_size_leave_out_faces(scene):
    assert len(make_detector(min_score=0.999).detect(scene)) == 0
    assert len(make_detector(min_size=110).detect(scene)) == 1


def test_detection_leaves_the_picture_as_it_is_and_repeats_itself(scene):
    before = scene.copy()
    detector = make_detector()
    first, second = detector.detect(scene), detector.detect(scene)
    np.testing.assert_array_equal(scene, before)
    np.testing.assert_array_equal(first.boxes, second.boxes)


@pytest.mark.parametrize(("height", "width"), [(256, 256), (256, 170), (150, 256)])
def test_a_look_at_all_of_a_photo_finds_what_opencv_does(face, height, width):
    """OpenCV wants BGR: with the channels swapped, the score would be another."""
    image = cv2.resize(face, (width, height))
    square = np.zeros((PORTRAIT, PORTRAIT, 3), np.uint8)
    square[:height, :width] = image
    network = cv2.FaceDetectorYN.create(str(YUNET_FILE), "", (PORTRAIT, PORTRAIT), 0.7, 0.4)
    (row,) = network.detect(cv2.cvtColor(square, cv2.COLOR_RGB2BGR))[1]
    faces = make_detector().detect(image)
    corner, end = row[:2], row[:2] + row[2:4]
    expected = np.clip(np.hstack((corner, end)), 0, (width, height) * 2)
    np.testing.assert_allclose(faces.boxes, [expected], atol=0.01)
    np.testing.assert_allclose(faces.landmarks, [row[4:14].reshape(5, 2)], atol=0.01)
    assert faces.scores[0] == pytest.approx(row[14], abs=1e-4)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="processes are not forked here"
)
@pytest.mark.parametrize("clip", [False, True])
def test_a_forked_child_finds_what_its_parent_did(scene, clip):
    """OpenVINO's threads stay behind; a child that waited for them would never end."""
    detector = make_detector(clip=clip)
    boxes = detector.detect(scene).boxes
    for chosen in (detector.detect, make_detector(clip=clip).detect):
        with multiprocessing.get_context("fork").Pool(1, _CHOSEN.append, (chosen,)) as pool:
            found = pool.apply_async(_boxes, (scene,)).get(60)
        np.testing.assert_allclose(found, boxes, atol=0.01)


_CHOSEN = []


def _boxes(image):
    return _CHOSEN[-1](image).boxes


def test_an_unknown_detector_is_refused_with_the_nearest():
    with pytest.raises(FercompError, match=r"unknown detector 'yunett': did you mean yunet"):
        make_detector("yunett")


@pytest.mark.parametrize(("name", "score"), [("yunet", 1.5), ("yunet", -0.1), ("haar_alt", -1)])
def test_a_score_out_of_range_is_refused(name, score):
    with pytest.raises(FercompError, match="min-score"):
        make_detector(name, min_score=score)


def test_a_missing_file_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path))
    with pytest.raises(FercompError, match="not found"):
        make_detector("haar_alt")


def test_cascades_are_chosen_by_name():
    assert all(isinstance(make_detector(name), Haar) for name in DETECTORS if name.startswith("haar"))


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_scales_stay_within_what_the_network_can_see(height, width):
    scales = yunet_scales(height, width)
    looks = [max(height, width) * scale for scale in scales]
    assert looks[0] == pytest.approx(256)
    assert all(256 < look <= 1280.001 for look in looks[1:])
    assert all(scale <= 1 for scale in scales[1:])


finite = st.floats(-1e6, 1e6, width=32)


@given(st.lists(st.tuples(finite, finite, finite, finite, st.floats(0, 1, width=32)), max_size=12))
def test_faces_are_clipped_sorted_and_have_area(rows):
    image = np.zeros((30, 40, 3), dtype=np.uint8)
    table = np.array(rows, dtype=np.float32).reshape(-1, 5)
    faces = Faces.within(image, table[:, :4], table[:, 4], min_size=5)
    boxes = faces.boxes
    assert (boxes >= 0).all()
    assert (boxes <= (40, 30, 40, 30)).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert ((boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=5) >= 5).all()
    assert boxes.tolist() == sorted(boxes.tolist())
    assert len(faces) == len(faces.scores)
