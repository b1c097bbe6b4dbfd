"""Grey for networks that learn from grey photos: colours mean nothing to them, and would mislead them.

The network turns RGB into grey itself, by layers of Keras' own that have no weights, so that whoever uses it,
graph or Keras file, hands over the same `uint8` RGB as to any other.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fercomp.media.images import read_image
from fercomp.modeling.backend.engine import keras

if TYPE_CHECKING:
    import pandas as pd

LUMA: Final = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in grey (ITU-R BT.601), as Pillow, OpenCV and JPEG have them."""

GREY_LAYER: Final = "grey"

LOOKED_AT: Final = 100
"""Training photos that tell whether all are grey."""

COLOUR: Final = 8.0
"""Mean difference of a photo's channels, in levels of 256, from which on it is in colour: JPEG alone makes 1
or 2 of a grey photo that was stored in colour."""


def grey(x: Any) -> Any:
    """Turns RGB `(n, S, S, 3)` float32 into grey, three times the same, which every backbone can take."""
    # In float32, since a sum of three products does not fit into the eight bits of bfloat16. Not by a
    # convolution: it has weights, which nobody may train, and which a graph of 8 bits would round.
    parts = keras.layers.Rescaling(LUMA, dtype="float32", name="luma")(x)
    light = keras.ops.sum(parts, axis=-1, keepdims=True)
    return keras.layers.Concatenate(dtype="float32", name=GREY_LAYER)([light] * 3)


def is_grey(photo: np.ndarray) -> bool:
    """Tells whether a photo `(h, w, 3)` uint8 RGB has no colour to speak of."""
    levels = photo.astype(np.int16)
    return float((levels.max(axis=2) - levels.min(axis=2)).mean()) < COLOUR


def learns_grey(photos: "pd.DataFrame", raw: Path) -> bool:
    """Tells whether training photos are grey.

    Args:
        photos: Table `PHOTOS`.
        raw: The folder that its paths are relative to.

    Returns:
        Whether each of `LOOKED_AT` photos of split `train`, spread over the table, is.
    """
    train = photos.loc[photos["split"] == "train", "image_path"]
    some: Iterable[str] = train.iloc[:: max(1, len(train) // LOOKED_AT)]
    return all(is_grey(read_image(raw / path)) for path in some)
