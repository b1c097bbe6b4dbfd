"""The fused operator learns and answers what Keras' composed one does; each backend needs its own process."""

import importlib.util

import pytest

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch, an extra of fercomp, is not installed"
)

TRAIN = """
from contextlib import nullcontext

import numpy as np

from fercomp.core.params import TrainParams
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.network import build_network
from fercomp.modeling.backend.normalisation import fused_batch_normalisation

rng = np.random.default_rng(0)
faces = rng.integers(0, 256, (64, 32, 32, 3), dtype=np.uint8)
targets = np.eye(9, dtype=np.float32)[rng.integers(0, 9, 64)]
answers, statistics, calls = [], [], []
for scope in (nullcontext, fused_batch_normalisation):
    with scope():
        keras.utils.set_random_seed(0)
        model = build_network(TrainParams(size=32, dropout=0.0))
        model.compile(keras.optimizers.SGD(0.01), "categorical_crossentropy")
        calls.append(keras.layers.BatchNormalization.call)
        for _ in range(3):
            model.train_on_batch(faces, targets)
        answers.append(model.predict(faces, verbose=0))
        statistics.append([w.numpy() for w in model.weights if "moving_mean" in w.path])
calls.append(keras.layers.BatchNormalization.call)
np.testing.assert_allclose(answers[1], answers[0], atol=2e-3)
for mean, expected in zip(statistics[1], statistics[0], strict=True):
    np.testing.assert_allclose(mean, expected, atol=1e-3)
assert calls[0] is calls[2], "the layer is left as it was"
print("fused" if calls[1] is not calls[0] else "composed")
"""


@needs_torch
def test_on_pytorch_it_learns_and_answers_the_same(run_on):
    assert run_on("torch", TRAIN).stdout.split()[-1] == "fused"


def test_on_tensorflow_nothing_changes(run_on):
    assert run_on("tensorflow", TRAIN).stdout.split()[-1] == "composed"
