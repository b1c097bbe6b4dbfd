"""One training run: its phases, its epochs, and the state that a killed run goes on from."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.progress import say, track
from fercomp.core.tables import HISTORY
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.feed import fed
from fercomp.modeling.backend.hosts import agree
from fercomp.modeling.training.batches import Batches
from fercomp.modeling.training.callbacks import Bar, TimeLimit
from fercomp.modeling.training.checkpoint import Checkpoint, Progress
from fercomp.modeling.training.ema import EMA, are_finite, copies
from fercomp.modeling.training.network import head_of, set_trainable
from fercomp.modeling.training.objective import Objective
from fercomp.modeling.training.optimizer import make_optimizer, rate_over, rate_shares
from fercomp.modeling.training.phases import Phase, time_left

if TYPE_CHECKING:
    import pandas as pd


HISTORY_COLUMNS: Final = (*HISTORY.columns, "learning_rate")


@dataclass(frozen=True)
class Data:
    """The photos of a run.

    Attributes:
        train: The photos that are trained on.
        holdout: The photos that say which weights are best; without them, the last ones are.
    """

    train: Batches
    holdout: Batches | None = None


@dataclass(frozen=True)
class Steps:
    """How weights change with the steps of a run, whatever its phase.

    Attributes:
        weight_decay: Decoupled weight decay (AdamW).
        accumulate: Batches whose gradients are added up for a step.
        ema: Share of the old value in the running mean of the weights.
        keep_batch_norm: Whether batch normalisation keeps what its weights came with.
        patience: Epochs without better weights after which a phase stops.
        unfreeze: How many layers of the backbone fine-tuning trains, the last ones with weights.
        layer_decay: Factor of the rate from a group of layers to the one before it (`optimizer.rate_shares`).
        minutes: Minutes after which the run ends; `None` for no limit.
    """

    weight_decay: float
    accumulate: int
    ema: float
    keep_batch_norm: bool
    patience: int
    unfreeze: int | Literal["all"] = "all"
    layer_decay: float = 1.0
    minutes: float | None = None


class Run:
    """The state of one training run; `phase` and `resume` change it, `result` reads it.

    Args:
        model: The network, built.
        objective: What it is trained towards.
        steps: How its weights change.
        data: The photos.
        features: Makes the features of these by the frozen backbone, for the phase of the head.
        checkpoint: Where the state is kept between epochs.
    """

    def __init__(
        self,
        model: keras.Model,
        objective: Objective,
        steps: Steps,
        data: Data,
        features: Callable[[], Data],
        checkpoint: Checkpoint,
    ) -> None:
        self.model = model
        self.data = data
        self.checkpoint = checkpoint
        self.progress = Progress()
        self.best: list[np.ndarray] = []
        self._objective = objective
        self._steps = steps
        self._features = features
        self._share = data.train.share
        self._limit = TimeLimit(steps.minutes, self._share)
        # What a phase trains, and on what: the network on faces, or its head on features.
        self._trained: keras.Model = model
        self._ema = EMA(model, 0.0)
        self._current = data
        self._phases: Sequence[Phase] = ()

    def resume(self, phases: Sequence[Phase]) -> None:
        """Goes back to where an earlier run of the same kind stopped, if there is its checkpoint."""
        self._phases = phases
        saved = self.checkpoint.load()
        agree({"checkpoint": repr(saved and saved.progress)})
        if saved is None:
            return
        self.progress, self.best = saved.progress, saved.best
        self._start(phases[saved.progress.phase])
        saved.restore(self.model, self._trained.optimizer)
        self._ema.restore(saved.ema)
        self._limit.go_on(self.progress.seconds)
        say(f"going on after epoch {len(self.progress.rows)} of an earlier run")

    def phase(self, index: int, phase: Phase) -> None:
        """Trains for what is left of a phase, if there is time."""
        if self._is_over():
            return
        if index != self.progress.phase or not self._trained.compiled:
            if index > 0:  # fine-tuning starts from the best head, not from the last one
                self.model.set_weights(self.best)
            self.progress.phase, self.progress.epoch, self.progress.stale = index, 0, 0
            self._start(phase)
        while self.progress.epoch < phase.stop and self.progress.stale < self._steps.patience:
            if self._is_over() or not self._epoch(phase):
                return

    def _is_over(self) -> bool:
        """Tells whether the time is up; a first epoch begins whatever the time."""
        over = self._limit.is_up and bool(self.progress.rows)
        if over and not self.progress.cut:
            self.progress.cut = True
            say("train.minutes is up")
        return over

    def result(self) -> "tuple[pd.DataFrame, int]":
        """Gives the network its best weights; returns the history, and the epoch these are from."""
        import pandas as pd

        self.model.set_weights(self.best)
        return pd.DataFrame(self.progress.rows, columns=list(HISTORY_COLUMNS)), self._best_epoch()

    def _best_epoch(self) -> int:
        return int(np.argmax([self._quality(row) for row in self.progress.rows])) + 1

    def _start(self, phase: Phase) -> None:
        """Makes ready what a phase trains: the head on features of the frozen backbone, or everything."""
        head_only = phase.name == "head"
        set_trainable(
            self.model,
            head_only=head_only,
            keep_batch_norm=self._steps.keep_batch_norm,
            unfreeze=self._steps.unfreeze,
        )
        if head_only:
            self._trained, self._current = head_of(self.model), self._features()
        else:
            self._trained, self._current = self.model, self.data
        self._ema = EMA(self._trained, self._steps.ema)
        optimizer = make_optimizer(
            rate_over(phase, len(self.data.train)),
            self._trained.trainable_variables,
            self._steps.weight_decay,
            self._steps.accumulate,
            rate_shares(self.model, self._steps.layer_decay),
        )
        self._trained.compile(
            optimizer,
            self._objective.loss,
            metrics=[keras.metrics.MeanMetricWrapper(self._objective.accuracy, name="accuracy")],
        )
        train = self._current.train
        self._share.adapt(self._trained, len(train.targets), train.batch_size)

    def _epoch(self, phase: Phase) -> bool:
        """Trains for an epoch; returns False, without a row, where the loss stopped being a number."""
        start, number = time.monotonic(), len(self.progress.rows) + 1
        train, holdout = self._current.train, self._current.holdout
        train.start_epoch(number - 1)
        title = f"epoch {number} ({phase.title} {self.progress.epoch + 1}/{phase.epochs})"
        with track(range(len(train)), title, "batch", at_once=True) as bar:
            callbacks = [Bar(bar), self._ema, keras.callbacks.TerminateOnNaN(), self._limit]
            logs = self._trained.fit(fed(train), verbose=0, shuffle=False, callbacks=callbacks).history
        if not math.isfinite(logs["loss"][-1]):
            self._diverged(number, phase)
            return False
        if self._limit.batches < len(train):
            self.progress.cut = True
            say(f"{title}: train.minutes is up after {self._limit.batches} of {len(train)} batches")
        rate = float(keras.ops.convert_to_numpy(self._trained.optimizer.learning_rate))
        with self._ema.in_place():
            loss, right = math.nan, math.nan
            if holdout is not None:
                loss, right = self._objective.evaluate(self._trained, holdout)
            # The last step of an epoch is in none of its losses.
            if (holdout is not None and not math.isfinite(loss)) or not are_finite(self.model.weights):
                self._diverged(number, phase)
                return False
            values = (number, phase.name, logs["loss"][-1], logs["accuracy"][-1], loss, right, rate)
            self._record(dict(zip(HISTORY_COLUMNS, values, strict=True)))
        self.progress.seconds = self._limit.spent
        if self._share.is_first:
            state = self._ema.state()
            self.checkpoint.save(self.model, self._trained.optimizer, self.progress, self.best, state)
        best, seconds = self._best_epoch(), time.monotonic() - start
        so_far = "the best so far"
        if best < number:
            so_far = f"best {self.progress.rows[best - 1]['holdout_accuracy']:.3f} in epoch {best}"
        held_out = "" if holdout is None else f"holdout {right:.3f} ({so_far}), "
        learned = f"loss {logs['loss'][-1]:.3f}, accuracy {logs['accuracy'][-1]:.3f}"
        left = time_left(self._phases, self.progress.phase, self.progress.epoch, seconds)
        say(f"{title}: {learned}, {held_out}{seconds:.0f} s{'' if self.progress.cut else left}")
        return True

    def _record(self, row: dict[str, Any]) -> None:
        self.progress.rows.append(row)
        self.progress.epoch += 1
        self.progress.stale += 1
        quality = self._quality(row)
        if quality > self.progress.best_quality:
            self.progress.best_quality, self.progress.stale = quality, 0
            self.best = copies(self.model.weights)

    def _quality(self, row: dict[str, Any]) -> float:
        return float(row["epoch"]) if self.data.holdout is None else self._objective.quality(row)

    def _diverged(self, number: int, phase: Phase) -> None:
        key = "head_learning_rate" if phase.name == "head" else "learning_rate"
        advice = (
            f"lower train.{key} (now {phase.learning_rate:g}) or train.weight_decay (now "
            f"{self._steps.weight_decay:g}), or raise train.warmup"
        )
        if not self.best:
            raise FercompError(f"the loss is not a number any more after epoch {number}: {advice}")
        say(f"epoch {number}: the loss is not a number any more; the best weights so far are kept ({advice})")
