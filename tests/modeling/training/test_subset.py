import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.modeling.training.targets import some_photos


def index(seed=0, pictures=400, copies=3):
    """An index of pictures with up to some copies each, whose labels may contradict each other."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(pictures), rng.integers(1, copies + 1, pictures))
    label = rng.choice(9, pictures, p=np.arange(1, 10) / 45)[group]
    label = np.where(rng.random(len(group)) < 0.1, rng.integers(0, 9, len(group)), label)
    split = rng.choice(["train", "holdout", "test"], pictures, p=[0.8, 0.1, 0.1])[group]
    emotion = np.where(split == "test", "", np.array(EMOTIONS)[label])
    table = pd.DataFrame({"duplicate_group": group, "split": split, "emotion": emotion})
    return table.sample(frac=1, random_state=seed)


def train_of(photos):
    return photos[photos["split"] == "train"]


@given(n=st.integers(1, 700), seed=st.integers(0, 5))
def test_at_most_so_many_photos_in_whole_pictures(n, seed):
    photos = index(seed)
    some = some_photos(photos, n, EMOTIONS, seed)
    kept, train = train_of(some), train_of(photos)
    assert min(n, len(train)) - 2 <= len(kept) <= max(n, 3)
    copies = train["duplicate_group"].value_counts()
    assert (
        kept["duplicate_group"].value_counts().to_dict() == copies[kept["duplicate_group"].unique()].to_dict()
    )
    others = photos[photos["split"] != "train"]
    pd.testing.assert_frame_equal(some[some["split"] != "train"], others)
    pd.testing.assert_frame_equal(some, photos[photos.index.isin(some.index)])


def test_each_class_keeps_its_share():
    photos = index(pictures=4000)
    some = train_of(some_photos(photos, 900, EMOTIONS, 0))["emotion"].value_counts(normalize=True)
    whole = train_of(photos)["emotion"].value_counts(normalize=True)
    np.testing.assert_allclose(some[list(EMOTIONS)], whole[list(EMOTIONS)], atol=0.02)


def test_more_photos_are_the_same_and_more_and_the_seed_chooses():
    photos = index()
    few, more = (set(some_photos(photos, n, EMOTIONS, 0).index) for n in (50, 150))
    assert few < more < set(photos.index)
    assert set(some_photos(photos, 50, EMOTIONS, 1).index) != few
    assert some_photos(photos, None, EMOTIONS, 0) is photos


def test_photos_of_no_class_do_not_count():
    photos, eight = index(), [name for name in EMOTIONS if name != "uncertain"]
    some = train_of(some_photos(photos, 100, eight, 0))
    assert "uncertain" not in set(some["emotion"])
    assert 98 <= len(some) <= 100


def test_without_a_photo_it_is_one_line():
    photos = index().query("split != 'train'")
    with pytest.raises(FercompError, match="no photo of split 'train'"):
        some_photos(photos, 5, EMOTIONS, 0)
