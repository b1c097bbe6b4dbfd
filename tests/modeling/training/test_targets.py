import numpy as np
import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS, class_names
from fercomp.core.errors import FercompError
from fercomp.modeling.training.targets import one_hot, photos_of, training_targets, with_labels
from fercomp.modeling.training.training_set import data_fingerprint


@pytest.fixture
def photos():
    return pd.DataFrame(
        {
            "image_path": ["a", "b", "c", "d", "t"],
            "split": ["train", "train", "train", "holdout", "test"],
            "emotion": ["sad", "sad", "fear", "sad", ""],
            "sha1": list("abcdt"),
            "duplicate_group": [0, 1, 1, 2, 3],
            "recompressed": 0,
        }
    )


@pytest.fixture
def labels():
    table = pd.DataFrame(
        {
            "image_path": ["d", "c", "b", "a"],
            "emotion": ["sad", "fear", "sad", "sad"],
            "suggested": ["happy", "fear", "", "happy"],
            "quality": [0.1, 0.9, 0.3, 0.25],
            "reason": ["network", "", "review", "network"],
            **dict.fromkeys(EMOTIONS, 0.0),
        }
    )
    table["happy"], table["sad"], table["fear"] = (
        [0.9, 0.0, 0.0, 0.65],
        [0.1, 0.1, 0.3, 0.25],
        [0.0, 0.9, 0.0, 0.1],
    )
    return table


def test_suggested_labels_are_taught_and_dropped_photos_are_not(photos, labels):
    joined = with_labels(photos, labels, "relabelled")
    assert joined["image_path"].tolist() == ["a", "c", "d", "t"]
    train = joined[joined["split"] == "train"]
    np.testing.assert_array_equal(
        training_targets(train, EMOTIONS, share_copies=True), one_hot(["happy", "fear"], EMOTIONS)
    )
    assert joined["emotion"].tolist() == ["sad", "fear", "sad", ""]


def test_weighted_labels_are_taught_by_the_share_of_people_who_would_give_them(photos, labels):
    train = with_labels(photos, labels, "weighted").iloc[:2]
    assert train["image_path"].tolist() == ["a", "c"]
    names = ["happy", "sad", "fear"]
    expected = [[0.65, 0.25, 0.1], [0, 0.1, 0.9]] @ one_hot(names, EMOTIONS)
    np.testing.assert_allclose(training_targets(train, EMOTIONS, share_copies=True), expected, rtol=1e-6)


def test_eight_classes_leave_out_what_is_taught_as_uncertain(photos, labels):
    names = class_names(8)
    labels = labels.replace({"suggested": {"": "uncertain"}})  # of photo b
    labels["uncertain"] = [0.0, 0.0, 0.7, 0.0]
    joined = with_labels(photos, labels, "relabelled")
    train = photos_of(joined, "train", names)
    assert train["image_path"].tolist() == ["a", "c"]
    np.testing.assert_array_equal(
        training_targets(train, names, share_copies=True), one_hot(["happy", "fear"], names)
    )
    assert photos_of(with_labels(photos, labels, "weighted"), "train", names)["image_path"].tolist() == [
        "a",
        "c",
    ]
    labels["uncertain"], labels["sad"] = [0.0, 0.0, 0.4, 0.0], [0.1, 0.1, 0.6, 0.25]
    weighted = photos_of(with_labels(photos, labels, "weighted"), "train", names)
    assert weighted["image_path"].tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(training_targets(weighted, names)[1], one_hot(["sad"], names)[0], atol=1e-6)
    unsure = photos.replace({"emotion": {"fear": "uncertain"}})
    assert photos_of(unsure, "train", names)["image_path"].tolist() == ["a", "b"]


def test_the_holdout_keeps_its_given_labels(photos, labels):
    for how in ("relabelled", "weighted"):
        joined = with_labels(photos, labels, how)
        holdout = joined[joined["split"] == "holdout"]
        np.testing.assert_array_equal(
            training_targets(holdout, EMOTIONS, share_copies=True), one_hot(["sad"], EMOTIONS)
        )


@pytest.mark.parametrize("change", ["missing", "other_label"])
def test_labels_of_another_index_are_refused(photos, labels, change):
    labels = labels.iloc[:-1] if change == "missing" else labels.replace({"emotion": {"fear": "anger"}})
    with pytest.raises(FercompError, match=r"1 of 3 training photos.*run `fercomp relabel` again"):
        with_labels(photos, labels, "relabelled")


def test_the_fingerprint_follows_what_is_taught_and_nothing_else(photos, labels):
    def prints(**changes):
        changed = labels.assign(**changes)
        return [data_fingerprint(with_labels(photos, changed, how)) for how in ("relabelled", "weighted")]

    given = data_fingerprint(photos)
    assert len({given, *prints()}) == 3
    other_shares = prints(sad=[0.1, 0.1, 0.3, 0.5])
    assert other_shares[0] == prints()[0]
    assert other_shares[1] != prints()[1]
    assert prints(suggested=["happy", "fear", "", "anger"])[0] != prints()[0]
    other_holdout = prints(suggested=["sad", "fear", "", "happy"], sad=[0.8, 0.1, 0.3, 0.25])
    assert other_holdout == prints()
