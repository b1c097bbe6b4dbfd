"""One training run: its phases, its epochs, and the state that a killed run goes on from."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.core.progress import say, track
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.checkpoint import Checkpoint, Progress
from fercomp.modeling.training.ema import EMA, copies
from fercomp.modeling.training.features import FeatureBatches, feature_batches
from fercomp.modeling.training.network import head_of, set_trainable
from fercomp.modeling.training.objective import Objective
from fercomp.modeling.training.phases import Phase

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fitted:
    """A network that was trained.

    Attributes:
        model: The network with its best weights.
        history: One row per epoch: `epoch`, `phase`, `loss`, `accuracy`, `holdout_loss`,
            `holdout_accuracy`, `learning_rate`; NaN where there was no holdout.
        best_epoch: The epoch the weights are from, counted from 1.
        params: How it was trained; batches may be smaller than asked for, where memory did not suffice.
    """

    model: keras.Model
    history: "pd.DataFrame"
    best_epoch: int
    params: TrainParams


_WORDS: Final = {"head": "head", "whole": "fine-tuning"}
"""What a phase is called at the terminal, where there are weights to start from."""

HISTORY_COLUMNS: Final = (
    "epoch",
    "phase",
    "loss",
    "accuracy",
    "holdout_loss",
    "holdout_accuracy",
    "learning_rate",
)


@dataclass(frozen=True)
class Data:
    """The photos of a run.

    Attributes:
        train: The photos that are trained on.
        shares: `(K,)` float32, the share of each class in the training photos.
        train_sha1s: SHA-1 of each training photo's file.
        holdout: The photos that say which weights are best; without them, the last ones are.
        holdout_sha1s: Likewise of the holdout's.
    """

    train: FaceBatches
    shares: np.ndarray
    train_sha1s: list[str]
    holdout: FaceBatches | None = None
    holdout_sha1s: list[str] = field(default_factory=list)


class Run:
    """The state of one training run; `phase` and `resume` change it, `result` reads it.

    Args:
        params: How to train.
        model: The network, built.
        data: The photos.
        checkpoint: Where the state is kept between epochs.
    """

    def __init__(self, params: TrainParams, model: keras.Model, data: Data, checkpoint: Checkpoint) -> None:
        self.params = params
        self.model = model
        self.data = data
        self.checkpoint = checkpoint
        self.progress = Progress()
        self.best: list[np.ndarray] = []
        self._objective = Objective(params, data.shares)
        # What a phase trains, and on what: the network on faces, or its head on features.
        self._trained: keras.Model = model
        self._ema = EMA(model, 0.0)
        self._train: FaceBatches | FeatureBatches = data.train
        self._holdout: FaceBatches | FeatureBatches | None = data.holdout

    def resume(self, phases: Sequence[Phase]) -> None:
        """Goes back to where an earlier run of the same kind stopped, if there is its checkpoint."""
        saved = self.checkpoint.load()
        if saved is None:
            return
        self.progress, self.best = saved.progress, saved.best
        self._start(phases[saved.progress.phase])
        saved.restore(self.model, self._trained.optimizer)
        self._ema.restore(saved.ema)
        say(f"going on after epoch {len(self.progress.rows)} of an earlier run")

    def phase(self, index: int, phase: Phase) -> None:
        """Trains for what is left of a phase."""
        if index != self.progress.phase or not self._trained.compiled:
            if index > 0:  # fine-tuning starts from the best head, not from the last one
                self.model.set_weights(self.best)
            self.progress.phase, self.progress.epoch, self.progress.stale = index, 0, 0
            self._start(phase)
        while self.progress.epoch < phase.stop and self.progress.stale < self.params.patience:
            if not self._epoch(phase):
                return

    def result(self) -> Fitted:
        """Returns the network with its best weights."""
        import pandas as pd

        self.model.set_weights(self.best)
        history = pd.DataFrame(self.progress.rows, columns=list(HISTORY_COLUMNS))
        best_epoch = int(np.argmax([self._quality(row) for row in self.progress.rows])) + 1
        return Fitted(self.model, history, best_epoch, self.params)

    def _start(self, phase: Phase) -> None:
        """Makes ready what a phase trains: the head on features of the frozen backbone, or everything."""
        set_trainable(self.model, self.params, head_only=phase.name == "head")
        if phase.name == "head":
            self._trained = head_of(self.model)
            self._train = self._features(self.data.train, self.data.train_sha1s, train=True)
            if self.data.holdout is not None:
                self._holdout = self._features(self.data.holdout, self.data.holdout_sha1s, train=False)
        else:
            self._trained, self._train, self._holdout = self.model, self.data.train, self.data.holdout
        self._ema = EMA(self._trained, self.params.ema)
        optimizer = keras.optimizers.AdamW(
            self._rate(phase),
            weight_decay=self.params.weight_decay,
            gradient_accumulation_steps=self.params.accumulate if self.params.accumulate > 1 else None,
        )
        # Decay pulls towards zero, which means nothing for offsets and scales.
        optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        # Otherwise TensorFlow traces the first step twice, since it makes variables.
        optimizer.build(self._trained.trainable_variables)
        self._trained.compile(
            optimizer,
            self._objective.loss,
            metrics=[keras.metrics.MeanMetricWrapper(self._objective.accuracy, name="accuracy")],
        )

    def _features(self, photos: FaceBatches, sha1s: list[str], train: bool) -> FeatureBatches:
        folder = self.checkpoint.path.parent / ".features"
        return feature_batches(self.model, self.params, photos, sha1s, folder, train)

    def _rate(self, phase: Phase) -> Any:
        if phase.name == "head":
            return self.params.head_learning_rate
        steps = len(self.data.train) * phase.epochs
        warmup = math.ceil(steps * self.params.warmup)
        return keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=0.0 if warmup else self.params.learning_rate,
            decay_steps=max(1, steps - warmup),
            warmup_target=self.params.learning_rate if warmup else None,
            warmup_steps=warmup,
        )

    def _epoch(self, phase: Phase) -> bool:
        """Trains for an epoch; returns False where the loss stopped being a number."""
        start, number = time.monotonic(), len(self.progress.rows) + 1
        self._train.start_epoch(number - 1)
        what = "training" if self.params.weights == "none" else _WORDS[phase.name]
        title = f"epoch {number} ({what} {self.progress.epoch + 1}/{phase.epochs})"
        with track(range(len(self._train)), title, "batch") as bar:
            callbacks = [_Bar(bar), self._ema, keras.callbacks.TerminateOnNaN()]
            logs = self._trained.fit(self._train, verbose=0, shuffle=False, callbacks=callbacks).history
        if not math.isfinite(logs["loss"][-1]):
            self._diverged(number)
            return False
        rate = float(keras.ops.convert_to_numpy(self._trained.optimizer.learning_rate))
        with self._ema.in_place():
            loss, right = math.nan, math.nan
            if self._holdout is not None:
                loss, right = self._objective.evaluate(self._trained, self._holdout)
            values = (number, phase.name, logs["loss"][-1], logs["accuracy"][-1], loss, right, rate)
            self._record(dict(zip(HISTORY_COLUMNS, values, strict=True)))
        self.checkpoint.save(self.model, self._trained.optimizer, self.progress, self.best, self._ema.state())
        holdout = "" if self._holdout is None else f"holdout {right:.3f}, "
        say(
            f"{title}: loss {logs['loss'][-1]:.3f}, accuracy {logs['accuracy'][-1]:.3f}, "
            f"{holdout}{time.monotonic() - start:.0f} s"
        )
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

    def _diverged(self, number: int) -> None:
        if not self.best:
            raise FercompError(
                f"the loss is not a number in epoch {number}: lower train.learning_rate "
                f"(now {self.params.learning_rate}) or raise train.warmup"
            )
        say(f"epoch {number}: the loss is not a number; stopping, the best weights so far are kept")


class _Bar(keras.callbacks.Callback):
    """Moves a progress bar batch by batch and shows the running loss."""

    def __init__(self, bar: Any) -> None:
        super().__init__()
        self._bar = bar

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._bar.update()
        self._bar.set_postfix(loss=f"{(logs or {}).get('loss', math.nan):.3f}", refresh=False)
