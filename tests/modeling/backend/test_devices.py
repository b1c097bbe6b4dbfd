import subprocess
import sys
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from fercomp.modeling.backend.devices import POLICIES, is_out_of_memory, precision
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.ema import EMA
from fercomp.modeling.training.network import build_network, in_float32


def test_what_counts_as_out_of_memory():
    import tensorflow as tf

    assert is_out_of_memory(tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"))
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(np._core._exceptions._ArrayMemoryError((10**15,), np.dtype("f8")))
    assert is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    assert not is_out_of_memory(RuntimeError("shapes differ"))
    assert not is_out_of_memory(ValueError("out of memory"))


@pytest.mark.slow
def test_half_precision_computes_in_half_and_keeps_weights_whole():
    with precision("bfloat16"):
        model = build_network("compact", 32)
    assert keras.config.dtype_policy().name == "float32"
    assert model.get_layer("pool").compute_dtype == "bfloat16"
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.output.dtype == "float32"
    whole = in_float32(model, lambda: build_network("compact", 32))
    assert whole.get_layer("pool").compute_dtype == "float32"
    faces = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    half, full = model.predict_on_batch(faces), whole.predict_on_batch(faces)
    np.testing.assert_allclose(half, full, atol=0.02)
    assert np.abs(half - full).max() > 0
    assert in_float32(whole, lambda: model) is whole


def test_auto_is_float32_without_a_gpu():
    with precision("auto"):
        assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize(
    ("kind", "capabilities", "chosen"),
    [
        ("gpu", ["7.5"], "float32"),
        ("gpu", ["9.0", "8.0"], "bfloat16"),
        ("gpu", ["9.0", "7.5"], "float32"),
        ("gpu", ["gfx90a"], "bfloat16"),
        ("tpu", [None], "bfloat16"),
        ("cpu", [None], "float32"),
    ],
)
def test_auto_on_jax_asks_which_gpus_have_bfloat16(kind, capabilities, chosen, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(jax, "default_backend", lambda: kind)
    found = [SimpleNamespace(compute_capability=said) for said in capabilities]
    monkeypatch.setattr(jax, "devices", lambda: found)
    with precision("auto"):
        assert keras.config.dtype_policy().name == POLICIES[chosen]


def test_the_precision_is_put_back_after_a_failure():
    with pytest.raises(RuntimeError), precision("float16"):
        raise RuntimeError
    assert keras.config.dtype_policy().name == "float32"


def one_weight():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.layers[0].set_weights([np.zeros((1, 1), np.float32)])
    return model


def test_the_running_mean_follows_its_formula_and_is_only_lent():
    model, expected = one_weight(), 0.0
    average = EMA(model, 0.9)
    for step in range(100):
        model.set_weights([np.full((1, 1), float(step))])
        average.on_train_batch_end(step)
        keep = min(0.9, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * step
    with average.in_place():
        np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)
    assert model.get_weights()[0] == 99
    other = EMA(model, 0.9)
    other.restore(average.state())
    with other.in_place():
        np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)


def test_without_a_mean_the_weights_stay():
    model = one_weight()
    average = EMA(model, 0.0)
    average.on_train_batch_end(0)
    with average.in_place():
        assert model.get_weights()[0] == 0
    average.restore(average.state())


TWO_DEVICES = """
import sys
from pathlib import Path
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from fercomp.modeling.backbones import compact
from fercomp.modeling.backend.share import ALONE
from fercomp.modeling.training import fit as training
from fercomp.modeling.training.training_set import training_data
compact.BLOCKS, compact.CHANNELS = 1, {"compact": (16,)}  # as the fixture `shallow`
from fercomp.core.params import TrainParams
from fercomp.core.tables import PHOTOS
from contextlib import contextmanager
strategies = []
@contextmanager
def two():
    strategies.append(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
    with strategies[-1].scope():
        yield ALONE
training.all_devices = two
root = Path(sys.argv[1])
params = TrainParams(size=32, epochs=3, batch_size=16, layer_decay=0.8)
data = training_data(params, PHOTOS.read(root / "datasets/photos.csv"))
fitted = training.fit(params, data, root / "datasets/raw", Path(sys.argv[2]) / "state.npz")
assert strategies[0].num_replicas_in_sync == 2
losses = fitted.history["loss"]
assert losses.iloc[-1] < losses.iloc[0], losses
print("trained on two")
"""


@pytest.mark.slow
def test_training_on_several_devices(tiny_workspace, tmp_path):
    """Two logical CPUs stand for two GPUs."""
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES, str(tiny_workspace.root), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "trained on two" in done.stdout
