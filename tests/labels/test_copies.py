import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from fercomp.labels.copies import with_copies

CLASSES = ("happy", "neutral", "sad")


def labelled(*rows):
    return pd.DataFrame(rows, columns=["sha1", "emotion"])


def test_labels_of_the_same_file_count_beside_the_network():
    probabilities = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.2, 0.2]])
    known = labelled(("a", "happy"), ("a", "happy"), ("a", "sad"), ("c", "surprise"), ("d", "sad"))
    shares, copied = with_copies(probabilities, ["a", "b", "c"], known, CLASSES, 2.0)
    np.testing.assert_allclose(shares[0], [2.4 / 5, 1.0 / 5, 1.6 / 5], rtol=1e-6)
    np.testing.assert_allclose(shares[1:], probabilities[1:], rtol=1e-6)
    assert copied.tolist() == [True, False, False]  # the model does not know surprise
    assert shares.dtype == np.float32


def test_without_labelled_photos_nothing_changes():
    shares, copied = with_copies(np.array([[0.2, 0.5, 0.3]]), ["a"], labelled(), CLASSES, 3.0)
    np.testing.assert_allclose(shares, [[0.2, 0.5, 0.3]], rtol=1e-6)
    assert not copied.any()


@given(
    st.lists(st.sampled_from("abcd"), max_size=5),
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from([*CLASSES, "fear"])), max_size=8),
    st.floats(min_value=0.1, max_value=100),
)
def test_rows_are_distributions_and_more_votes_make_a_label_likelier(files, known, weight):
    probabilities = np.full((len(files), 3), 1 / 3)
    shares, copied = with_copies(probabilities, files, labelled(*known), CLASSES, weight)
    assert shares.shape == (len(files), 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    for row, file, has in zip(shares, files, copied, strict=True):
        counts = [sum(pair == (file, name) for pair in known) for name in CLASSES]
        assert has == (sum(counts) > 0)
        assert np.argmax(counts) == np.argmax(row)
