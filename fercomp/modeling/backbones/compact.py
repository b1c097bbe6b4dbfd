"""`compact`: a residual network for faces of 48 to 64 pixels that trains on two CPU cores.

Three stages of two basic blocks (He et al., 2016, figure 2) at 24, 12 and 6 pixels with 32, 64 and 128
channels: 0.7 M weights and 58 M multiply-adds at 48 pixels. `compact_wide` has 48, 96 and 192 channels: 1.6 M
weights, 129 M multiply-adds. Plain 3x3 convolutions, since depthwise ones save multiply-adds but not time in
training on a CPU.
"""

from typing import Any, Final

from fercomp.core.params import COMPACT, COMPACT_WIDE
from fercomp.modeling.backend.engine import keras

CHANNELS: Final = {COMPACT: (32, 64, 128), COMPACT_WIDE: (48, 96, 192)}
BLOCKS: Final = 2


def build_compact(name: str, size: int) -> keras.Model:
    """Builds the network.

    Args:
        name: One of `CHANNELS`.
        size: Side of the input in pixels, S.

    Returns:
        A model from `(n, S, S, 3)` float32 RGB in 0 to 255 to features `(n, S/8, S/8, C)` float32, where C is
        the last of the channels.
    """
    inputs = keras.Input((size, size, 3), dtype="float32", name="rgb")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.ReLU()(_convolution(x, CHANNELS[name][0], kernel=3, strides=2))
    for stage, channels in enumerate(CHANNELS[name]):
        for block in range(BLOCKS):
            x = _basic_block(x, channels, strides=2 if stage > 0 and block == 0 else 1)
    return keras.Model(inputs, x, name=name)


def _basic_block(x: Any, channels: int, strides: int) -> Any:
    residual = keras.layers.ReLU()(_convolution(x, channels, kernel=3, strides=strides))
    residual = _convolution(residual, channels, kernel=3, strides=1)
    if strides > 1:  # "ResNet-D" shortcut: pool before the 1x1 convolution (He et al., 2019)
        x = keras.layers.AveragePooling2D(strides, padding="same")(x)
    if x.shape[-1] != channels:
        x = _convolution(x, channels, kernel=1, strides=1)
    return keras.layers.ReLU()(keras.layers.Add()([x, residual]))


def _convolution(x: Any, channels: int, kernel: int, strides: int) -> Any:
    x = keras.layers.Conv2D(
        channels, kernel, strides=strides, padding="same", use_bias=False, kernel_initializer=_initializer()
    )(x)
    return keras.layers.BatchNormalization(momentum=0.9)(x)


def _initializer() -> keras.initializers.Initializer:
    # Normalisation makes the scale of these weights meaningless, but steps count relative to it: with Keras'
    # default, 1.7 times as large, the network learns more slowly at the same rate.
    return keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")
