import numpy as np
import pytest

from fercomp.modeling.backend.devices import precision
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.network import HEAD, build_network, layers_with_weights, set_trainable
from fercomp.modeling.training.optimizer import GROUPS, make_optimizer, rate_shares

SIZE = 32
pytestmark = pytest.mark.usefixtures("shallow")
FACES = np.random.default_rng(0).integers(0, 256, (16, SIZE, SIZE, 3), dtype=np.uint8)
TARGETS = np.eye(9, dtype=np.float32)[np.arange(16) % 9]


def network(**changes):
    keras.utils.set_random_seed(0)
    return build_network("compact", SIZE, **changes)


def trained(model, shares, steps=3, accumulate=1, **changes):
    optimizer = make_optimizer(1e-3, model.trainable_variables, 0.5, accumulate, shares)
    model.compile(optimizer, "categorical_crossentropy", **changes)
    for _ in range(steps):
        model.train_on_batch(FACES, TARGETS)
    return [np.array(weight) for weight in model.get_weights()]


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.slow
def test_with_full_shares_it_is_adamw(accumulate):
    one, other = network(), network()
    whole = dict.fromkeys(map(id, other.trainable_variables), 1.0)
    first, second = (trained(model, shares, 4, accumulate) for model, shares in ((one, None), (other, whole)))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(first, network().get_weights(), strict=True))


def test_a_share_makes_steps_and_decay_smaller():
    model = network()
    before = {id(v): np.array(v) for v in model.trainable_variables}
    trained(model, rate_shares(model, 0.5), steps=1)
    shares = rate_shares(model, 0.5)
    for variable in model.trainable_variables:
        step = np.abs(np.array(variable) - before[id(variable)]).max()
        share = shares.get(id(variable), 1.0)
        largest = share * 1e-3 * (1 + 0.5 * np.abs(before[id(variable)]).max())
        assert step <= 1.01 * largest, variable.path
        assert step >= 0.5 * share * 1e-3, variable.path


def test_shares_fall_from_the_head_to_the_input():
    model = network()
    shares, layers = rate_shares(model, 0.5), layers_with_weights(model)
    of_layers = [shares[id(layer.trainable_variables[0])] for layer in layers]
    assert of_layers == sorted(of_layers)
    assert of_layers[-1] == 0.5
    assert of_layers[0] == 0.5 ** (1 + GROUPS * (len(layers) - 1) // len(layers))
    assert len(set(of_layers)) == min(GROUPS, len(layers))
    assert not shares.keys() & set(map(id, model.get_layer(HEAD).variables))
    assert rate_shares(model, 1.0) == {}
    set_trainable(model, head_only=True)
    assert rate_shares(model, 0.5) == {}


@pytest.mark.slow
def test_it_goes_with_a_schedule_and_half_precision():
    with precision("float16"):
        model = network()
    rate = keras.optimizers.schedules.CosineDecay(1e-3, 10)
    optimizer = make_optimizer(rate, model.trainable_variables, 0.1, shares=rate_shares(model, 0.7))
    model.compile(optimizer, "categorical_crossentropy")
    losses = [float(model.train_on_batch(FACES, TARGETS)) for _ in range(3)]
    assert np.isfinite(losses).all()
