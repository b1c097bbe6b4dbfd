"""The whole network: raw pixels in; class probabilities, a point of valence and arousal, or both out."""

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.progress import count
from fercomp.faces.changes import LUMA
from fercomp.modeling.backbones.catalogue import build_backbone
from fercomp.modeling.backend.engine import keras

POOL: Final = "pool"
_BEFORE_HEADS: Final = ("dropout", "hidden", "hidden_dropout")
"""Layers between pooling and the heads, in their order."""

GREY: Final = "grey"
"""Name of the last of the layers of `to_grey`."""

HEAD: Final = "probabilities"
POINT: Final = "valence_arousal"


Head = Literal["emotion", "valence_arousal", "both"]


def build_network(
    backbone: str,
    size: int,
    weights: str = "none",
    *,
    classes: int = len(EMOTIONS),
    head: Head = "emotion",
    dropout: float = 0.0,
    hidden: int = 0,
    seed: int = 0,
    grey: bool = False,
) -> keras.Model:
    """Builds the network that a stage trains and a bundle carries.

    Preprocessing is a layer of the network, so that nothing outside it can prepare a photo in another
    way.

    Args:
        backbone: Its name (`TrainParams.backbone`).
        size: Side of the input in pixels, S.
        weights: Where the backbone starts from (`TrainParams.weights`).
        classes: Number of classes, K.
        head: What it gives (`TrainParams.head`).
        dropout: Share of pooled features dropped before the head, and of a hidden layer.
        hidden: Units of a hidden layer (ReLU) in the head; 0 for none.
        seed: Seed of what is dropped.
        grey: Whether it turns what it is given into grey first.

    Returns:
        A model of the backbone's name, from `(n, S, S, 3)` uint8 RGB to float32: probabilities `(n, K)`,
        valence and arousal `(n, 2)`, or both `(n, K + 2)` in this order.

    Raises:
        FercompError: The backbone or its weights cannot be had.
    """
    inputs = keras.Input((size, size, 3), dtype="uint8", name="faces")
    # A cast by a layer of its own: arithmetic on uint8 wraps around without an error.
    x = keras.layers.Rescaling(1.0, name="to_float")(inputs)
    if grey:
        x = to_grey(x)
    x = build_backbone(backbone, size, weights)(x)
    x = keras.layers.GlobalAveragePooling2D(name=POOL)(x)
    x = keras.layers.Dropout(dropout, seed=seed, name="dropout")(x)
    if hidden:
        x = keras.layers.Dense(hidden, activation="relu", dtype="float32", name="hidden")(x)
        x = keras.layers.Dropout(dropout, seed=seed + 1, name="hidden_dropout")(x)
    heads = []
    if head != "valence_arousal":
        heads.append(keras.layers.Dense(classes, activation="softmax", dtype="float32", name=HEAD))
    if head != "emotion":
        # Linear: bounded by tanh, a network that begins far outside the circle never comes back.
        heads.append(keras.layers.Dense(2, dtype="float32", name=POINT))
    return keras.Model(inputs, _side_by_side(heads, x), name=backbone)


def to_grey(x: Any) -> Any:
    """Turns RGB `(n, S, S, 3)` float32 into grey, three times the same, which every backbone can take.

    To networks that learn from grey photos, colours mean nothing, and would mislead them. Layers of Keras'
    own do it that have no weights, so that whoever uses the network, graph or Keras file, hands over the same
    `uint8` RGB as to any other.
    """
    # In float32, since a sum of three products does not fit into the eight bits of bfloat16. Not by a
    # convolution: it has weights, which nobody may train, and which a graph of 8 bits would round.
    parts = keras.layers.Rescaling(LUMA, dtype="float32", name="luma")(x)
    light = keras.ops.sum(parts, axis=-1, keepdims=True)
    return keras.layers.Concatenate(dtype="float32", name=GREY)([light] * 3)


def head_of(model: keras.Model) -> keras.Model:
    """Returns what comes after pooling as a network of its own that shares the layers of `model`."""
    features = keras.Input(model.get_layer(POOL).output.shape[1:], dtype="float32", name="features")
    heads = [layer for layer in model.layers if layer.name in (HEAD, POINT)]
    x, there = features, {layer.name: layer for layer in model.layers}
    for name in _BEFORE_HEADS:
        x = there[name](x) if name in there else x
    return keras.Model(features, _side_by_side(heads, x), name="head")


def _side_by_side(heads: list[keras.layers.Layer], x: Any) -> Any:
    """Returns the outputs of layers as one, so that loaders, graph and runtime deal with one array."""
    outputs = [head(x) for head in heads]
    return outputs[0] if len(outputs) == 1 else keras.layers.Concatenate(dtype="float32")(outputs)


def layers_with_weights(model: keras.Model) -> list[keras.layers.Layer]:
    """Returns the layers of the backbone that have weights of their own, from its input to its output."""

    def inside(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
        if layer._trainable_variables or layer._non_trainable_variables:
            yield layer
        # Keras' own list of a network's layers is not in the order in which a photo goes through them.
        for part in layer.layers if isinstance(layer, keras.Model) else layer._layers:
            yield from inside(part)

    return list(dict.fromkeys(inside(model.get_layer(model.name))))


def frozen_layers(model: keras.Model, unfreeze: int | Literal["all"]) -> list[keras.layers.Layer]:
    """Returns the layers of the backbone that fine-tuning leaves alone: all but the last with weights.

    Args:
        model: A network of `build_network`.
        unfreeze: How many layers are trained (`TrainParams.unfreeze`).

    Raises:
        FercompError: There are not so many.
    """
    layers = layers_with_weights(model)
    if unfreeze == "all":
        return []
    if unfreeze > len(layers):
        raise FercompError(
            f"train.unfreeze {unfreeze}: {model.name} has {count(len(layers), 'layer')} with weights; set it "
            "to no more, or to all"
        )
    return layers[: len(layers) - unfreeze]


def set_trainable(
    model: keras.Model,
    *,
    head_only: bool,
    keep_batch_norm: bool = False,
    unfreeze: int | Literal["all"] = "all",
) -> None:
    """Chooses what a phase trains.

    Args:
        model: A network of `build_network`.
        head_only: Freeze the whole backbone. Otherwise it is trained.
        keep_batch_norm: But for batch normalisation, which keeps what its weights came with.
        unfreeze: And but for all layers before the last so many with weights.

    Raises:
        FercompError: See `frozen_layers`.
    """
    frozen = set(frozen_layers(model, unfreeze))
    for layer in model.get_layer(model.name)._flatten_layers(include_self=False):
        keeps = keep_batch_norm and isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = not head_only and not keeps and layer not in frozen


def in_float32(model: keras.Model, build: Callable[[], keras.Model]) -> keras.Model:
    """Returns a network that computes in float32, which is what a bundle runs on any machine.

    Args:
        model: A network of `build_network`.
        build: Builds such a network; with which weights does not matter.

    Returns:
        The same network where it computes in float32 anyway, or a copy with the same weights.
    """
    if keras.config.dtype_policy().name == "float32" and model.get_layer(POOL).compute_dtype == "float32":
        return model
    copy = build()
    copy.set_weights(model.get_weights())
    return copy
