import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment

from fercomp.faces.found import Faces
from fercomp.faces.track import LONGEST_STEP, PATIENCE, Tracker, _pairs
from tests.drawn import draw_face

SIDE = 60
PEOPLE = [draw_face("neutral", np.random.default_rng(seed), SIDE) for seed in (1, 2, 3)]


def scene(*places, background=120):
    """Draws people at some places: the frame and its faces, in the detector's order."""
    image = np.full((240, 400, 3), background, dtype=np.uint8)
    boxes = []
    for person, (x, y) in places:
        image[y : y + SIDE, x : x + SIDE] = PEOPLE[person]
        boxes.append((x, y, x + SIDE, y + SIDE))
    array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    return Faces.within(image, array, np.ones(len(boxes)), 1), image


def ids(tracker, time, *places, background=120):
    faces, image = scene(*places, background=background)
    return tracker.update(faces, image, time).tolist()


def test_people_who_move_keep_their_ids():
    tracker = Tracker()
    for i in range(40):
        assert ids(tracker, i / 25, (0, (10 + 4 * i, 20)), (1, (300 - 3 * i, 150))) == (
            [0, 1] if 10 + 4 * i <= 300 - 3 * i else [1, 0]
        )


def test_two_people_who_pass_each_other_are_not_mixed_up():
    tracker = Tracker()
    last = []
    for i in range(30):
        left, right = 40 + 8 * i, 280 - 8 * i
        hidden = abs(left - right) < SIDE
        places = [(0, (left, 60))] if hidden else [(0, (left, 60)), (1, (right, 60))]
        last = ids(tracker, i / 25, *places)
    assert last[1] == 0
    assert last[0] != 0


def test_somebody_else_in_the_same_place_is_somebody_else():
    tracker = Tracker()
    assert ids(tracker, 0.0, (0, (100, 100))) == [0]
    assert ids(tracker, 0.04, (1, (100, 100))) == [1]


def test_a_new_scene_ends_all_tracks():
    tracker = Tracker()
    assert ids(tracker, 0.0, (0, (100, 100)), background=60) == [0]
    assert ids(tracker, 0.04, (0, (100, 100)), background=70) == [0]
    assert ids(tracker, 0.08, (0, (100, 100)), background=200) == [1]


@pytest.mark.parametrize(("gap", "same"), [(0.8 * PATIENCE, True), (1.2 * PATIENCE, False)])
def test_a_face_out_of_sight_comes_back_within_its_patience(gap, same):
    tracker = Tracker()
    assert ids(tracker, 0.0, (0, (100, 100))) == [0]
    assert ids(tracker, gap / 2) == []
    assert ids(tracker, gap, (0, (102, 100))) == ([0] if same else [1])


@pytest.mark.parametrize("step", [0.6, 1.0, 2.5])
def test_people_keep_their_ids_at_less_than_two_frames_a_second(step):
    tracker = Tracker()
    for i in range(8):
        assert ids(tracker, i * step, (0, (100 + 3 * (i % 3), 100)), (1, (170 - 2 * (i % 2), 104))) == [0, 1]
    assert ids(tracker, 8 * step, (0, (100, 100))) == [0]
    assert ids(tracker, 9 * step, (0, (100, 100)), (1, (170, 104))) == [0, 2], "a frame without is a doubt"
    assert ids(tracker, 9 * step + 1.01 * LONGEST_STEP, (0, (100, 100)), (1, (170, 104))) == [3, 4]


coordinates = st.floats(-50, 450, width=32)


@given(st.lists(st.lists(st.tuples(*[coordinates] * 4), max_size=8), min_size=1, max_size=6))
def test_any_boxes_get_ids_that_differ_within_a_frame_and_count_up(frames):
    tracker = Tracker()
    image = np.random.default_rng(0).integers(0, 256, (240, 400, 3), dtype=np.uint8)
    newest = -1
    for i, boxes in enumerate(frames):
        array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
        faces = Faces.within(image, array, np.ones(len(array)), 0)
        tracks = tracker.update(faces, image, i / 25).tolist()
        assert len(tracks) == len(set(tracks)) == len(faces)
        new = sorted(track for track in tracks if track > newest)
        assert new == list(range(newest + 1, newest + 1 + len(new)))
        newest = max([newest, *tracks])


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 4), st.integers(1, 4)),
        elements=st.one_of(st.just(0.0), st.floats(0.6, 2)),
    )
)
def test_pairs_are_the_assignment_with_the_largest_sum(values):
    pairs = _pairs(values > 0, values)
    assert all(values[pair] > 0 for pair in pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    best = values[linear_sum_assignment(values, maximize=True)].sum()
    assert sum(values[pair] for pair in pairs) == pytest.approx(best)
