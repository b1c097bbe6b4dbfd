"""EMA: the exponential moving average of a network's weights over the steps of training.

Keras' optimizers can keep one too, but without the warm-up that short runs need, and `fit` overwrites the
weights with it at the end of every call.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fercomp.modeling.backend.engine import compiled, keras, synchronised


class EMA(keras.callbacks.Callback):
    """Keeps the moving average of all weights, batch statistics included.

    Early on the mean forgets faster, so that it does not remember the first, random weights: at step t the
    old value counts min(momentum, (1 + t) / (10 + t)), as in TensorFlow's `ExponentialMovingAverage`.

    Args:
        model: The network, built.
        momentum: Share of the old value per step, 0 to below 1; 0 keeps no mean.
    """

    def __init__(self, model: keras.Model, momentum: float) -> None:
        super().__init__()
        # Some of KerasHub's networks keep the numbers of their positions among the weights.
        self._weights = [weight for weight in model.weights if "int" not in weight.dtype]
        self._momentum = momentum
        self._step = 0
        self._means = (
            [
                # From a copy: JAX would let the mean share the weight's array, and training destroys that.
                keras.Variable(value, trainable=False, dtype=weight.dtype)
                for weight, value in zip(self._weights, copies(self._weights), strict=True)
            ]
            if momentum
            else []
        )
        self._take_in = compiled(self._move_means, self._means, self._weights)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Takes the weights of one more step into the mean."""
        keep = min(self._momentum, (1 + self._step) / (10 + self._step))
        self._step += 1
        if self._means:
            synchronised(self.model)
            self._take_in(keras.ops.convert_to_tensor(1 - keep, dtype="float32"))

    def _move_means(self, share: Any) -> None:
        for mean, weight in zip(self._means, self._weights, strict=True):
            mean.assign(mean + share * (keras.ops.stop_gradient(weight) - mean))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Lets the network have the mean for its weights inside the block."""
        if not self._means:
            yield
            return
        raw = copies(self._weights)
        _assign(self._weights, copies(self._means))
        try:
            yield
        finally:
            _assign(self._weights, raw)

    def state(self) -> list[np.ndarray]:
        """Returns the step and the mean as arrays."""
        return [np.array(self._step), *copies(self._means)]

    def restore(self, state: list[np.ndarray]) -> None:
        """Puts the values of `state` back."""
        self._step = int(state[0])
        _assign(self._means, state[1:])


def copies(variables: list[keras.Variable]) -> list[np.ndarray]:
    """Returns the values of variables as they are now.

    PyTorch's own arrays would follow the variables, and JAX destroys those that a network was run with.
    """
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def are_finite(variables: Iterable[keras.Variable | np.ndarray]) -> bool:
    """Tells whether all values are numbers, and not infinite."""
    return all(np.isfinite(keras.ops.convert_to_numpy(variable)).all() for variable in variables)


def _assign(variables: list[keras.Variable], values: list[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
