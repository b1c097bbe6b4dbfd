"""What training needs to go on after a kill as if nothing had happened.

One file of plain arrays, written atomically after each epoch: every variable of the network (weights,
batch statistics, states of the random layers), every variable of the optimizer, the best weights so far,
their exponential moving average, and the history. It is read without unpickling.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from fercomp.core.files import atomic_file
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.ema import are_finite

Arrays = list[np.ndarray]


@dataclass
class Progress:
    """How far training has come.

    Attributes:
        phase: Index of the phase that is running.
        epoch: Epochs finished in that phase.
        stale: Epochs of that phase since the best one.
        best_quality: Best `Objective.quality` so far, holdout accuracy as a rule; -1 before the first epoch.
        rows: One row of history per finished epoch.
        seconds: What these took.
        cut: Whether `train.minutes` ended the run.
    """

    phase: int = 0
    epoch: int = 0
    stale: int = 0
    best_quality: float = -1.0
    rows: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    cut: bool = False


class Checkpoint:
    """The checkpoint of one experiment.

    Args:
        path: The `.npz` file.
        fingerprint: What the run depends on; a checkpoint of another run is not used.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self.fingerprint = fingerprint

    def save(self, model: keras.Model, optimizer: Any, progress: Progress, best: Arrays, ema: Arrays) -> None:
        """Writes the state after an epoch; `Saved` says what the parts are."""
        state = json.dumps({"fingerprint": self.fingerprint, "progress": asdict(progress)})
        groups = {
            "model": _values(model.variables),
            "optimizer": _values(optimizer.variables),
            "best": best,
            "average": ema,  # the name in checkpoints of before
        }
        arrays = {f"{group}/{i}": array for group, values in groups.items() for i, array in enumerate(values)}
        with atomic_file(self.path) as temporary:
            np.savez(temporary, allow_pickle=False, state=np.array(state), **arrays)

    def load(self) -> "Saved | None":
        """Reads the state.

        Returns:
            The state, or `None` where there is none or it belongs to another run, is damaged or has diverged.
        """
        if not self.path.is_file():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = dict(file)
            state = json.loads(str(arrays.pop("state")))
            if state["fingerprint"] != self.fingerprint:
                return None
            saved = Saved(
                Progress(**state["progress"]),
                *(_group(arrays, group) for group in ("model", "optimizer", "best", "average")),
            )
            return saved if are_finite(saved.best) else None  # earlier versions kept a diverged run's
        except (ValueError, KeyError, TypeError, EOFError, OSError, BadZipFile):
            return None


@dataclass(frozen=True)
class Saved:
    """A checkpoint that was read.

    Attributes:
        progress: How far training had come.
        model: Values of `model.variables`.
        optimizer: Values of `model.optimizer.variables`.
        best: Values of the best weights so far, in the order of `model.weights`.
        ema: State of the moving average of the weights.
    """

    progress: Progress
    model: Arrays
    optimizer: Arrays
    best: Arrays
    ema: Arrays

    def restore(self, model: keras.Model, optimizer: Any) -> None:
        """Puts the values into a model of the same build and the optimizer it is compiled with."""
        optimizer.build(model.trainable_variables)
        for variables, values in ((model.variables, self.model), (optimizer.variables, self.optimizer)):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)


def _values(variables: list[Any]) -> Arrays:
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def _group(arrays: dict[str, np.ndarray], group: str) -> Arrays:
    names = sorted(
        (name for name in arrays if name.startswith(f"{group}/")), key=lambda n: int(n.split("/")[1])
    )
    return [arrays[name] for name in names]
