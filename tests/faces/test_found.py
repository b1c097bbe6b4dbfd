"""What is known of the faces of a picture stays together, in the shapes that are documented."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.errors import FercompError
from fercomp.faces.found import LANDMARKS, Faces

CLASSES = ("anger", "happy", "sad")


def faces_of(n, seed=0):
    """n faces of which everything is known."""
    rng = np.random.default_rng(seed)

    def numbers(*shape):
        return rng.uniform(0, 1, shape).astype(np.float32)

    return Faces(
        boxes=numbers(n, 4),
        scores=numbers(n),
        landmarks=numbers(n, 5, 2),
        tracks=np.arange(n) + 100,
        classes=CLASSES,
        pred_probs=numbers(n, 3),
        raw=numbers(n, 3),
        emotions=tuple(rng.choice(CLASSES, n).tolist()),
        confidences=numbers(n),
        valence_arousal=numbers(n, 2),
    )


def only_found(n):
    return Faces(np.zeros((n, 4), np.float32), np.ones(n, np.float32))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("boxes", np.zeros((2, 5), np.float32)),
        ("boxes", np.zeros((2, 4))),
        ("scores", np.zeros(3, np.float32)),
        ("scores", np.zeros((2, 1), np.float32)),
        ("scores", np.zeros(2)),
        ("landmarks", np.zeros((2, 10), np.float32)),
        ("landmarks", np.zeros((2, 5, 2))),
        ("tracks", np.zeros(2, np.int32)),
        ("pred_probs", np.zeros((2, 4), np.float32)),
        ("pred_probs", np.zeros((2, 3))),
        ("raw", np.zeros((1, 3), np.float32)),
        ("classes", ("happy", "sad")),
        ("emotions", ("happy",)),
        ("confidences", np.zeros((2, 1), np.float32)),
        ("valence_arousal", np.zeros((2, 3), np.float32)),
    ],
)
def test_arrays_of_another_kind_are_refused(name, value):
    with pytest.raises(ValueError, match="expected"):
        replace(faces_of(2), **{name: value})


def test_the_message_says_what_was_expected_and_what_came():
    with pytest.raises(ValueError, match=r"expected landmarks \(2, 5, 2\) float32, got \(2, 10\) float64"):
        replace(faces_of(2), landmarks=np.zeros((2, 10)))


@given(n=st.integers(0, 6), data=st.data())
def test_whatever_is_chosen_stays_together(n, data):
    faces = faces_of(n)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    start, stop = data.draw(st.tuples(st.integers(-8, 8), st.integers(-8, 8)))
    for chosen in (mask, slice(start, stop), slice(None, None, -1), np.flatnonzero(mask)):
        some = faces[chosen]
        places = np.arange(n)[chosen]
        assert len(some) == len(places)
        assert some.classes == CLASSES
        assert some.emotions == tuple(faces.emotions[i] for i in places)
        arrays = (
            "boxes", "scores", "landmarks", "tracks", "pred_probs", "raw", "confidences", "valence_arousal"
        )  # fmt: skip
        for name in arrays:
            np.testing.assert_array_equal(getattr(some, name), getattr(faces, name)[places])


def test_what_is_not_known_is_not_known_of_some_either():
    some = only_found(4)[[1, 3]]
    assert len(some) == 2
    assert some.landmarks is some.tracks is some.pred_probs is some.emotions is None


def test_each_is_given_one_by_one():
    faces = faces_of(3)
    assert [face.emotions for face in faces] == [(emotion,) for emotion in faces.emotions]
    assert faces[-1].tracks.tolist() == [102]
    with pytest.raises(IndexError):
        faces[3]


def test_a_table_has_a_row_for_each_face_and_all_that_is_known():
    faces = faces_of(2)
    table = faces.to_frame()
    points = [f"{name}_{axis}" for name in LANDMARKS for axis in "xy"]
    raw = [f"raw_{name}" for name in CLASSES]
    first = ["x1", "y1", "x2", "y2", "score", "track", "emotion", "confidence"]
    assert list(table.columns) == [*first, *CLASSES, "valence", "arousal", *raw, *points]
    np.testing.assert_array_equal(table[["x1", "y1", "x2", "y2"]], faces.boxes)
    np.testing.assert_array_equal(table["score"], faces.scores)
    np.testing.assert_array_equal(table[list(CLASSES)], faces.pred_probs)
    np.testing.assert_array_equal(table[raw], faces.raw)
    np.testing.assert_array_equal(table[["valence", "arousal"]], faces.valence_arousal)
    np.testing.assert_array_equal(table[["left_eye_x", "left_eye_y"]], faces.landmarks[:, 1])
    assert table["emotion"].tolist() == list(faces.emotions)
    assert table["track"].tolist() == [100, 101]


@pytest.mark.parametrize("n", [0, 1])
def test_tables_of_few_faces_can_be_put_together(n):
    table = pd.concat([faces_of(n).to_frame(), faces_of(3).to_frame()], ignore_index=True)
    assert len(table) == n + 3
    assert not table.isna().any(axis=None)
    assert list(only_found(n).to_frame().columns) == ["x1", "y1", "x2", "y2", "score"]
    assert len(only_found(n).to_frame()) == n


def test_a_class_may_not_be_called_as_a_column():
    faces = replace(only_found(1), classes=("score", "sad"), pred_probs=np.ones((1, 2), np.float32))
    with pytest.raises(FercompError, match=r"classes \['score'\] are names of columns"):
        faces.to_frame()
