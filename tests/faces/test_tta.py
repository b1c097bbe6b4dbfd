"""Several views of a photo: what they show, and their mean."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.data.inputs import read_faces
from fercomp.faces.tta import VIEWS, View, seen
from fercomp.modeling.bundle.model import Bundle
from fercomp.modeling.bundle.predict import predict_photos
from tests.drawn import draw_face

SIZE = 32


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    return np.stack([draw_face(emotion, rng, SIZE) for emotion in ("happy", "sad", "fear")])


def test_the_first_view_is_the_photo_and_no_two_are_alike(faces):
    assert seen(faces, VIEWS[0]) is faces
    assert len({seen(faces, view).tobytes() for view in VIEWS}) == len(VIEWS)
    assert sum(view.mirrored for view in VIEWS) == len(VIEWS) // 2
    np.testing.assert_array_equal(seen(faces, View(mirrored=True)), faces[:, :, ::-1])


def test_a_shift_moves_the_picture_and_repeats_its_border():
    faces = np.random.default_rng(0).integers(0, 256, (2, 40, 40, 3), dtype=np.uint8)
    moved = seen(faces, View(right=0.1, down=-0.05))
    np.testing.assert_array_equal(moved[:, :-2, 4:], faces[:, 2:, :-4])
    np.testing.assert_array_equal(moved[:, -1, 4:], faces[:, -1, :-4])


@given(st.floats(0.5, 2), st.floats(-45, 45))
def test_the_centre_stays_and_a_plain_photo_too(scale, angle):
    dot = np.zeros((1, 41, 41, 3), np.uint8)
    cv2.circle(dot[0], (20, 20), 6, (255, 255, 255), -1)
    rows, columns = np.nonzero(seen(dot, View(scale, angle))[0, :, :, 0] > 127)
    assert abs(rows.mean() - 20) < 0.5
    assert abs(columns.mean() - 20) < 0.5
    plain = np.full((1, 41, 41, 3), 77, np.uint8)
    np.testing.assert_array_equal(seen(plain, View(scale, angle)), plain)


def test_the_answer_is_the_mean_over_views(tiny_bundle_folder, faces):
    bundle = Bundle(tiny_bundle_folder)
    bundle.card = bundle.card.model_copy(update={"temperature": 1.0, "flip": False})
    looks = [bundle.predict(seen(faces, view)) for view in VIEWS]
    assert not np.allclose(looks[0], looks[1], atol=1e-5)
    for n in (1, 5, len(VIEWS)):
        got = bundle.answer(faces, views=n).pred_probs
        np.testing.assert_allclose(got, np.mean(looks[:n], axis=0), atol=1e-6)


def test_no_face_has_no_answer(tiny_bundle_folder):
    nothing = np.empty((0, SIZE, SIZE, 3), np.uint8)
    assert Bundle(tiny_bundle_folder).answer(nothing, views=len(VIEWS)).pred_probs.shape == (0, 9)


@pytest.mark.parametrize("views", [True, False])
def test_photos_of_a_table_are_looked_at_as_the_card_says(tiny_bundle_folder, workspace, views):
    bundle = Bundle(tiny_bundle_folder)
    assert bundle.card.views
    bundle.card = bundle.card.model_copy(update={"views": views})
    names = [f"test_kaggle/{i}.jpg" for i in range(2)]
    photos = read_faces(workspace.raw, names, SIZE)
    expected = bundle.answer(photos, views=len(VIEWS) if views else 0)
    got = predict_photos(bundle, workspace.raw, names)
    np.testing.assert_allclose(got, expected.pred_probs, atol=1e-6)
    assert np.array_equal(bundle.predict(photos), expected.pred_probs) != views
