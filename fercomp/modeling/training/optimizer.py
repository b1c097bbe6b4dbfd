"""The optimizer: AdamW, with one rate for all layers or smaller ones the farther a layer is from the head."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.network import layers_with_weights
from fercomp.modeling.training.phases import Phase

NOT_DECAYED: Final = ("bias", "beta", "gamma")
"""Variables without weight decay: it pulls towards zero, which means nothing for offsets and scales."""

GROUPS: Final = 12
"""Groups of layers that share a rate; Bao et al. (2021) have as many in their base network."""


def make_optimizer(
    rate: Any,
    variables: list[keras.Variable],
    weight_decay: float,
    accumulate: int = 1,
    shares: Mapping[int, float] | None = None,
) -> keras.optimizers.Optimizer:
    """Makes AdamW (Loshchilov and Hutter, 2019), built for some variables.

    Args:
        rate: The learning rate, or its schedule.
        variables: What is trained.
        weight_decay: Decoupled weight decay.
        accumulate: Batches whose gradients are added up for a step.
        shares: From `rate_shares`.

    Returns:
        The optimizer.
    """
    steps = accumulate if accumulate > 1 else None
    if shares:
        optimizer = LayerwiseAdamW(rate, variables, weight_decay, shares, gradient_accumulation_steps=steps)
    else:
        optimizer = keras.optimizers.AdamW(rate, weight_decay=weight_decay, gradient_accumulation_steps=steps)
        optimizer.exclude_from_weight_decay(var_names=list(NOT_DECAYED))
    # Otherwise TensorFlow traces the first step twice, since it makes variables.
    optimizer.build(variables)
    return optimizer


def rate_over(phase: Phase, batches: int) -> Any:
    """Returns the learning rate of a phase with so many batches an epoch, or its schedule over the steps."""
    if phase.warmup is None:
        return phase.learning_rate
    steps = batches * phase.epochs
    warmup = math.ceil(steps * phase.warmup)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else phase.learning_rate,
        decay_steps=max(1, steps - warmup),
        warmup_target=phase.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def rate_shares(model: keras.Model, layer_decay: float) -> dict[int, float]:
    """Returns the share of the learning rate that a variable of the backbone has, by its `id`.

    The layers with weights are divided into `GROUPS` of equal numbers, from the input to the output. The
    group next to the head has `layer_decay`, and each group before it as much less (Clark et al., 2020).

    Args:
        model: A network of `build_network`.
        layer_decay: The factor from a group to the one before it, above 0; 1 gives no shares.
    """
    if layer_decay == 1:
        return {}
    layers = layers_with_weights(model)
    return {
        id(variable): layer_decay ** (1 + GROUPS * after // len(layers))
        for after, layer in enumerate(reversed(layers))
        for variable in layer.trainable_variables
    }


class LayerwiseAdamW(keras.optimizers.Adam):
    """AdamW whose rate, and with it the decay, is multiplied by a share for each variable.

    Args:
        rate: The learning rate, or its schedule.
        variables: What it is built for, in their order.
        weight_decay: Decoupled weight decay.
        shares: From `rate_shares`; variables without one have 1.
        **options: Those of Keras' Adam.
    """

    def __init__(
        self,
        rate: Any,
        variables: list[keras.Variable],
        weight_decay: float,
        shares: Mapping[int, float],
        **options: Any,
    ) -> None:
        super().__init__(rate, **options)
        self._shares = tuple(shares.get(id(variable), 1.0) for variable in variables)
        names = re.compile("|".join(NOT_DECAYED))
        self._decays = tuple(0.0 if names.search(variable.name) else weight_decay for variable in variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Moves a variable by its own rate, after decay as in Keras' AdamW."""
        i = self._get_variable_index(variable)
        rate = keras.ops.cast(learning_rate, variable.dtype) * self._shares[i]
        if self._decays[i]:
            self.assign_sub(variable, variable * self._decays[i] * rate)
        super().update_step(gradient, variable, rate)
