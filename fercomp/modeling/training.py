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
from fercomp.modeling.backend import keras, make_deterministic
from fercomp.modeling.batches import FaceBatches
from fercomp.modeling.checkpoint import Checkpoint, Progress
from fercomp.modeling.network import build_network, set_trainable

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
    """

    model: keras.Model
    history: "pd.DataFrame"
    best_epoch: int


HISTORY: Final = (
    "epoch",
    "phase",
    "loss",
    "accuracy",
    "holdout_loss",
    "holdout_accuracy",
    "learning_rate",
)


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


def one_hot(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Returns targets `(N, K)` float32 with a 1 at each label's class."""
    indices = [classes.index(label) for label in labels]
    targets: np.ndarray = np.eye(len(classes), dtype=np.float32)[indices]
    return targets


def fit(params: TrainParams, photos: "pd.DataFrame", raw: Path, checkpoint_file: Path) -> Fitted:
    """Trains a network on the photos of split `train` and keeps the weights best on `holdout`.

    The best weights are those with the highest holdout accuracy; where two epochs tie, the earlier. A
    run that was killed goes on after its last finished epoch with the result of an unbroken run.

    Args:
        params: How to train.
        photos: Table `PHOTOS`.
        raw: The folder that its paths are relative to.
        checkpoint_file: Where the state is kept between epochs; removed by the caller at the end.

    Returns:
        The network with its best weights.

    Raises:
        FercompError: A split is empty, the network cannot be built, or the loss is not a number.
    """
    make_deterministic(params.seed)
    phases = plan(params)
    model = build_network(params, len(EMOTIONS))
    train, holdout = (_batches(params, photos, raw, split) for split in ("train", "holdout"))
    run = _Run(params, model, train, holdout, Checkpoint(checkpoint_file, fingerprint(params, photos)))
    run.resume(phases)
    for i in range(run.progress.phase, len(phases)):
        run.phase(i, phases[i])
    return run.result()


def fingerprint(params: TrainParams, photos: "pd.DataFrame") -> str:
    """Returns a SHA-256 over everything the trained weights depend on, apart from the code."""
    digest = hashlib.sha256(json.dumps(params.model_dump(), sort_keys=True).encode())
    digest.update(data_fingerprint(photos).encode())
    return digest.hexdigest()


def data_fingerprint(photos: "pd.DataFrame") -> str:
    """Returns a SHA-256 over the labelled photos: their bytes, labels and splits."""
    labelled = photos.loc[photos["split"] != "test", ["image_path", "sha1", "emotion", "split"]]
    return hashlib.sha256(labelled.to_csv(index=False).encode()).hexdigest()


def _batches(params: TrainParams, photos: "pd.DataFrame", raw: Path, split: str) -> FaceBatches:
    chosen = photos[photos["split"] == split]
    if chosen.empty:
        raise FercompError(f"no photo of split {split!r} in the index: run `fercomp prepare` on more photos")
    return FaceBatches(
        raw,
        chosen["image_path"].tolist(),
        one_hot(chosen["emotion"].tolist(), EMOTIONS),
        params.size,
        params.batch_size,
        params.memory_gb,
        seed=params.seed if split == "train" else None,
    )


class _Run:
    """The state of one training run; `phase` and `resume` change it, `result` reads it."""

    def __init__(
        self,
        params: TrainParams,
        model: keras.Model,
        train: FaceBatches,
        holdout: FaceBatches,
        checkpoint: Checkpoint,
    ) -> None:
        self.params = params
        self.model = model
        self.train = train
        self.holdout = holdout
        self.checkpoint = checkpoint
        self.progress = Progress()
        self.best: list[np.ndarray] = []

    def resume(self, phases: Sequence[Phase]) -> None:
        saved = self.checkpoint.load()
        if saved is None:
            return
        self.progress, self.best = saved.progress, saved.best
        self._compile(phases[saved.progress.phase])
        saved.restore(self.model)
        say(f"going on after epoch {len(self.progress.rows)} of an earlier run")

    def phase(self, index: int, phase: Phase) -> None:
        if index != self.progress.phase or not self.model.compiled:
            if index > 0:  # fine-tuning starts from the best head, not from the last one
                self.model.set_weights(self.best)
            self.progress.phase, self.progress.epoch, self.progress.stale = index, 0, 0
            self._compile(phase)
        while self.progress.epoch < phase.epochs and self.progress.stale < self.params.patience:
            if not self._epoch(phase):
                return

    def result(self) -> Fitted:
        import pandas as pd

        self.model.set_weights(self.best)
        history = pd.DataFrame(self.progress.rows, columns=list(HISTORY))
        return Fitted(self.model, history, int(history["holdout_accuracy"].to_numpy().argmax()) + 1)

    def _compile(self, phase: Phase) -> None:
        set_trainable(self.model, self.params, head_only=phase.name == "head")
        optimizer = keras.optimizers.AdamW(self._rate(phase), weight_decay=self.params.weight_decay)
        # Decay pulls towards zero, which means nothing for offsets and scales.
        optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        self.model.compile(
            optimizer,
            keras.losses.CategoricalCrossentropy(label_smoothing=self.params.label_smoothing),
            metrics=["accuracy"],
        )

    def _rate(self, phase: Phase) -> Any:
        if phase.name == "head":
            return self.params.head_learning_rate
        steps = len(self.train) * phase.epochs
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
        self.train.start_epoch(number - 1)
        title = f"epoch {number} ({phase.name} {self.progress.epoch + 1}/{phase.epochs})"
        with track(range(len(self.train)), title, "batch") as bar:
            callbacks = [_Bar(bar), keras.callbacks.TerminateOnNaN()]
            logs = self.model.fit(self.train, verbose=0, shuffle=False, callbacks=callbacks).history
        if not math.isfinite(logs["loss"][-1]):
            self._diverged(number)
            return False
        loss, accuracy = self.model.evaluate(self.holdout, verbose=0)
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        values = (number, phase.name, logs["loss"][-1], logs["accuracy"][-1], loss, accuracy, rate)
        self._keep(dict(zip(HISTORY, values, strict=True)))
        say(
            f"{title}: loss {logs['loss'][-1]:.3f}, accuracy {logs['accuracy'][-1]:.3f}, "
            f"holdout {accuracy:.3f}, {time.monotonic() - start:.0f} s"
        )
        return True

    def _keep(self, row: dict[str, Any]) -> None:
        self.progress.rows.append(row)
        self.progress.epoch += 1
        self.progress.stale += 1
        if row["holdout_accuracy"] > self.progress.best_accuracy:
            self.progress.best_accuracy, self.progress.stale = row["holdout_accuracy"], 0
            self.best = self.model.get_weights()
        self.checkpoint.save(self.model, self.progress, self.best)

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
