"""The phases of a training: the head with the backbone frozen, then fine-tuning of all of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams

Epochs = Mapping[str, int]
"""How many epochs of each phase to train, by the phase's name."""


@dataclass(frozen=True)
class Phase:
    """A part of training with an optimizer of its own.

    Attributes:
        name: `head` or `whole`.
        epochs: Largest number of epochs, over which the learning rate takes its course.
        stop: Epochs after which the phase ends all the same.
    """

    name: str
    epochs: int
    stop: int


def phases_of(params: TrainParams, epochs: Epochs | None = None) -> tuple[Phase, ...]:
    """Returns the phases of a run: a backbone without weights has nothing to be kept frozen for.

    Args:
        params: How to train.
        epochs: After how many epochs to end each phase; by default after all.

    Raises:
        FercompError: There is nothing to train.
    """
    most = {"head": params.head_epochs if params.weights != "none" else 0, "whole": params.epochs}
    stops = most if epochs is None else epochs
    phases = tuple(
        Phase(name, most[name], stops[name]) for name in most if min(most[name], stops.get(name, 0))
    )
    if not phases:
        raise FercompError("nothing to train: set train.epochs (or head_epochs, with weights) above 0")
    return phases
