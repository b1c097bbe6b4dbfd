import numpy as np
import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.modeling.training.targets import learnable_tests
from fercomp.modeling.training.training_set import training_data

PHOTOS = pd.DataFrame(
    {
        "image_path": list("abcdt"),
        "split": ["train", "train", "train", "holdout", "test"],
        "emotion": ["sad", "uncertain", "fear", "happy", ""],
        "sha1": [letter * 40 for letter in "abcdt"],
        "duplicate_group": range(5),
        "recompressed": 0,
        "valence": np.array([0.1, np.nan, np.nan, -0.2, np.nan], np.float32),
        "arousal": np.array([0.3, np.nan, np.nan, 0.4, np.nan], np.float32),
    }
)
PLAIN = {"label_smoothing": 0.0}


def test_photos_are_taught_and_held_out_by_their_split():
    data = training_data(TrainParams(**PLAIN), PHOTOS)
    assert data.train.paths == ("a", "b", "c")
    assert data.train.sha1s == ("a" * 40, "b" * 40, "c" * 40)
    assert data.train.points is None
    assert [EMOTIONS[i] for i in data.train.targets.argmax(axis=1)] == ["sad", "uncertain", "fear"]
    assert data.holdout is not None
    assert (data.holdout.paths, data.holdout.targets.sum()) == (("d",), 1)
    assert training_data(TrainParams(**PLAIN), PHOTOS, holdout=False).holdout is None


def test_eight_classes_have_no_photo_of_the_ninth():
    data = training_data(TrainParams(classes=8, **PLAIN), PHOTOS)
    assert data.train.paths == ("a", "c")
    assert data.train.targets.shape == (2, 8)


def test_points_are_further_columns_and_without_any_there_is_no_network_of_points():
    both = training_data(TrainParams(head="both", **PLAIN), PHOTOS)
    assert both.train.columns.shape == (3, 11)
    np.testing.assert_array_equal(both.train.columns[0, 9:], np.array([0.1, 0.3], np.float32))
    points = training_data(TrainParams(head="valence_arousal", **PLAIN), PHOTOS)
    assert points.train.paths == ("a",)
    assert len(points.train) == 1
    with pytest.raises(FercompError, match=r"no training photo has valence and arousal.*va_targets"):
        training_data(TrainParams(head="valence_arousal"), PHOTOS.assign(valence=np.float32("nan")))


def test_test_photos_come_last_and_are_taught_as_a_teacher_names_them():
    said = np.full((1, 9), 0.05, np.float32) + 0.55 * np.eye(9, dtype=np.float32)[[3]]
    plain, more = (training_data(TrainParams(**PLAIN), PHOTOS, of_tests=tests) for tests in (None, said))
    assert (plain.tests, more.tests) == (0, 1)
    assert more.train.paths == ("a", "b", "c", "t")
    assert more.train.sha1s[-1] == "t" * 40
    np.testing.assert_array_equal(more.train.targets[:3], plain.train.targets)
    np.testing.assert_array_equal(more.train.targets[3:], said)
    assert more.holdout is not None
    assert more.holdout.paths == ("d",)
    smooth = training_data(TrainParams(label_smoothing=0.5), PHOTOS, of_tests=said)
    np.testing.assert_allclose(smooth.train.targets[3:], 0.5 * said + 0.5 / 9, rtol=1e-6)
    other = training_data(TrainParams(**PLAIN), PHOTOS, of_tests=said[:, ::-1])
    assert len({data.fingerprint for data in (plain, more, other)}) == 3
    both = training_data(TrainParams(head="both", **PLAIN), PHOTOS, of_tests=said)
    assert np.isnan(both.train.columns[3, 9:]).all()


def test_a_test_photo_of_which_one_is_held_out_is_not_learned():
    copy = PHOTOS.assign(duplicate_group=[0, 1, 2, 3, 3])
    assert learnable_tests(PHOTOS)["image_path"].tolist() == ["t"]
    assert learnable_tests(copy).empty
    data = training_data(TrainParams(**PLAIN), copy, of_tests=np.zeros((0, 9), np.float32))
    assert data.train.paths == ("a", "b", "c")
    of_train = PHOTOS.assign(duplicate_group=[0, 1, 2, 3, 0])
    assert learnable_tests(of_train)["image_path"].tolist() == ["t"]
