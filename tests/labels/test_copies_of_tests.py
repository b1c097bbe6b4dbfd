import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from fercomp.labels.copies_of_tests import with_copies

CLASSES = ("happy", "neutral", "sad")


def photos(*rows):
    """Writes an index: the picture of each photo, and which file of that picture it is."""
    table = pd.DataFrame(rows, columns=["duplicate_group", "file"]).astype({"duplicate_group": int})
    return table.assign(sha1=[f"{picture}-{file}" for picture, file in rows])


def labelled(*rows):
    """The same with the label of each photo, and whether it is a recompressed copy."""
    labels = pd.DataFrame([row[2:] for row in rows], columns=["emotion", "recompressed"])
    return pd.concat([photos(*(row[:2] for row in rows)), labels.astype({"recompressed": int})], axis=1)


def test_labels_of_copies_count_beside_the_network():
    probabilities = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.2, 0.2]])
    known = labelled(
        (5, "a", "happy", 0),
        (5, "a", "happy", 0),
        (5, "a", "sad", 0),
        (7, "a", "surprise", 0),
        (8, "a", "sad", 0),
    )
    asked = photos((5, "a"), (6, "a"), (7, "a"))
    shares, copied = with_copies(probabilities, asked, known, CLASSES, 2.0, 0.25)
    np.testing.assert_allclose(shares[0], [2.4 / 5, 1.0 / 5, 1.6 / 5], rtol=1e-6)
    np.testing.assert_allclose(shares[1:], probabilities[1:], rtol=1e-6)
    assert copied.tolist() == [True, False, False]  # the model does not know surprise
    assert shares.dtype == np.float32


def test_the_label_of_another_file_of_the_picture_counts_less():
    probabilities = np.array([[0.2, 0.5, 0.3]])
    known = labelled((5, "a", "sad", 0), (5, "b", "happy", 0), (5, "c", "happy", 0))
    shares, copied = with_copies(probabilities, photos((5, "a")), known, CLASSES, 2.0, 0.25)
    np.testing.assert_allclose(shares[0], [0.9 / 3.5, 1.0 / 3.5, 1.6 / 3.5], rtol=1e-6)
    assert copied.all()
    shares, copied = with_copies(probabilities, photos((5, "d")), known, CLASSES, 2.0, 0.0)
    np.testing.assert_allclose(shares, probabilities, rtol=1e-6)
    assert not copied.any()


def test_recompressed_copies_and_no_labelled_photos_change_nothing():
    probabilities = np.array([[0.2, 0.5, 0.3]])
    for known in (labelled(), labelled((5, "a", "happy", 1))):
        shares, copied = with_copies(probabilities, photos((5, "a")), known, CLASSES, 3.0, 1.0)
        np.testing.assert_allclose(shares, probabilities, rtol=1e-6)
        assert not copied.any()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab")), max_size=5),
    st.lists(
        st.tuples(
            st.integers(0, 3), st.sampled_from("ab"), st.sampled_from([*CLASSES, "fear"]), st.booleans()
        ),
        max_size=8,
    ),
    st.floats(min_value=0.1, max_value=100),
    st.floats(min_value=0.0, max_value=1.0),
)
def test_rows_are_distributions_and_more_votes_make_a_label_likelier(asked, known, weight, share):
    probabilities = np.full((len(asked), 3), 1 / 3)
    shares, copied = with_copies(probabilities, photos(*asked), labelled(*known), CLASSES, weight, share)
    assert shares.shape == (len(asked), 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    for row, (picture, file), has in zip(shares, asked, copied, strict=True):
        counts = [
            sum(
                (1 if there == file else share)
                for other, there, label, later in known
                if (other, label, later) == (picture, name, False)
            )
            for name in CLASSES
        ]
        assert has == (sum(counts) > 0)
        assert row[np.argmax(counts)] == row.max()
