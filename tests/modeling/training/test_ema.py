import importlib.util

import pytest

TRAIN = """
import numpy as np
from fercomp.modeling.training.ema import EMA, copies
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.engine import make_deterministic
from fercomp.modeling.backend.engine import synchronised

make_deterministic(0)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.BatchNormalization()])
model.compile(keras.optimizers.Adam(0.1), "mse")
average = EMA(model, momentum=0.5)
expected, steps = copies(model.weights), []


class ByHand(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        synchronised(self.model)
        keep = min(0.5, (1 + len(steps)) / (10 + len(steps)))
        steps.append(batch)
        expected[:] = [keep * old + (1 - keep) * new for old, new in zip(expected, copies(model.weights))]


rng = np.random.default_rng(0)
x, y = rng.normal(size=(96, 4)), rng.normal(size=(96, 8))
for _ in range(2):
    model.fit(x, y, batch_size=32, verbose=0, callbacks=[average, ByHand()])
    raw = copies(model.weights)
    with average.in_place():
        model.predict(x, verbose=0)
        for weight, mean in zip(copies(model.weights), expected, strict=True):
            np.testing.assert_allclose(weight, mean, atol=1e-6)
    assert all(np.array_equal(a, b) for a, b in zip(copies(model.weights), raw, strict=True))
    assert not np.allclose(raw[0], expected[0], atol=1e-3)
print(len(steps), keras.backend.backend())
"""


needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch, an extra of fercomp, is not installed"
)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", pytest.param("torch", marks=needs_torch)])
def test_the_mean_is_the_one_that_numpy_computes(backend, run_on):
    done = run_on(backend, TRAIN)
    assert done.stdout.split() == ["6", backend]
    assert done.stderr == "", "nothing is reported of a library's inner life"
