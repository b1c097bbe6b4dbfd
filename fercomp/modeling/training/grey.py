"""Grey for networks that learn from grey photos: colours mean nothing to them, and would mislead them.

The network turns RGB into grey itself, by layers of Keras' own that have no weights, so that whoever uses it,
graph or Keras file, hands over the same `uint8` RGB as to any other.
"""

from typing import Any, Final

from fercomp.faces.changes import LUMA
from fercomp.modeling.backend.engine import keras

GREY: Final = "grey"
"""Name of the last of these layers."""


def to_grey(x: Any) -> Any:
    """Turns RGB `(n, S, S, 3)` float32 into grey, three times the same, which every backbone can take."""
    # In float32, since a sum of three products does not fit into the eight bits of bfloat16. Not by a
    # convolution: it has weights, which nobody may train, and which a graph of 8 bits would round.
    parts = keras.layers.Rescaling(LUMA, dtype="float32", name="luma")(x)
    light = keras.ops.sum(parts, axis=-1, keepdims=True)
    return keras.layers.Concatenate(dtype="float32", name=GREY)([light] * 3)
