"""How well a face can be seen."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.faces.found import Faces
from fercomp.faces.quality import face_qualities, face_sizes, levels, rolls
from tests.drawn import draw_face

FRONTAL = np.array([[[70, 80], [130, 80], [100, 120], [75, 150], [125, 150]]], np.float32)


@pytest.fixture(scope="module")
def picture():
    return draw_face(EMOTIONS[0], np.random.default_rng(1), 200)


@pytest.fixture
def face():
    return Faces(np.array([[40, 30, 160, 180]], np.float32), np.array([0.9], np.float32), FRONTAL)


def quality(picture, face):
    (value,) = face_qualities(picture, face)
    return float(value)


def tilted(points, degrees):
    """Turns a face clockwise about the middle of its landmarks."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    middle = points.mean(axis=1, keepdims=True)
    return ((points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle).astype(np.float32)


def test_a_tilt_counts_as_far_as_the_crop_keeps_it(picture, face):
    """A face that is tilted further is cut out upright."""
    good = quality(picture, face)
    for degrees, kept in ((15, 15), (-19, 19), (21, 0), (90, 0), (-135, 0), (180, 0)):
        one = replace(face, landmarks=tilted(FRONTAL, degrees))
        np.testing.assert_allclose(levels(one), [0 if kept else degrees], atol=1e-3)
        expected = good * np.sqrt(np.cos(np.radians(kept)))
        assert quality(picture, one) == pytest.approx(expected, rel=1e-3)
    none = replace(face, landmarks=None)
    np.testing.assert_array_equal(levels(none), [0])


def test_each_flaw_costs_something(picture, face):
    good = quality(picture, face)
    assert 0.7 < good < 1
    turned = FRONTAL.copy()
    turned[0, 2, 0] = 128  # the nose below an eye
    small = cv2.resize(picture, (40, 40), interpolation=cv2.INTER_AREA)
    worse = {
        "blurred": quality(cv2.GaussianBlur(picture, (0, 0), 5), face),
        "dark": quality((picture * 0.1).astype(np.uint8), face),
        "unsure": quality(picture, replace(face, scores=np.array([0.3], np.float32))),
        "turned": quality(picture, replace(face, landmarks=turned)),
        "small": quality(small, replace(face, boxes=face.boxes / 5, landmarks=FRONTAL / 5)),
    }
    assert all(value < 0.8 * good for value in worse.values()), worse


def test_it_is_0_to_1_whatever_the_detector(picture, face):
    haar = Faces(np.repeat(face.boxes, 2, axis=0), np.array([3, 57], np.float32))
    values = face_qualities(picture, haar)
    assert values.dtype == np.float32
    assert ((values > 0.5) & (values <= 1)).all()
    none = Faces(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty((0, 5, 2), np.float32))
    assert face_qualities(picture, none).shape == rolls(none.landmarks).shape == (0,)
    assert face_sizes(none.boxes).shape == (0,)


@pytest.mark.parametrize("angle", [-150, -30, 0, 20, 90])
def test_roll_is_clockwise(angle):
    # OpenCV turns counter-clockwise.
    turn = cv2.getRotationMatrix2D((100, 100), -angle, 1.0)
    points = FRONTAL @ turn[:, :2].T.astype(np.float32) + turn[:, 2].astype(np.float32)
    assert rolls(points)[0] == pytest.approx(angle, abs=0.01)
