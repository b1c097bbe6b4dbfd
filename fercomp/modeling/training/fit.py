"""Trains one network: the head with the backbone frozen, then the whole of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.core.progress import say
from fercomp.modeling.backend.devices import all_gpus, is_out_of_memory, precision
from fercomp.modeling.backend.engine import make_deterministic
from fercomp.modeling.backend.normalisation import fused_batch_normalisation
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.checkpoint import Checkpoint
from fercomp.modeling.training.loop import Data, Fitted, Phase, Run
from fercomp.modeling.training.network import build_network
from fercomp.modeling.training.targets import (
    beside_points,
    class_shares,
    one_hot,
    only_with_points,
    photos_of,
    points_of,
    training_targets,
)

if TYPE_CHECKING:
    import pandas as pd


DATA: Final = ("image_path", "sha1", "emotion", "split", "duplicate_group", "recompressed", *EMOTIONS)
"""Columns of the index that trained weights depend on; those of emotions where `with_labels` joined them."""


Epochs = Mapping[str, int]
"""How many epochs of each phase to train, by the phase's name."""


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


def fit(
    params: TrainParams,
    photos: "pd.DataFrame",
    raw: Path,
    checkpoint_file: Path,
    teacher: np.ndarray | None = None,
    epochs: Epochs | None = None,
    memory_gb: float = 2.0,
) -> Fitted:
    """Trains a network on the photos of split `train` and keeps the weights best on `holdout`.

    The best weights are those with the highest accuracy on the holdout photos whose label the network can
    name, or of points alone those with the least loss; where two epochs tie, the earlier. A run that was
    killed goes on after its last finished epoch with the result of an unbroken run. Where a batch does not
    fit into memory, the run starts over with half of it and twice the accumulation, which takes the same
    steps.

    Args:
        params: How to train.
        photos: Table `PHOTOS`, from `affect.with_points` where the network gives points.
        raw: The folder that its paths are relative to.
        checkpoint_file: Where the state is kept between epochs; removed by the caller at the end. Features
            of a frozen backbone are cached beside it.
        teacher: Probabilities `(N, K)` to learn from, for the photos of split `train` whose label is one of
            the classes, in their order.
        epochs: How many epochs of each phase to train, where that is known. Then no photo is held out, and
            the last weights are the best ones.
        memory_gb: Decoded photos of a split are kept in memory up to this size, and read anew each epoch
            above it.

    Returns:
        The network with its best weights.

    Raises:
        FercompError: A split is empty, the network cannot be built, or the loss is not a number.
    """
    while True:
        try:
            return _fit(params, photos, raw, checkpoint_file, teacher, epochs, memory_gb)
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
    photos: "pd.DataFrame",
    raw: Path,
    checkpoint_file: Path,
    teacher: np.ndarray | None,
    epochs: Epochs | None,
    memory_gb: float,
) -> Fitted:
    make_deterministic(params.seed)
    phases = phases_of(params, epochs)
    train = photos_of(photos, "train", params.class_names)
    targets = training_targets(params, train, teacher)
    shares = class_shares(targets)
    if params.head != "emotion":
        targets = beside_points(targets, train)
    if params.head == "valence_arousal":
        train, targets = only_with_points(train, targets)
    with precision(params.precision), all_gpus(), fused_batch_normalisation():
        model = build_network(params)
        batches = _batches(params, train, raw, targets, memory_gb, augmented=True)
        data = Data(batches, shares, train["sha1"].tolist())
        if epochs is None:
            data = _with_holdout(data, params, photos, raw, memory_gb)
        checkpoint = Checkpoint(checkpoint_file, fingerprint(params, photos, teacher, epochs))
        run = Run(params, model, data, checkpoint)
        run.resume(phases)
        for i in range(run.progress.phase, len(phases)):
            run.phase(i, phases[i])
        return run.result()


def _with_holdout(
    data: Data, params: TrainParams, photos: "pd.DataFrame", raw: Path, memory_gb: float
) -> Data:
    holdout = photos_of(photos, "holdout", params.class_names)
    given = one_hot(holdout["emotion"].tolist(), params.class_names)
    if params.head != "emotion":
        given = beside_points(given, holdout)
    batches = _batches(params, holdout, raw, given, memory_gb, augmented=False)
    return replace(data, holdout=batches, holdout_sha1s=holdout["sha1"].tolist())


def fingerprint(
    params: TrainParams,
    photos: "pd.DataFrame",
    teacher: np.ndarray | None = None,
    epochs: Epochs | None = None,
) -> str:
    """Returns a SHA-256 over everything the trained weights depend on, apart from the code."""
    digest = hashlib.sha256(json.dumps(params.model_dump(), sort_keys=True).encode())
    digest.update(taught_fingerprint(params, photos, teacher).encode())
    if epochs is not None:
        digest.update(json.dumps(epochs, sort_keys=True).encode())
    return digest.hexdigest()


def taught_fingerprint(params: TrainParams, photos: "pd.DataFrame", teacher: np.ndarray | None = None) -> str:
    """Returns a SHA-256 over what is taught: labelled photos, their points, what a teacher says of them."""
    digest = hashlib.sha256(data_fingerprint(photos).encode())
    if params.head != "emotion":
        digest.update(points_of(photos).tobytes())
    if teacher is not None:
        digest.update(np.ascontiguousarray(teacher).tobytes())
    return digest.hexdigest()


def data_fingerprint(photos: "pd.DataFrame") -> str:
    """Returns a SHA-256 over the columns `DATA` of the labelled photos."""
    labelled = photos.loc[photos["split"] != "test", [name for name in DATA if name in photos]]
    return hashlib.sha256(labelled.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def _batches(
    params: TrainParams,
    photos: "pd.DataFrame",
    raw: Path,
    targets: np.ndarray,
    memory_gb: float,
    augmented: bool,
) -> FaceBatches:
    return FaceBatches(
        raw,
        photos["image_path"].tolist(),
        targets,
        params.size,
        params.batch_size,
        memory_gb,
        seed=params.seed if augmented else None,
        augmentation=params.augment if augmented else None,
        mixup=params.mixup if augmented else 0.0,
    )
