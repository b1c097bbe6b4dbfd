import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from fercomp.labels.copies import with_copies

CLASSES = ("happy", "neutral", "sad")


def labelled(*rows):
    table = pd.DataFrame(rows, columns=["duplicate_group", "emotion", "recompressed"])
    return table.astype({"duplicate_group": int, "recompressed": int})


def test_labels_of_copies_count_beside_the_network():
    probabilities = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.2, 0.2]])
    known = labelled((5, "happy", 0), (5, "happy", 0), (5, "sad", 0), (7, "surprise", 0), (8, "sad", 0))
    shares, copied = with_copies(probabilities, np.array([5, 6, 7]), known, CLASSES, 2.0)
    np.testing.assert_allclose(shares[0], [2.4 / 5, 1.0 / 5, 1.6 / 5], rtol=1e-6)
    np.testing.assert_allclose(shares[1:], probabilities[1:], rtol=1e-6)
    assert copied.tolist() == [True, False, False]  # the model does not know surprise
    assert shares.dtype == np.float32


def test_recompressed_copies_and_no_labelled_photos_change_nothing():
    probabilities = np.array([[0.2, 0.5, 0.3]])
    for known in (labelled(), labelled((5, "happy", 1))):
        shares, copied = with_copies(probabilities, np.array([5]), known, CLASSES, 3.0)
        np.testing.assert_allclose(shares, probabilities, rtol=1e-6)
        assert not copied.any()


@given(
    st.lists(st.integers(0, 3), max_size=5),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([*CLASSES, "fear"]), st.booleans()), max_size=8),
    st.floats(min_value=0.1, max_value=100),
)
def test_rows_are_distributions_and_more_votes_make_a_label_likelier(pictures, known, weight):
    probabilities = np.full((len(pictures), 3), 1 / 3)
    shares, copied = with_copies(
        probabilities, np.array(pictures, dtype=int), labelled(*known), CLASSES, weight
    )
    assert shares.shape == (len(pictures), 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    for row, picture, has in zip(shares, pictures, copied, strict=True):
        counts = [sum(pair == (picture, name, False) for pair in known) for name in CLASSES]
        assert has == (sum(counts) > 0)
        assert np.argmax(counts) == np.argmax(row)
