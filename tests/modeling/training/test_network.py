import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.network import (
    POOL,
    build_network,
    frozen_layers,
    head_of,
    layers_with_weights,
    set_trainable,
)

FACES = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)


pytestmark = pytest.mark.usefixtures("shallow")


@pytest.fixture(scope="module")
def nested():
    """A network of `keras.applications`, which is a network inside a network."""
    return build_network("mobilenet_v3_small", 32)


def test_layers_are_in_the_order_in_which_a_photo_goes_through_them(nested):
    for model in (build_network("compact", 32), nested):
        layers = layers_with_weights(model)
        assert len(layers) == len(set(layers))
        weights = {id(weight) for layer in layers for weight in layer.weights}
        assert weights == {id(weight) for weight in model.get_layer(model.name).weights}
    names = [layer.name for layer in layers_with_weights(nested)]
    assert names[0] == "conv"
    assert names[-1].startswith("conv_1")


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 5])
def test_the_last_layers_are_trained_and_the_head(nested, n):
    model = nested
    layers = layers_with_weights(model)
    set_trainable(model, head_only=False, unfreeze=n)
    assert [layer.trainable for layer in layers] == [False] * (len(layers) - n) + [True] * n
    model.compile(keras.optimizers.SGD(1.0), "categorical_crossentropy")
    before = [[np.array(w) for w in layer.weights] for layer in layers]
    head = [np.array(w) for w in model.layers[-1].weights]
    model.train_on_batch(FACES, np.eye(9, dtype=np.float32)[:4])
    changed = [
        any((np.array(w) != old).any() for w, old in zip(layer.weights, olds, strict=True))
        for layer, olds in zip(layers, before, strict=True)
    ]
    assert not any(changed[:-n])
    assert any(changed[-n:])
    assert any((np.array(w) != old).any() for w, old in zip(model.layers[-1].weights, head, strict=True))
    set_trainable(model, head_only=False)
    assert all(layer.trainable for layer in layers)


def test_more_layers_than_there_are_is_one_line_that_says_how_many(nested):
    count = len(layers_with_weights(nested))
    assert frozen_layers(nested, count) == frozen_layers(nested, "all") == []
    with pytest.raises(
        FercompError, match=rf"train\.unfreeze {count + 1}: mobilenet_v3_small has {count} layers"
    ):
        frozen_layers(nested, count + 1)


def test_a_hidden_layer_stands_in_the_network_and_in_its_head():
    model = build_network("compact", 32, hidden=24, dropout=0.5, head="both")
    assert model.get_layer("hidden").output.shape == (None, 24)
    pooled = keras.Model(model.input, model.get_layer(POOL).output)
    head = head_of(model)
    answers = head.predict(pooled.predict(FACES, verbose=0), verbose=0)
    np.testing.assert_allclose(answers, model.predict(FACES, verbose=0), atol=1e-6)
    assert {id(v) for v in head.trainable_variables} <= {id(v) for v in model.trainable_variables}
    assert len(head.trainable_variables) == 6


def test_without_a_hidden_layer_the_network_is_what_it_was():
    names, more = (
        [layer.name for layer in build_network("compact", 32, hidden=hidden).layers] for hidden in (0, 8)
    )
    assert names[-3:] == ["pool", "dropout", "probabilities"]
    assert [name for name in more if not name.startswith("hidden")] == names
    assert more[-3:-1] == ["hidden", "hidden_dropout"]
