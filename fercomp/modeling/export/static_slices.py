"""A part of an array replaced by padding and masking: OpenVINO has no rule for how TensorFlow does it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fercomp.modeling.backend.engine import keras


@contextmanager
def static_slices() -> Iterator[None]:
    """Lets `keras.ops.slice_update` trace into plain arithmetic in the block, as Swin's windows need it."""
    before, keras.ops.slice_update = keras.ops.slice_update, replaced
    try:
        yield
    finally:
        keras.ops.slice_update = before


def replaced(inputs: Any, start_indices: Sequence[int], updates: Any) -> Any:
    """Returns an array a part of which is replaced, as `keras.ops.slice_update` does.

    Args:
        inputs: The array.
        start_indices: Where the part begins on each axis, known when the network is traced.
        updates: The part, as many axes.
    """
    sizes = zip(start_indices, inputs.shape, updates.shape, strict=True)
    around = [(start, whole - start - part) for start, whole, part in sizes]
    inside = keras.ops.pad(keras.ops.ones_like(updates), around)
    return inputs * (1 - inside) + keras.ops.pad(updates, around)
