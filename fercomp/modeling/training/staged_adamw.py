"""Rates by stage: what a backbone knew before changes the less, the nearer to the pixels it is.

A stage is what works at one resolution, so that every backbone has its stages without a list of names. Keras
has one rate for all weights, and to scale gradients does nothing to Adam: the optimizer here scales steps.
"""

import math
from typing import Any, Final

from fercomp.modeling.backend.engine import keras

UNDECAYED: Final = ("bias", "beta", "gamma")
"""Weights that are not to decay: pulling towards zero means nothing for offsets and scales."""


def make_optimizer(
    rate: Any,
    weight_decay: float,
    accumulate: int = 1,
    backbone: keras.Model | None = None,
    layer_decay: float = 1.0,
) -> keras.optimizers.Optimizer:
    """Makes what changes the weights in a phase: AdamW, or `StagedAdamW` where stages have their own rates.

    Args:
        rate: Rate or schedule.
        weight_decay: Decoupled weight decay.
        accumulate: Batches whose gradients are added up to one step.
        backbone: The backbone whose stages are trained; `None` where it is frozen.
        layer_decay: What the rate falls by from each of its stages to the one below; 1 for one rate.
    """
    batches = accumulate if accumulate > 1 else None
    if backbone is not None and layer_decay < 1:
        return StagedAdamW(rate, weight_decay, scales(backbone, layer_decay), UNDECAYED, batches)
    optimizer = keras.optimizers.AdamW(rate, weight_decay, gradient_accumulation_steps=batches)
    optimizer.exclude_from_weight_decay(var_names=list(UNDECAYED))
    return optimizer


class StagedAdamW(keras.optimizers.Adam):
    """AdamW whose steps, decay included, are scaled for each weight.

    Args:
        learning_rate: Rate or schedule.
        weight_decay: Decoupled weight decay (Loshchilov and Hutter, 2019).
        scales: By the path of a variable, what its steps are multiplied by; 1 for others.
        undecayed: Names of variables that decay leaves alone.
        accumulate: Batches whose gradients are added up to one step; `None` for each batch a step.
    """

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float,
        scales: dict[str, float],
        undecayed: tuple[str, ...],
        accumulate: int | None = None,
    ) -> None:
        super().__init__(learning_rate, gradient_accumulation_steps=accumulate, name="staged_adamw")
        self._decay = weight_decay
        self._scales_by_path = scales
        self._undecayed = undecayed
        self._scales: list[tuple[float, float]] = []

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the optimizer's variables, and looks up the scale and the decay of each weight."""
        if not self.built:
            self._scales = [
                (
                    self._scales_by_path.get(variable.path, 1.0),
                    0.0 if variable.name in self._undecayed else self._decay,
                )
                for variable in variables
            ]
        super().build(variables)

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """Takes the step of one weight."""
        scale, decay = self._scales[self._get_variable_index(variable)]
        rate = keras.ops.cast(learning_rate, variable.dtype) * scale
        if decay:
            self.assign_sub(variable, keras.ops.multiply(variable, rate * decay))
        super().update_step(gradient, variable, rate)


def depths(backbone: keras.Model) -> dict[str, int]:
    """Says how far below the classifier each weight of a backbone is.

    Args:
        backbone: A model from `(n, S, S, 3)` to features `(n, h, w, C)`; models within it are looked into.

    Returns:
        By the path of a variable, the number of its stage, counted from 1 at the top.
    """
    side = backbone.input_shape[1]
    stage, found = 0, []
    for layer in backbone._flatten_layers(include_self=False):
        here = _stage(layer, side)
        stage = stage if here is None else here
        found += [(variable.path, stage) for variable in layer._trainable_variables]
    order = sorted({stage for _, stage in found}, reverse=True)
    return {path: 1 + order.index(stage) for path, stage in found}


def scales(backbone: keras.Model, decay: float) -> dict[str, float]:
    """Returns by the path of a variable what its rate is multiplied by: `decay` to the power of its depth."""
    return {path: decay**depth for path, depth in depths(backbone).items()}


def _stage(layer: keras.layers.Layer, side: int) -> int | None:
    """Returns how often a layer's output is halved, rounded; `None` where it has no resolution of its own."""
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError):
        return None
    # One pixel is a resolution of squeezed features, which belong to the block that they are made in.
    if len(shape) != 4 or not shape[1] or shape[1] == 1:
        return None
    return round(math.log2(side / shape[1]))
