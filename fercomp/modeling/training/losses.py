"""Losses for labels that are often wrong.

All of them take targets `(n, K)`, each row a distribution, and probabilities `(n, K)`, and are written with
`keras.ops` alone, so that they run on every backend. For a one-hot target each is the loss of its paper.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from fercomp.modeling.backend.engine import keras

_ops = keras.ops
Loss = Callable[[Any, Any], Any]
"""From targets `(n, K)` and probabilities `(n, K)` to losses `(n,)`."""

_SMALLEST: Final = 1e-7
"""Probabilities are kept above this before a logarithm."""

GCE_Q: Final = 0.7
"""Between 0, cross entropy, and 1, mean absolute error (Zhang and Sabuncu, 2018, section 4)."""

SCE_ALPHA: Final = 0.5
"""Weight of cross entropy. Wang et al. (2019) take 0.1 for ten classes and 6 for a hundred."""

SCE_LOG_ZERO: Final = -4.0
"""What stands for the logarithm of a target's zero (Wang et al., 2019, A = -4)."""


def cross_entropy(targets: Any, probabilities: Any) -> Any:
    """Returns the cross entropy in nats."""
    return -_ops.sum(targets * _log(probabilities), axis=-1)


def generalised_cross_entropy(targets: Any, probabilities: Any) -> Any:
    """Returns (1 - p^q) / q, averaged over the target (Zhang and Sabuncu, 2018).

    Keras' `CategoricalGeneralizedCrossEntropy` takes class indices alone, no distribution over classes.
    """
    powers = _ops.power(_ops.clip(probabilities, _SMALLEST, 1.0), GCE_Q)
    return _ops.sum(targets * (1 - powers), axis=-1) / GCE_Q


def symmetric_cross_entropy(targets: Any, probabilities: Any) -> Any:
    """Returns cross entropy plus its mirror image, with targets and answers exchanged (Wang et al., 2019)."""
    log_targets = _ops.maximum(_log(targets), SCE_LOG_ZERO)
    return SCE_ALPHA * cross_entropy(targets, probabilities) - _ops.sum(probabilities * log_targets, axis=-1)


LOSSES: Final = MappingProxyType(
    {"cross_entropy": cross_entropy, "gce": generalised_cross_entropy, "sce": symmetric_cross_entropy}
)
"""The losses by the name that `train.loss` gives them."""


def make_loss(name: str, balance: str, shares: np.ndarray) -> Loss:
    """Makes the loss of a run.

    Args:
        name: One of `LOSSES`.
        balance: What is done for rare classes (`TrainParams.balance`).
        shares: `(K,)` float32, the share of each class in the training photos.

    Returns:
        The loss.
    """
    base = LOSSES[name]
    if balance == "class_weights":
        weights = 1 / (len(shares) * shares)  # their mean over the photos is 1
        return lambda targets, probabilities: (
            _ops.sum(targets * weights, axis=-1) * base(targets, probabilities)
        )
    if balance == "logit_adjustment":
        return lambda targets, probabilities: base(targets, _adjusted(probabilities, shares))
    return base


def _adjusted(probabilities: Any, shares: np.ndarray) -> Any:
    """Weighs probabilities by how frequent their class is (logit adjustment, tau = 1; Menon et al., 2021).

    The network then has to learn what the face alone says: frequent classes come by their own.
    """
    weighted = _ops.clip(probabilities, _SMALLEST, 1.0) * shares
    return weighted / _ops.sum(weighted, axis=-1, keepdims=True)


def accuracy(targets: Any, probabilities: Any) -> Any:
    """Returns 1 where the likeliest class is the target's, 0 elsewhere: `(n,)`."""
    k = probabilities.shape[-1]
    right = _ops.equal(_ops.argmax(targets[:, :k], axis=-1), _ops.argmax(probabilities, axis=-1))
    return _ops.cast(right, "float32")


def _log(probabilities: Any) -> Any:
    return _ops.log(_ops.clip(probabilities, _SMALLEST, 1.0))
