from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fercomp.annotate.recognise.smoothing import HOLD, MEMORY, Smoother
from fercomp.decisions.rule import Rule
from fercomp.faces.found import Faces
from fercomp.faces.track import LONGEST_STEP, PATIENCE
from fercomp.modeling.bundle.model import Answer

CLASSES = ("anger", "happy", "sad")
HAPPY, SAD = np.array([0.1, 0.6, 0.3], np.float32), np.array([0.1, 0.3, 0.6], np.float32)
CLEARLY_SAD = np.array([0.0, 0.0, 1.0], np.float32)


def decided(smoother, tracks, rows, time):
    """Hands the faces of some tracks to a smoother, with what was said of each in this frame."""
    n = len(tracks)
    faces = Faces(
        np.zeros((n, 4), np.float32), np.ones(n, np.float32), tracks=np.array(tracks, dtype=np.int64)
    )
    return smoother.update(faces, Answer(np.array(rows, dtype=np.float32), None), time)


def labels_of(rows, rate=25, threshold=None):
    smoother = Smoother(Rule(CLASSES, threshold))
    return [decided(smoother, [0], [row], i / rate).emotions[0] for i, row in enumerate(rows)]


def test_the_first_frame_is_decided_by_itself():
    decisions = decided(Smoother(Rule(CLASSES)), [4], HAPPY[None], 0.0)
    assert decisions.emotions == ("happy",)
    np.testing.assert_array_equal(decisions.pred_probs, HAPPY[None])
    assert decisions.confidences[0] == HAPPY.max()


def test_probabilities_follow_with_the_documented_memory():
    smoother = Smoother(Rule(CLASSES))
    decided(smoother, [0], HAPPY[None], 0.0)
    smoothed = decided(smoother, [0], SAD[None], MEMORY).pred_probs[0]
    np.testing.assert_allclose(smoothed, SAD + (HAPPY - SAD) / np.e, atol=1e-6)


def test_the_memory_is_in_seconds_whatever_the_rate():
    ends = []
    for rate in (10, 60):
        smoother = Smoother(Rule(CLASSES))
        for i in range(rate + 1):
            row = HAPPY if i == 0 else SAD
            last = decided(smoother, [0], row[None], i / rate).pred_probs[0]
        ends.append(last)
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-5)


def test_labels_do_not_flicker():
    rng = np.random.default_rng(0)
    rows = [np.roll((0.36, 0.33, 0.31), k) for k in rng.integers(0, 2, 250)]
    raw = [CLASSES[int(np.argmax(row))] for row in rows]
    changes = [sum(a != b for a, b in pairwise(x)) for x in (raw, labels_of(rows))]
    assert changes[0] > 100
    assert changes[1] < changes[0] / 10


def test_a_clear_change_is_shown_soon_and_a_faint_one_when_it_has_held():
    clear = labels_of([HAPPY] * 10 + [CLEARLY_SAD] * 25)
    faint = labels_of([HAPPY] * 10 + [SAD] * 50)
    assert clear[10] == faint[10] == "happy"
    assert clear[-1] == faint[-1] == "sad"
    assert clear.index("sad") < faint.index("sad")
    assert (faint.index("sad") - 10) / 25 >= HOLD


def test_two_people_are_never_mixed():
    together, alone = Smoother(Rule(CLASSES)), Smoother(Rule(CLASSES))
    for i in range(20):
        order = [0, 1] if i % 2 else [1, 0]
        rows = np.array([HAPPY if track == 0 else CLEARLY_SAD for track in order])
        both = decided(together, order, rows, i / 25)
        single = decided(alone, [0], HAPPY[None], i / 25)
        np.testing.assert_allclose(both.pred_probs[order.index(0)], single.pred_probs[0])
        np.testing.assert_allclose(both.pred_probs[order.index(1)], CLEARLY_SAD)


def test_a_frame_without_classification_keeps_what_was_said():
    smoother = Smoother(Rule(CLASSES))
    before = decided(smoother, [0], HAPPY[None], 0.0)
    for i in range(1, 60):  # far longer than a track may be out of sight
        after = decided(smoother, [0], [[np.nan] * 3], i * PATIENCE / 10)
        np.testing.assert_array_equal(after.pred_probs, before.pred_probs)
        assert after.emotions == ("happy",)


def test_who_is_gone_is_forgotten():
    smoother = Smoother(Rule(CLASSES))
    for i in range(1000):
        decided(smoother, [i], HAPPY[None], i / 25)
    assert len(smoother._states) <= 25 * LONGEST_STEP + 1


def test_below_the_threshold_it_is_uncertain():
    flat = np.array([0.34, 0.33, 0.33], np.float32)
    decisions = decided(Smoother(Rule(CLASSES, 0.5)), [0], flat[None], 0.0)
    assert decisions.emotions == ("uncertain",)
    assert decisions.confidences[0] == pytest.approx(0.34)
    assert labels_of([flat] * 5 + [HAPPY] * 40, threshold=0.4)[-1] == "happy"


@given(hnp.arrays(np.float32, (12, 3), elements=st.floats(0.125, 1, width=32)), st.none() | st.floats(0, 1))
def test_probabilities_stay_probabilities(rows, threshold):
    rows = rows / rows.sum(axis=1, keepdims=True)
    smoother = Smoother(Rule(CLASSES, threshold))
    for i, row in enumerate(rows):
        decisions = decided(smoother, [0], row[None], i / 25)
        np.testing.assert_allclose(decisions.pred_probs.sum(), 1, atol=1e-5)
        assert (decisions.pred_probs >= 0).all()
        assert decisions.emotions[0] in (*CLASSES, "uncertain")
