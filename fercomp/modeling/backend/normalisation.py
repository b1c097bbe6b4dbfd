"""Batch normalisation in one fused operation where the backend is PyTorch.

Keras 3.15 composes it of element-wise operations there; with PyTorch's own operator a training step of
`compact` on a CPU takes a fifth less time (`docs/training.md`).
A saved network is not touched: it holds Keras' plain layer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fercomp.modeling.backend.engine import keras


@contextmanager
def fused_batch_normalisation() -> Iterator[None]:
    """Lets `keras.layers.BatchNormalization` be fused inside the block; does nothing on other backends.

    The moving variance takes in the unbiased estimate (divided by n - 1) where Keras takes the biased one.
    """
    if keras.backend.backend() != "torch":
        yield
        return
    layer = keras.layers.BatchNormalization
    composed = layer.call
    layer.call = _fused(composed)
    try:
        yield
    finally:
        layer.call = composed


def _fused(composed: Callable[..., Any]) -> Callable[..., Any]:
    import torch

    def call(self: Any, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        plain = self.scale and self.center and not getattr(self, "renorm", False) and mask is None
        real = isinstance(inputs, torch.Tensor) and inputs.device.type != "meta" and inputs.ndim == 4
        if not (plain and real and self.axis in (-1, 3) and inputs.dtype == torch.float32):
            return composed(self, inputs, training=training, mask=mask)
        outputs = torch.nn.functional.batch_norm(
            inputs.permute(0, 3, 1, 2),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=bool(training and self.trainable),
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return outputs.permute(0, 2, 3, 1)

    return call
