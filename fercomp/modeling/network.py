"""The whole network: raw pixels in, class probabilities out."""

from typing import Final

from fercomp.core.params import TrainParams
from fercomp.modeling.backbones import build_backbone
from fercomp.modeling.backend import keras

POOL: Final = "pool"
HEAD: Final = "probabilities"


def build_network(params: TrainParams, n_classes: int) -> keras.Model:
    """Builds the network that a stage trains and a bundle carries.

    Preprocessing is a layer of the network, so that nothing outside it can prepare a photo in another
    way.

    Args:
        params: Backbone, its weights, input size, dropout and seed.
        n_classes: Number of classes, K.

    Returns:
        A model from `(n, S, S, 3)` uint8 RGB to probabilities `(n, K)` float32.

    Raises:
        FercompError: The backbone or its weights cannot be had.
    """
    inputs = keras.Input((params.size, params.size, 3), dtype="uint8", name="faces")
    # A cast by a layer of its own: arithmetic on uint8 wraps around without an error.
    x = keras.layers.Rescaling(1.0, name="to_float")(inputs)
    x = build_backbone(params.backbone, params.size, params.weights)(x)
    x = keras.layers.GlobalAveragePooling2D(name=POOL)(x)
    x = keras.layers.Dropout(params.dropout, seed=params.seed, name="dropout")(x)
    outputs = keras.layers.Dense(n_classes, activation="softmax", dtype="float32", name=HEAD)(x)
    return keras.Model(inputs, outputs, name=params.backbone)


def set_trainable(model: keras.Model, params: TrainParams, head_only: bool) -> None:
    """Chooses what a phase trains.

    Args:
        model: A network of `build_network`.
        params: What it was built from.
        head_only: Freeze the whole backbone. Otherwise all of it is trained, except that batch
            normalisation keeps what it learned on other photos, ImageNet's: small batches of ours would
            spoil what the weights after it were fitted to. Weights of another experiment (`model.keras`)
            are from our own photos, and their statistics are learned on.
    """
    of_other_photos = params.weights != "none" and not params.weights.endswith(".keras")
    for layer in model.get_layer(params.backbone)._flatten_layers(include_self=False):
        keeps = of_other_photos and isinstance(layer, keras.layers.BatchNormalization)
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
    copy = build_network(params.model_copy(update={"weights": "none"}), model.output_shape[-1])
    copy.set_weights(model.get_weights())
    return copy
