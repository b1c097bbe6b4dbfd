"""Trains one network: the head with the backbone frozen, then fine-tuning of all of it."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from fercomp.core.params import TrainParams
from fercomp.core.progress import say
from fercomp.modeling.backend.devices import all_gpus, is_out_of_memory, precision
from fercomp.modeling.backend.engine import make_deterministic
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.checkpoint import Checkpoint
from fercomp.modeling.training.loop import Data, Fitted, Run
from fercomp.modeling.training.network import build_network
from fercomp.modeling.training.phases import Epochs, phases_of
from fercomp.modeling.training.targets import class_shares
from fercomp.modeling.training.training_set import TrainingData, TrainingSet


def fit(
    params: TrainParams,
    data: TrainingData,
    raw: Path,
    checkpoint_file: Path,
    epochs: Epochs | None = None,
    memory_gb: float = 2.0,
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
        epochs: How many epochs of each phase to train, where that is known. Without a holdout, the last
            weights are the best ones.
        memory_gb: Decoded photos of a split are kept in memory up to this size, and read anew each epoch
            above it.

    Returns:
        The network with its best weights.

    Raises:
        FercompError: The network cannot be built, or the loss is not a number.
    """
    while True:
        try:
            return _fit(params, data, raw, checkpoint_file, epochs, memory_gb)
        except Exception as error:
            if params.batch_size == 1 or not is_out_of_memory(error):
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
    memory_gb: float,
) -> Fitted:
    make_deterministic(params.seed)
    phases = phases_of(params, epochs)

    def batches(photos: TrainingSet, augmented: bool) -> FaceBatches:
        return FaceBatches(
            raw,
            photos.paths,
            photos.columns,
            params.size,
            params.batch_size,
            memory_gb,
            seed=params.seed if augmented else None,
            augmentation=params.augment if augmented else None,
            mixup=params.mixup if augmented else 0.0,
        )

    with precision(params.precision), all_gpus():
        model = build_network(params)
        shares = class_shares(data.train.targets)
        photos = Data(batches(data.train, augmented=True), shares, list(data.train.sha1s))
        if data.holdout is not None:
            held_out = batches(data.holdout, augmented=False)
            photos = replace(photos, holdout=held_out, holdout_sha1s=list(data.holdout.sha1s))
        checkpoint = Checkpoint(checkpoint_file, fingerprint(params, data, epochs))
        run = Run(params, model, photos, checkpoint)
        run.resume(phases)
        for i in range(run.progress.phase, len(phases)):
            run.phase(i, phases[i])
        return run.result()


def fingerprint(params: TrainParams, data: TrainingData, epochs: Epochs | None = None) -> str:
    """Returns a SHA-256 over everything that a run depends on, apart from the code."""
    digest = hashlib.sha256(json.dumps(params.model_dump(), sort_keys=True).encode())
    digest.update(data.fingerprint.encode())
    if epochs is not None:
        digest.update(json.dumps(epochs, sort_keys=True).encode())
    return digest.hexdigest()
