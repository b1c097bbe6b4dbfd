"""Trains one network: the head with the backbone frozen, then the whole of it."""

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.core.progress import say, track
from fercomp.modeling.average import RunningAverage, copies
from fercomp.modeling.backend import keras, make_deterministic
from fercomp.modeling.batches import FaceBatches
from fercomp.modeling.checkpoint import Checkpoint, Progress
from fercomp.modeling.devices import all_gpus, is_out_of_memory, precision
from fercomp.modeling.earlier import EarlierAnswers
from fercomp.modeling.features import FeatureBatches, feature_batches, head_of
from fercomp.modeling.losses import accuracy, make_loss
from fercomp.modeling.network import build_network, set_trainable
from fercomp.modeling.normalisation import fused_batch_normalisation
from fercomp.modeling.targets import class_shares, one_hot, training_targets

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Phase:
    """A part of training with an optimizer of its own.

    Attributes:
        name: `head` or `whole`.
        epochs: Largest number of epochs.
    """

    name: str
    epochs: int


@dataclass(frozen=True)
class Fitted:
    """A network that was trained.

    Attributes:
        model: The network with its best weights.
        history: One row per epoch: `epoch`, `phase`, `loss`, `accuracy`, `holdout_loss`,
            `holdout_accuracy`, `learning_rate`.
        best_epoch: The epoch the weights are from, counted from 1.
        params: How it was trained; batches may be smaller than asked for, where memory did not suffice.
    """

    model: keras.Model
    history: "pd.DataFrame"
    best_epoch: int
    params: TrainParams


HISTORY: Final = (
    "epoch",
    "phase",
    "loss",
    "accuracy",
    "holdout_loss",
    "holdout_accuracy",
    "learning_rate",
)

DATA: Final = ("image_path", "sha1", "emotion", "split", "suggested", "quality")
"""Columns of the index that trained weights depend on; the last two where `with_labels` joined them."""


def plan(params: TrainParams) -> tuple[Phase, ...]:
    """Returns the phases of a run: a backbone without weights has nothing to be kept frozen for.

    Raises:
        FercompError: There is nothing to train.
    """
    head = Phase("head", params.head_epochs if params.weights != "none" else 0)
    phases = tuple(phase for phase in (head, Phase("whole", params.epochs)) if phase.epochs)
    if not phases:
        raise FercompError("nothing to train: set train.epochs (or head_epochs, with weights) above 0")
    return phases


def fit(
    params: TrainParams,
    photos: "pd.DataFrame",
    raw: Path,
    checkpoint_file: Path,
    teacher: np.ndarray | None = None,
) -> Fitted:
    """Trains a network on the photos of split `train` and keeps the weights best on `holdout`.

    The best weights are those with the highest holdout accuracy; where two epochs tie, the earlier. A
    run that was killed goes on after its last finished epoch with the result of an unbroken run. Where a
    batch does not fit into memory, the run starts over with half of it and twice the accumulation, which
    takes the same steps.

    Args:
        params: How to train.
        photos: Table `PHOTOS`.
        raw: The folder that its paths are relative to.
        checkpoint_file: Where the state is kept between epochs; removed by the caller at the end. Features
            of a frozen backbone are cached beside it.
        teacher: Probabilities `(N, K)` to learn from, for the photos of split `train` in their order.

    Returns:
        The network with its best weights.

    Raises:
        FercompError: A split is empty, the network cannot be built, or the loss is not a number.
    """
    while True:
        try:
            return _fit(params, photos, raw, checkpoint_file, teacher)
        except Exception as error:
            if params.batch_size == 1 or not is_out_of_memory(error):
                raise
        half = params.batch_size // 2
        params = params.model_copy(update={"batch_size": half, "accumulate": params.accumulate * 2})
        say(
            f"the batch did not fit into memory: going on with {half} photos, "
            f"{params.accumulate} batches a step"
        )


def _fit(
    params: TrainParams, photos: "pd.DataFrame", raw: Path, checkpoint_file: Path, teacher: np.ndarray | None
) -> Fitted:
    make_deterministic(params.seed)
    phases = plan(params)
    train, holdout = (_photos_of(photos, split) for split in ("train", "holdout"))
    targets = training_targets(params, train, teacher)
    with precision(params.precision), all_gpus(), fused_batch_normalisation():
        model = build_network(params, len(EMOTIONS))
        data = _Data(
            _batches(params, train, raw, targets, augmented=True),
            _batches(params, holdout, raw, one_hot(holdout["emotion"].tolist(), EMOTIONS), augmented=False),
            class_shares(targets),
        )
        checkpoint = Checkpoint(checkpoint_file, fingerprint(params, photos, teacher))
        run = _Run(params, model, data, checkpoint, train["sha1"].tolist(), holdout["sha1"].tolist())
        run.resume(phases)
        for i in range(run.progress.phase, len(phases)):
            run.phase(i, phases[i])
        return run.result()


def fingerprint(params: TrainParams, photos: "pd.DataFrame", teacher: np.ndarray | None = None) -> str:
    """Returns a SHA-256 over everything the trained weights depend on, apart from the code."""
    digest = hashlib.sha256(json.dumps(params.model_dump(), sort_keys=True).encode())
    digest.update(data_fingerprint(photos).encode())
    if teacher is not None:
        digest.update(np.ascontiguousarray(teacher).tobytes())
    return digest.hexdigest()


def data_fingerprint(photos: "pd.DataFrame") -> str:
    """Returns a SHA-256 over the labelled photos: their bytes, splits, and given and taught labels."""
    labelled = photos.loc[photos["split"] != "test", [name for name in DATA if name in photos]]
    return hashlib.sha256(labelled.to_csv(index=False).encode()).hexdigest()


def _photos_of(photos: "pd.DataFrame", split: str) -> "pd.DataFrame":
    chosen = photos[photos["split"] == split]
    if chosen.empty:
        raise FercompError(f"no photo of split {split!r} in the index: run `fercomp prepare` on more photos")
    return chosen


def _batches(
    params: TrainParams, photos: "pd.DataFrame", raw: Path, targets: np.ndarray, augmented: bool
) -> FaceBatches:
    return FaceBatches(
        raw,
        photos["image_path"].tolist(),
        targets,
        params.size,
        params.batch_size,
        params.memory_gb,
        seed=params.seed if augmented else None,
        augmentation=params.augment if augmented else None,
        mixup=params.mixup if augmented else 0.0,
    )


@dataclass(frozen=True)
class _Data:
    """The photos of a run; `shares` is the share of each class in the training photos, `(K,)`."""

    train: FaceBatches
    holdout: FaceBatches
    shares: np.ndarray


class _Run:
    """The state of one training run; `phase` and `resume` change it, `result` reads it."""

    def __init__(
        self,
        params: TrainParams,
        model: keras.Model,
        data: _Data,
        checkpoint: Checkpoint,
        train_sha1s: list[str],
        holdout_sha1s: list[str],
    ) -> None:
        self.params = params
        self.model = model
        self.data = data
        self.checkpoint = checkpoint
        self.progress = Progress()
        self.best: list[np.ndarray] = []
        self.memory = EarlierAnswers(data.train) if params.loss == "elr" else None
        self._sha1s = (train_sha1s, holdout_sha1s)
        # What a phase trains, and on what: the network on faces, or its head on features.
        self._trained: keras.Model = model
        self._average = RunningAverage(model, 0.0)
        self._train: FaceBatches | FeatureBatches = data.train
        self._holdout: FaceBatches | FeatureBatches = data.holdout

    def resume(self, phases: Sequence[Phase]) -> None:
        saved = self.checkpoint.load()
        if saved is None:
            return
        self.progress, self.best = saved.progress, saved.best
        self._start(phases[saved.progress.phase])
        saved.restore(self.model, self._trained.optimizer)
        self._average.restore(saved.average)
        if self.memory is not None:
            self.memory.restore(saved.memory)
        say(f"going on after epoch {len(self.progress.rows)} of an earlier run")

    def phase(self, index: int, phase: Phase) -> None:
        if index != self.progress.phase or not self._trained.compiled:
            if index > 0:  # fine-tuning starts from the best head, not from the last one
                self.model.set_weights(self.best)
            self.progress.phase, self.progress.epoch, self.progress.stale = index, 0, 0
            self._start(phase)
        while self.progress.epoch < phase.epochs and self.progress.stale < self.params.patience:
            if not self._epoch(phase):
                return

    def result(self) -> Fitted:
        import pandas as pd

        self.model.set_weights(self.best)
        history = pd.DataFrame(self.progress.rows, columns=list(HISTORY))
        best_epoch = int(history["holdout_accuracy"].to_numpy().argmax()) + 1
        return Fitted(self.model, history, best_epoch, self.params)

    def _start(self, phase: Phase) -> None:
        """Makes ready what a phase trains: the head on features of the frozen backbone, or everything."""
        set_trainable(self.model, self.params, head_only=phase.name == "head")
        if phase.name == "head":
            folder = self.checkpoint.path.parent / ".features"
            self._trained = head_of(self.model)
            self._train, self._holdout = (
                feature_batches(self.model, self.params, batches, sha1s, folder, train)
                for batches, sha1s, train in zip(
                    (self.data.train, self.data.holdout), self._sha1s, (True, False), strict=True
                )
            )
        else:
            self._trained, self._train, self._holdout = self.model, self.data.train, self.data.holdout
        self._average = RunningAverage(self._trained, self.params.ema)
        optimizer = keras.optimizers.AdamW(
            self._rate(phase),
            weight_decay=self.params.weight_decay,
            gradient_accumulation_steps=self.params.accumulate if self.params.accumulate > 1 else None,
        )
        # Decay pulls towards zero, which means nothing for offsets and scales.
        optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        self._trained.compile(
            optimizer,
            make_loss(self.params, self.data.shares),
            metrics=[keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")],
        )

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
        title = f"epoch {number} ({phase.name} {self.progress.epoch + 1}/{phase.epochs})"
        with track(range(len(self._train)), title, "batch") as bar:
            callbacks = [_Bar(bar), self._average, keras.callbacks.TerminateOnNaN()]
            logs = self._trained.fit(self._train, verbose=0, shuffle=False, callbacks=callbacks).history
        if not math.isfinite(logs["loss"][-1]):
            self._diverged(number)
            return False
        if self.memory is not None and phase.name == "whole":
            self.memory.update(self.model)
        rate = float(keras.ops.convert_to_numpy(self._trained.optimizer.learning_rate))
        with self._average.in_place():
            loss, right = _log_loss_and_accuracy(self._trained, self._holdout)
            values = (number, phase.name, logs["loss"][-1], logs["accuracy"][-1], loss, right, rate)
            self._record(dict(zip(HISTORY, values, strict=True)))
        memory = [] if self.memory is None else self.memory.state()
        self.checkpoint.save(
            self.model, self._trained.optimizer, self.progress, self.best, self._average.state(), memory
        )
        say(
            f"{title}: loss {logs['loss'][-1]:.3f}, accuracy {logs['accuracy'][-1]:.3f}, "
            f"holdout {right:.3f}, {time.monotonic() - start:.0f} s"
        )
        return True

    def _record(self, row: dict[str, Any]) -> None:
        self.progress.rows.append(row)
        self.progress.epoch += 1
        self.progress.stale += 1
        if row["holdout_accuracy"] > self.progress.best_accuracy:
            self.progress.best_accuracy, self.progress.stale = row["holdout_accuracy"], 0
            self.best = copies(self.model.weights)

    def _diverged(self, number: int) -> None:
        if not self.best:
            raise FercompError(
                f"the loss is not a number in epoch {number}: lower train.learning_rate "
                f"(now {self.params.learning_rate}) or raise train.warmup"
            )
        say(f"epoch {number}: the loss is not a number; stopping, the best weights so far are kept")


def _log_loss_and_accuracy(model: keras.Model, batches: FaceBatches | FeatureBatches) -> tuple[float, float]:
    """Returns cross entropy, whatever the network is trained by, and accuracy on photos in their order."""
    # Not batch by batch: on several devices, `predict_on_batch` repeats what each of them says.
    answers = model.predict(batches, verbose=0)
    right = answers.argmax(axis=1) == batches.targets.argmax(axis=1)
    likelihood = np.clip((answers * batches.targets).sum(axis=1), 1e-7, 1.0)
    return float(-np.log(likelihood).mean()), float(right.mean())


class _Bar(keras.callbacks.Callback):
    """Moves a progress bar batch by batch and shows the running loss."""

    def __init__(self, bar: Any) -> None:
        super().__init__()
        self._bar = bar

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        self._bar.update()
        self._bar.set_postfix(loss=f"{(logs or {}).get('loss', math.nan):.3f}", refresh=False)
