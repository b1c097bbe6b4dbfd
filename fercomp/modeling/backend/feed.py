"""How `fit` and `predict` get their batches."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from fercomp.modeling.backend.engine import keras

_AHEAD: Final = 2


def fed(batches: keras.utils.PyDataset) -> Any:
    """Gives what `fit` and `predict` read batches from, in their order, at the least cost.

    On TensorFlow, Keras would read a `PyDataset` through a `tf.data` pipeline that tunes itself, after pauses
    that grow from 10 ms to a minute; after the last batch, it often waits for the end of such a pause.
    Keras would also make the first two batches once more, to learn their shapes.

    Args:
        batches: At least one. Each is a tuple of arrays whose first axis may differ from batch to batch.

    Returns:
        A `tf.data.Dataset` on TensorFlow, `batches` itself on other backends.

    Example:
        network.fit(fed(batches), shuffle=False)
    """
    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    count, first = batches.num_batches, batches[0]

    def each() -> Iterator[tuple[np.ndarray, ...]]:
        yield first
        for index in range(1, count):
            yield batches[index]

    shapes = tuple(tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in first)
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = tf.data.Dataset.from_generator(each, output_signature=shapes)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    return dataset.prefetch(_AHEAD).with_options(options)
