"""The phases of a training: the head with the backbone frozen, then fine-tuning of all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.core.timing import duration

Epochs = Mapping[str, int]
"""How many epochs of each phase to train, by the phase's name."""


@dataclass(frozen=True)
class Phase:
    """A part of training with an optimizer of its own.

    Attributes:
        name: `head` or `whole`.
        title: What it is called at the terminal.
        epochs: Largest number of epochs, over which the learning rate takes its course.
        stop: Epochs after which the phase ends all the same.
        learning_rate: Its highest learning rate.
        warmup: Share of its steps over which the rate rises to that, to fall in a cosine afterwards; `None`
            leaves it as it is.
    """

    name: Literal["head", "whole"]
    title: str
    epochs: int
    stop: int
    learning_rate: float
    warmup: float | None


def phases_of(params: TrainParams, epochs: Epochs | None = None) -> tuple[Phase, ...]:
    """Returns the phases of a run: a backbone without weights has nothing to be kept frozen for.

    Args:
        params: How to train.
        epochs: After how many epochs to end each phase; by default after all.

    Raises:
        FercompError: There is nothing to train.
    """
    head = params.head_epochs if params.weights != "none" else 0
    stops = {"head": head, "whole": params.epochs} if epochs is None else epochs
    title = "training" if params.weights == "none" else "fine-tuning"
    both = (
        Phase("head", "head", head, stops.get("head", 0), params.head_learning_rate, None),
        Phase("whole", title, params.epochs, stops.get("whole", 0), params.learning_rate, params.warmup),
    )
    phases = tuple(phase for phase in both if min(phase.epochs, phase.stop))
    if not phases:
        raise FercompError("nothing to train: set train.epochs (or head_epochs, with weights) above 0")
    return phases


def time_left(phases: Sequence[Phase], index: int, epoch: int, seconds: float) -> str:
    """Says how long a run will take from here on; what an epoch of a later phase takes is not known yet.

    Args:
        phases: All of the run.
        index: Which of them is on.
        epoch: How many epochs of it are done.
        seconds: What an epoch of it takes.

    Returns:
        Such as `, at most 12 min left`, since a phase may end early; empty at the end of a phase.
    """
    left, later = phases[index].stop - epoch, phases[index + 1 :]
    to_what = f"to {later[0].title}" if later else "left"
    return f", at most {duration(seconds * left)} {to_what}" if left else ""
