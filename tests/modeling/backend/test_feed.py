"""`fit` and `predict` read batches as they are, and wait for nothing else."""

import numpy as np
import pytest

from fercomp.modeling.backend import feed
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.feed import fed


class Counted(keras.utils.PyDataset):
    """Seven rows in batches of three; counts how often each batch is made."""

    def __init__(self, *columns):
        super().__init__()
        self.columns, self.made = columns, []

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.made.append(index)
        return tuple(column[3 * index : 3 * index + 3] for column in self.columns)


FACES = np.arange(7 * 4 * 4 * 3, dtype=np.uint8).reshape(7, 4, 4, 3)
TARGETS = np.arange(14, dtype=np.float32).reshape(7, 2)


@pytest.mark.parametrize("columns", [(FACES, TARGETS), (FACES,)])
def test_batches_keep_their_order_their_sizes_and_their_types(columns):
    batches = Counted(*columns)
    given = list(fed(batches).as_numpy_iterator())
    assert [len(batch[0]) for batch in given] == [3, 3, 1]
    for column, parts in zip(columns, zip(*given, strict=True), strict=True):
        assert parts[0].dtype == column.dtype
        np.testing.assert_array_equal(np.concatenate(parts), column)


def test_each_batch_is_made_once_for_fit_and_once_for_predict():
    batches = Counted(TARGETS, TARGETS)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", "mean_squared_error")
    model.fit(fed(batches), verbose=0, shuffle=False)
    assert batches.made == [0, 1, 2]
    answers = model.predict(fed(batches), verbose=0)
    np.testing.assert_allclose(answers, model.predict_on_batch(TARGETS), rtol=1e-5)
    assert batches.made == [0, 1, 2, 0, 1, 2]


def test_tensorflow_tunes_nothing_whose_pauses_an_epoch_would_wait_for():
    assert fed(Counted(FACES)).options().autotune.enabled is False


def test_other_backends_read_the_batches_themselves(monkeypatch):
    monkeypatch.setattr(feed.keras.backend, "backend", lambda: "jax")
    batches = Counted(FACES)
    assert fed(batches) is batches
    assert batches.made == []
