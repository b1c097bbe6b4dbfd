"""Trains one network: the head with the backbone frozen, then fine-tuning of all of it."""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fercomp.core.params import TrainParams
from fercomp.core.progress import say
from fercomp.data.cache import PhotoCache
from fercomp.modeling.backend.devices import all_devices, is_out_of_memory, precision
from fercomp.modeling.backend.engine import keras, make_deterministic
from fercomp.modeling.backend.hosts import processes
from fercomp.modeling.backend.share import Sharing
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.checkpoint import Checkpoint
from fercomp.modeling.training.features import feature_batches
from fercomp.modeling.training.loop import Data, Run, Steps
from fercomp.modeling.training.losses import make_loss
from fercomp.modeling.training.network import build_network, frozen_layers, in_float32
from fercomp.modeling.training.objective import Objective
from fercomp.modeling.training.phases import Epochs, phases_of
from fercomp.modeling.training.targets import class_shares
from fercomp.modeling.training.training_set import TrainingData

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fitted:
    """A network that was trained.

    Attributes:
        model: The network with its best weights, which computes in float32.
        history: One row per epoch: `epoch`, `phase`, `loss`, `accuracy`, `holdout_loss`,
            `holdout_accuracy`, `learning_rate`; NaN where there was no holdout.
        best_epoch: The epoch the weights are from, counted from 1.
        params: How it was trained; batches may be smaller than asked for, where memory did not suffice.
        cut: Whether `params.minutes` ended the training.
    """

    model: keras.Model
    history: "pd.DataFrame"
    best_epoch: int
    params: TrainParams
    cut: bool = False


def fit(
    params: TrainParams,
    data: TrainingData,
    raw: Path,
    checkpoint_file: Path,
    epochs: Epochs | None = None,
    cache: PhotoCache | None = None,
) -> Fitted:
    """Trains a network and keeps the weights that are best on the holdout.

    The best weights are those with the highest accuracy on the holdout photos whose label the network can
    name, or of points alone those with the least loss; where two epochs tie, the earlier. A run that was
    killed goes on after its last finished epoch with the result of an unbroken run. Where a batch does not
    fit into memory, the run starts over with half of it and twice the accumulation, which takes the same
    steps.

    Args:
        params: How to train.
        data: What to learn from.
        raw: The folder that its paths are relative to.
        checkpoint_file: Where the state is kept between epochs; removed by the caller at the end. Features
            of a frozen backbone are cached beside it.
        epochs: How many epochs of each phase to train, where that is known, whatever `params.minutes`.
            Without a holdout, the last weights are the best ones.
        cache: Where decoded photos are kept; without one, they are decoded anew in each epoch.

    Returns:
        The network with its best weights.

    Raises:
        FercompError: The network cannot be built, or the loss is not a number.
    """
    while True:
        try:
            return _fit(params, data, raw, checkpoint_file, epochs, cache)
        except Exception as error:
            if params.batch_size == 1 or not is_out_of_memory(error) or processes() > 1:
                raise
        params = params.halved()
        say(
            f"the batch did not fit into memory: going on with {params.batch_size} photos, "
            f"{params.accumulate} batches a step"
        )


def _fit(
    params: TrainParams,
    data: TrainingData,
    raw: Path,
    checkpoint_file: Path,
    epochs: Epochs | None,
    cache: PhotoCache | None,
) -> Fitted:
    make_deterministic(params.seed)
    phases = phases_of(params, epochs)
    checkpoint = Checkpoint(checkpoint_file, fingerprint(params, data, epochs))
    with precision(params.precision), all_devices() as share:
        model = network_of(params, params.weights)
        frozen_layers(model, params.unfreeze)  # says now what would end the run after the head's epochs
        train, holdout = _photos(params, data, raw, cache, share)

        def features() -> Data:
            folder = checkpoint_file.parent / ".features"
            say_of = partial(feature_batches, model, folder=folder, seed=params.seed, share=share)
            views = say_of(train, augmentation=params.augment, views=params.head_views)
            return Data(views, None if holdout is None else say_of(holdout))

        steps, objective = _steps(params, epochs), _objective(params, data)
        run = Run(model, objective, steps, Data(train, holdout), features, checkpoint)
        if holdout is not None:
            say("each epoch is scored on the holdout by one view of each photo")
        run.resume(phases)
        for i in range(run.progress.phase, len(phases)):
            run.phase(i, phases[i])
        history, best_epoch = run.result()
    model = in_float32(model, partial(network_of, params))
    return Fitted(model, history, best_epoch, params, run.progress.cut)


def network_of(params: TrainParams, weights: str = "none") -> keras.Model:
    """Builds the network that parameters ask for, the backbone with these weights (`TrainParams.weights`)."""
    return build_network(
        params.backbone,
        params.size,
        weights,
        classes=len(params.class_names),
        head=params.head,
        dropout=params.dropout,
        hidden=params.hidden,
        seed=params.seed,
        grey=params.grey is True,
    )


def _photos(
    params: TrainParams, data: TrainingData, raw: Path, cache: PhotoCache | None, share: Sharing
) -> tuple[FaceBatches, FaceBatches | None]:
    """Returns the photos to train on, changed at random, and those of the holdout as they are."""
    read = partial(
        FaceBatches, raw=raw, size=params.size, batch_size=params.batch_size, cache=cache, share=share
    )
    train = read(
        data.train,
        seed=params.seed,
        augmentation=params.augment,
        mixup=params.mixup,
        cutmix=params.cutmix,
        teacher=data.teacher,
    )
    return train, None if data.holdout is None else read(data.holdout)


def _objective(params: TrainParams, data: TrainingData) -> Objective:
    loss = make_loss(params.loss, params.balance, class_shares(data.train.targets))
    return Objective(params.head, params.class_names, loss, params.va_loss, params.va_weight)


def _steps(params: TrainParams, epochs: Epochs | None) -> Steps:
    return Steps(
        params.weight_decay,
        params.accumulate,
        params.ema,
        keep_batch_norm=params.batch_norm == "keep",
        patience=params.patience,
        unfreeze=params.unfreeze,
        layer_decay=params.layer_decay,
        minutes=params.minutes if epochs is None else None,
    )


def fingerprint(params: TrainParams, data: TrainingData, epochs: Epochs | None = None) -> str:
    """Returns a SHA-256 over everything that a run depends on, apart from the code."""
    digest = hashlib.sha256(json.dumps(params.model_dump(), sort_keys=True).encode())
    digest.update(data.fingerprint.encode())
    if epochs is not None:
        digest.update(json.dumps(epochs, sort_keys=True).encode())
    return digest.hexdigest()
