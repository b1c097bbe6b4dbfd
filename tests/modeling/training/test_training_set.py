import numpy as np
import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
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
