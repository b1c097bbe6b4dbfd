from itertools import pairwise

import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS, UNCERTAIN
from fercomp.core.errors import FercompError
from fercomp.faces.yunet import YuNet
from tests.drawn import draw_clip, draw_face, draw_group
from tests.drawn.head import paint_person
from tests.drawn.person import Pose, random_person
from tests.drawn.units import ACTION_UNITS, ONE_SIDED, PROTOTYPES, Expression, random_expression

STRAIGHT = Pose(x=96, y=96, radius=80, yaw=0, pitch=0, roll=0, light=(0.3, -0.4), contrast=0.6)
REST = Expression(np.zeros((len(ACTION_UNITS), 2)))


def head(person, expression):
    picture = np.full((192, 192, 3), 128, dtype=np.uint8)
    paint_person(picture, person, STRAIGHT, expression)
    return picture.astype(int)


def only(unit, value=1.0, sides=(0, 1)):
    intensity = np.zeros((len(ACTION_UNITS), 2))
    intensity[list(ACTION_UNITS).index(unit), list(sides)] = value
    return Expression(intensity)


def test_every_emotion_has_units_that_can_be_drawn():
    assert set(PROTOTYPES) == set(EMOTIONS) - {UNCERTAIN}
    for variants in PROTOTYPES.values():
        for units in variants:
            assert set(units) <= set(ACTION_UNITS)
            assert all(0 < value <= 1 for value in units.values())
    assert set(ONE_SIDED) <= set(PROTOTYPES)
    used = {unit for variants in PROTOTYPES.values() for units in variants for unit in units}
    assert used == set(ACTION_UNITS)


@pytest.mark.parametrize("emotion", EMOTIONS)
@pytest.mark.parametrize("size", [16, 48, 97])
def test_every_emotion_is_drawn_at_any_size(emotion, size):
    face = draw_face(emotion, np.random.default_rng(3), size)
    assert (face.shape, face.dtype) == ((size, size, 3), np.uint8)
    assert face.std() > 15


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_the_same_seed_draws_the_same_face_and_another_seed_another(emotion):
    first, again, other = (draw_face(emotion, np.random.default_rng(seed), 64) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_unknown_emotion_is_one_clear_error():
    with pytest.raises(FercompError, match="unknown emotion 'joy'"):
        draw_face("joy", np.random.default_rng(0), 48)


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_every_unit_changes_the_face(unit):
    # Some units only show on an open mouth.
    base = only(25) if unit == 16 else REST
    moved = Expression(np.maximum(base.intensity, only(unit).intensity))
    person = random_person(np.random.default_rng(1))
    assert np.abs(head(person, moved) - head(person, base)).max() > 30


@pytest.mark.parametrize("side", [0, 1])
def test_a_unit_of_one_half_leaves_the_other_half_of_the_brows_and_eyes_alone(side):
    person = random_person(np.random.default_rng(1))
    change = np.abs(head(person, only(2, sides=[side])) - head(person, REST)).sum(axis=2)[:110]
    left, right = change[:, :90].sum(), change[:, 102:].sum()
    assert (left > 1000, right > 1000) == (side == 0, side == 1)


def test_the_same_person_looks_different_in_each_emotion():
    person = random_person(np.random.default_rng(2))
    faces = [head(person, random_expression(emotion, np.random.default_rng(0))) for emotion in EMOTIONS]
    for i, first in enumerate(faces):
        for second in faces[:i]:
            assert (np.abs(first - second).max(axis=2) > 40).sum() > 150


def test_contempt_is_one_sided_and_uncertain_is_weak():
    rng = np.random.default_rng(0)
    for _ in range(50):
        contempt = random_expression("contempt", rng)
        assert abs(contempt.of(14, 0) - contempt.of(14, 1)) > 0.4
        assert random_expression(UNCERTAIN, rng).intensity.max() < 0.6
        for emotion in EMOTIONS:
            intensity = random_expression(emotion, rng).intensity
            assert intensity.shape == (len(ACTION_UNITS), 2)
            assert intensity.min() >= 0
            assert intensity.max() <= 1


def test_a_blend_goes_from_one_expression_to_the_other():
    rng = np.random.default_rng(0)
    sad, happy = random_expression("sad", rng), random_expression("happy", rng)
    assert np.array_equal(sad.blend(happy, 0.0).intensity, sad.intensity)
    assert np.array_equal(sad.blend(happy, 1.0).intensity, happy.intensity)
    assert sad.blend(happy, 0.5).mean(12) == pytest.approx((sad.mean(12) + happy.mean(12)) / 2)


def test_a_clip_changes_smoothly():
    frames = list(
        draw_clip([("neutral", "surprise"), ("sad", "happy")], np.random.default_rng(0), 160, 90, 12)
    )
    assert {frame.shape for frame in frames} == {(90, 160, 3)}
    steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(frames)]
    assert max(steps) < 6


@pytest.mark.slow
def test_a_detector_of_real_faces_finds_nearly_all_drawn_ones():
    detector, rng = YuNet(), np.random.default_rng(7)
    shown = found = 0
    for count in (1, 2, 3, 4, 5) * 4:
        emotions = [str(emotion) for emotion in rng.choice(EMOTIONS, count)]
        group = draw_group(emotions, rng, 800, 600)
        found += min(count, len(detector.detect(group)))
        shown += count
    assert found / shown >= 0.95
