import numpy as np
import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import RelabelParams
from fercomp.core.tables import LABELS
from fercomp.labels.relabel import relabel

PARAMS = RelabelParams()


def tables(*rows):
    """Index and out-of-fold table of photos: given label, number of the picture, what the network says."""
    photos = pd.DataFrame(
        {
            "image_path": [f"train/{i}.jpg" for i in range(len(rows))],
            "split": ["train", "holdout"] * (len(rows) // 2) + ["train"] * (len(rows) % 2),
            "emotion": [row[0] for row in rows],
            "sha1": [f"{i:040x}" for i in range(len(rows))],
            "duplicate_group": [row[1] for row in rows],
            "recompressed": 0,
        }
    )
    oof = photos[["image_path", "emotion"]].copy()
    for k, emotion in enumerate(EMOTIONS):
        oof[emotion] = [row[2].get(emotion, 0.0) for row in rows]
        assert k >= 0
    return photos, oof


def suggested(*rows, decisions=None):
    photos, oof = tables(*rows)
    by_photo = {(f"train/{i}.jpg", f"{i:040x}"): label for i, label in (decisions or {}).items()}
    return relabel(photos, oof, by_photo, PARAMS)


def test_a_sure_network_outweighs_one_vote_and_an_unsure_one_does_not():
    labels = suggested(
        ("sad", 0, {"happy": 0.9, "sad": 0.1}),
        ("sad", 1, {"happy": 0.6, "sad": 0.4}),
        ("sad", 2, {"sad": 0.8, "happy": 0.2}),
    )
    assert labels["suggested"].tolist() == ["happy", "sad", "sad"]
    assert labels["reason"].tolist() == ["network", "", ""]
    np.testing.assert_allclose(labels["quality"], [1.4 / 5, 2.6 / 5, 4.2 / 5])


def test_contradicting_copies_are_settled_by_vote():
    unsure = {"happy": 0.4, "sad": 0.3, "fear": 0.3}
    labels = suggested(("fear", 3, unsure), ("happy", 3, unsure), ("happy", 3, unsure))
    assert labels["suggested"].tolist() == ["happy"] * 3
    assert labels["reason"].tolist() == ["copies", "", ""]
    assert labels["quality"].iloc[0] < labels["quality"].iloc[1]


def test_recompressed_copies_have_no_vote():
    unsure = {"happy": 0.4, "sad": 0.3, "fear": 0.3}
    photos, oof = tables(("fear", 3, unsure), ("fear", 3, unsure), ("sad", 3, unsure), ("fear", 4, unsure))
    labels = relabel(photos.assign(recompressed=[1, 1, 0, 1]), oof, {}, PARAMS)
    assert labels["suggested"].tolist() == ["sad", "sad", "sad", "happy"]
    assert labels["reason"].tolist() == ["copies", "copies", "", "network"]
    np.testing.assert_allclose(labels["quality"], [1.2 / 5, 1.2 / 5, 2.2 / 5, 0.3])


def test_a_network_without_votes_decides_where_nobody_voted():
    network = {"happy": 0.6, "sad": 0.4}
    photos, oof = tables(("fear", 3, network), ("sad", 4, network))
    labels = relabel(photos.assign(recompressed=[1, 0]), oof, {}, RelabelParams(network_votes=0))
    assert labels["suggested"].tolist() == ["happy", "sad"]
    np.testing.assert_allclose(labels["quality"], [0, 1], atol=1e-5)


def test_a_network_may_be_trusted_less_about_some_photos():
    network = {"happy": 1.0}
    photos, oof = tables(("sad", 0, network), ("sad", 1, network), ("sad", 2, network))
    labels = relabel(photos, oof, {}, PARAMS, np.array([1.0, 0.2, 0.0]))
    assert labels["suggested"].tolist() == ["happy", "sad", "sad"]
    np.testing.assert_allclose(labels["quality"], [1 / 5, 1 / 1.8, 1], atol=1e-5)


def test_a_tie_is_called_one_and_broken_by_the_network():
    network = {"happy": 0.5, "sad": 0.4, "fear": 0.1}
    labels = suggested(("sad", 3, network), ("happy", 3, network))
    assert labels["suggested"].tolist() == ["happy", "happy"]
    assert labels["reason"].tolist() == ["tie", ""]


def test_a_network_that_is_sure_outweighs_copies_that_disagree():
    network = {"surprise": 0.95, "fear": 0.05}
    labels = suggested(("sad", 3, network), ("fear", 3, network), ("sad", 3, network))
    assert labels["suggested"].tolist() == ["surprise"] * 3
    assert labels["reason"].tolist() == ["network"] * 3


def test_a_reviewer_has_the_last_word_and_copies_follow():
    network = {"happy": 1.0}
    labels = suggested(
        ("sad", 0, network),
        ("sad", 1, network),
        ("sad", 2, network),
        ("fear", 2, network),
        decisions={0: "sad", 1: "drop", 2: "disgust"},
    )
    assert labels["suggested"].tolist() == ["sad", "", "disgust", "disgust"]
    assert labels["reason"].tolist() == ["review", "review", "review", "copies"]
    assert labels["quality"].iloc[0] > 0.99
    assert labels["quality"].iloc[2] < 0.01


def test_a_decision_about_other_bytes_does_not_count():
    photos, oof = tables(("sad", 0, {"sad": 1.0}))
    labels = relabel(photos, oof, {("train/0.jpg", "another"): "happy"}, PARAMS)
    assert labels["suggested"].tolist() == ["sad"]


def test_test_photos_are_left_out_and_the_order_of_the_network_does_not_matter(tmp_path):
    photos, oof = tables(("sad", 0, {"happy": 1.0}), ("fear", 1, {"fear": 1.0}), ("anger", 2, {"anger": 1.0}))
    photos.loc[2, ["split", "emotion"]] = "test", ""
    labels = relabel(photos, oof.iloc[::-1], {}, PARAMS)
    assert labels["image_path"].tolist() == ["train/0.jpg", "train/1.jpg"]
    assert labels["suggested"].tolist() == ["happy", "fear"]
    LABELS.write(labels, tmp_path / "labels.csv")
    pd.testing.assert_frame_equal(LABELS.read(tmp_path / "labels.csv"), labels, check_dtype=False, atol=1e-6)


@pytest.mark.parametrize("change", ["missing", "other_label"])
def test_a_table_of_another_index_is_refused(change):
    photos, oof = tables(("sad", 0, {"happy": 1.0}), ("fear", 1, {"fear": 1.0}))
    if change == "missing":
        oof = oof.iloc[1:]
    else:
        oof.loc[0, "emotion"] = "fear"
    with pytest.raises(
        FercompError, match=r"1 of 2 labelled photos.*train/0\.jpg.*run `fercomp crossval` again"
    ):
        relabel(photos, oof, {}, PARAMS)


def test_no_labelled_photo_is_one_line():
    photos, oof = tables(("sad", 0, {"happy": 1.0}))
    with pytest.raises(FercompError, match="no labelled photo"):
        relabel(photos.assign(split="test"), oof, {}, PARAMS)


def test_wrong_labels_are_ranked_worst_and_corrected():
    """Votes of ten people for each picture, one of which is the given label; a network that errs."""
    rng = np.random.default_rng(0)
    n, k = 4000, len(EMOTIONS)
    opinions = rng.dirichlet(np.full(k, 0.12), n) * 0.95 + 0.05 / k
    given = np.array([rng.choice(k, p=p) for p in opinions])
    noise = rng.dirichlet(np.full(k, 0.5), n)
    network = 0.6 * opinions + 0.4 * noise
    groups = rng.permutation(np.repeat(np.arange(n), rng.integers(1, 2, n)))
    photos, oof = tables(*((EMOTIONS[g], group, {}) for g, group in zip(given, groups, strict=True)))
    oof[list(EMOTIONS)] = network
    labels = relabel(photos, oof, {}, PARAMS)
    truth = np.array(EMOTIONS)[opinions.argmax(axis=1)]
    wrong = labels["emotion"].to_numpy() != truth
    worst = labels["quality"].to_numpy().argsort()[: n // 10]
    assert 0.2 < wrong.mean() < 0.5
    assert wrong[worst].mean() > 2 * wrong.mean()
    assert (labels["suggested"].to_numpy() != truth).mean() < 0.75 * wrong.mean()
