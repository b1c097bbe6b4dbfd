"""Networks of KerasHub's, by the names of its presets, as backbones.

`./run hub` sets up an environment that has it.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from fercomp.core.errors import FercompError, in_brief
from fercomp.modeling.backbones.hub_files import (
    CONFIG,
    CONVERTER,
    HUB_WEIGHTS,
    preset_json,
    preset_source,
    told_what_lacks,
)
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.hub import import_hub

_VISION: Final = "vision_encoder"
"""The half that looks at pictures, of networks that have learned from pictures and texts."""

_MASK: Final = "mask_token"
"""A weight that stands for hidden patches in pre-training, and has no gradient afterwards."""


def build_hub(name: str, size: int, pretrained: bool) -> keras.Model:
    """Builds a network of KerasHub's.

    Its features are what it has learned to say of a whole picture: the pooled vector (SigLIP), the class
    token beside the mean of all patches (other transformers), or the last feature map (convolutions).

    Args:
        name: Name of the preset.
        size: Side of the input in pixels, S. Learned positions of patches are interpolated where the preset
            is for another size, as Dosovitskiy et al. (2021) do for larger pictures.
        pretrained: Give it the weights of the preset, not random ones.

    Returns:
        A model from `(n, S, S, 3)` float32 RGB in 0 to 255 to features `(n, h, w, C)` float32.

    Raises:
        FercompError: KerasHub is not installed, files of the preset cannot be had, or the size does not suit
            the network.
    """
    keras_hub = import_hub(name)
    config = preset_json(name, CONFIG)
    converter = keras.saving.deserialize_keras_object(preset_json(name, CONVERTER))
    try:
        network = _of_size(config["config"].get(_VISION, config), size)
        features = _model(name, network, size, converter.scale, converter.offset)
    except ValueError as error:
        raise FercompError(f"{name} cannot be built for {size} pixels: {in_brief(error)}") from error
    if pretrained:
        with told_what_lacks(name, HUB_WEIGHTS):
            source = keras_hub.models.Backbone.from_preset(preset_source(name))
        _copy_weights(getattr(source, _VISION, source), network)
    return features


def _of_size(config: Mapping[str, Any], size: int) -> keras.Model:
    """Builds a network from its configuration for another size, in the precision of now."""
    shape = (size, size, 3)
    # Where positions were interpolated from another size, as DINOv2 does, a saved network would lose what
    # they have learned since: it keeps those of the other size.
    changes = {
        "image_shape": shape,
        "position_embedding_shape": shape,
        "use_mask_token": False,
        "dtype": None,
    }
    kept = {key: changes.get(key, value) for key, value in config["config"].items()}
    network: keras.Model = keras.saving.get_registered_object(config["registered_name"]).from_config(kept)
    return network


def _model(name: str, network: keras.Model, size: int, scale: Any, offset: Any) -> keras.Model:
    inputs = keras.Input((size, size, 3), dtype="float32", name="rgb")
    x = keras.layers.Rescaling(_numbers(scale, 1.0), offset=_numbers(offset, 0.0), name="rescaling")(inputs)
    x = network(dict.fromkeys(network.input, x) if isinstance(network.input, dict) else x)
    if isinstance(x, dict):  # feature maps of all stages, of which HGNetV2's last is the deepest
        x = x[max(stage for stage in x if stage.startswith("stage"))]
    if len(x.shape) == 3:
        patch = getattr(network, "patch_size", 1)
        x = _class_and_mean(x, (size // (patch if isinstance(patch, int) else patch[0])) ** 2)
    if len(x.shape) == 2:
        x = keras.layers.Reshape((1, 1, x.shape[-1]), name="features")(x)
    return keras.Model(inputs, x, name=name)


def _class_and_mean(x: Any, patches: int) -> Any:
    """Returns the class token beside the mean over patches, `(n, 2C)`; without class tokens, the mean.

    Args:
        x: Tokens `(n, T, C)`: for the class, for nothing (registers), and the patches.
        patches: How many patches there are, unless the network has merged some.
    """
    before = max(0, x.shape[1] - patches)
    of_patches = keras.layers.Cropping1D((before, 0), name="patches")(x)
    mean = keras.layers.GlobalAveragePooling1D(name="mean_of_patches")(of_patches)
    if not before:
        return mean
    first = keras.layers.Cropping1D((0, x.shape[1] - 1), name="class_token")(x)
    return keras.layers.Concatenate(name="class_and_mean")([keras.layers.Flatten(name="flat")(first), mean])


def _numbers(value: Any, default: float) -> Any:
    if value is None:
        return default
    return [float(one) for one in value] if isinstance(value, (list, tuple)) else float(value)


def _copy_weights(source: keras.Model, target: keras.Model) -> None:
    weights = [weight for weight in source.weights if weight.name != _MASK]
    target.set_weights([_fitted(*pair) for pair in zip(weights, target.weights, strict=True)])


def _fitted(weight: keras.Variable, wanted: keras.Variable) -> np.ndarray:
    values: np.ndarray = keras.ops.convert_to_numpy(weight)
    if values.shape == wanted.shape:
        return values
    if np.issubdtype(values.dtype, np.integer):  # the numbers of positions, which the target has already
        return np.asarray(keras.ops.convert_to_numpy(wanted))
    return resized_positions(values, wanted.shape[-2])


def resized_positions(table: np.ndarray, wanted: int) -> np.ndarray:
    """Interpolates learned positions of patches for another number of patches.

    Args:
        table: `(..., T, C)`: a vector for each of p special tokens, then for each patch of a square.
        wanted: T of the result: p, and the patches of another square.

    Returns:
        The table `(..., T, C)`, bicubically interpolated; those of special tokens as they were.
    """
    side, other = math.isqrt(table.shape[-2]), math.isqrt(wanted)
    special = table.shape[-2] - side**2
    grid = table[..., special:, :].reshape(1, side, side, -1)
    resized = keras.ops.image.resize(grid, (other, other), interpolation="bicubic")
    patches = keras.ops.convert_to_numpy(resized).reshape(*table.shape[:-2], other**2, -1)
    return np.concatenate([table[..., :special, :], patches], axis=-2)
