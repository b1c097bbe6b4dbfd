"""The whole network: raw pixels in; class probabilities, a point of valence and arousal, or both out."""

from typing import Any, Final

from fercomp.core.params import TrainParams
from fercomp.modeling.backbones.catalogue import build_backbone
from fercomp.modeling.backend.engine import keras

POOL: Final = "pool"
HEAD: Final = "probabilities"
POINT: Final = "valence_arousal"


def build_network(params: TrainParams) -> keras.Model:
    """Builds the network that a stage trains and a bundle carries.

    Preprocessing is a layer of the network, so that nothing outside it can prepare a photo in another
    way.

    Args:
        params: Backbone, its weights, input size, dropout and seed, head and classes.

    Returns:
        A model from `(n, S, S, 3)` uint8 RGB to float32: probabilities `(n, K)`, valence and arousal
        `(n, 2)`, or both `(n, K + 2)` in this order.

    Raises:
        FercompError: The backbone or its weights cannot be had.
    """
    inputs = keras.Input((params.size, params.size, 3), dtype="uint8", name="faces")
    # A cast by a layer of its own: arithmetic on uint8 wraps around without an error.
    x = keras.layers.Rescaling(1.0, name="to_float")(inputs)
    x = build_backbone(params.backbone, params.size, params.weights)(x)
    x = keras.layers.GlobalAveragePooling2D(name=POOL)(x)
    x = keras.layers.Dropout(params.dropout, seed=params.seed, name="dropout")(x)
    heads = []
    if params.head != "valence_arousal":
        classes = len(params.class_names)
        heads.append(keras.layers.Dense(classes, activation="softmax", dtype="float32", name=HEAD))
    if params.head != "emotion":
        # Linear: bounded by tanh, a network that begins far outside the circle never comes back.
        heads.append(keras.layers.Dense(2, dtype="float32", name=POINT))
    return keras.Model(inputs, _side_by_side(heads, x), name=params.backbone)


def head_of(model: keras.Model) -> keras.Model:
    """Returns what comes after pooling as a network of its own that shares the layers of `model`."""
    features = keras.Input(model.get_layer(POOL).output.shape[1:], dtype="float32", name="features")
    heads = [layer for layer in model.layers if layer.name in (HEAD, POINT)]
    outputs = _side_by_side(heads, model.get_layer("dropout")(features))
    return keras.Model(features, outputs, name="head")


def _side_by_side(heads: list[keras.layers.Layer], x: Any) -> Any:
    """Returns the outputs of layers as one, so that loaders, graph and runtime deal with one array."""
    outputs = [head(x) for head in heads]
    return outputs[0] if len(outputs) == 1 else keras.layers.Concatenate(dtype="float32")(outputs)


def set_trainable(model: keras.Model, params: TrainParams, head_only: bool) -> None:
    """Chooses what a phase trains.

    Args:
        model: A network of `build_network`.
        params: What it was built from.
        head_only: Freeze the whole backbone. Otherwise all of it is trained, but for batch normalisation
            that keeps what its weights came with (`TrainParams.batch_norm`).
    """
    for layer in model.get_layer(params.backbone)._flatten_layers(include_self=False):
        keeps = params.batch_norm == "keep" and isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = not head_only and not keeps


def in_float32(model: keras.Model, params: TrainParams) -> keras.Model:
    """Returns a network that computes in float32, which is what a bundle runs on any machine.

    Args:
        model: A network of `build_network`.
        params: What it was built from.

    Returns:
        The same network where it computes in float32 anyway, or a copy with the same weights.
    """
    if keras.config.dtype_policy().name == "float32" and model.get_layer(POOL).compute_dtype == "float32":
        return model
    copy = build_network(params.model_copy(update={"weights": "none"}))
    copy.set_weights(model.get_weights())
    return copy
