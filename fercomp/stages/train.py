"""An experiment from index to bundle: train, export, calibrate, score, and write it all at once."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_folder, write_json
from fercomp.core.git import head
from fercomp.core.params import InferenceParams, Plan, TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.tables import (
    AXES,
    FLOAT_FORMAT,
    LABELS,
    PHOTOS,
    TARGETS,
    holdout_table,
    pred_probs,
    write_csv,
)
from fercomp.core.version import __version__
from fercomp.decisions.calibration import apply_temperature, fit_temperature
from fercomp.decisions.metrics import agreement, score
from fercomp.faces.detect import make_detector
from fercomp.faces.framing import measure_margin
from fercomp.media.images import read_image
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.keras_file import save_keras
from fercomp.modeling.bundle.card import CARD, GRAPH, HISTORY_FILE, HOLDOUT, KERAS_MODEL, Card, read_card
from fercomp.modeling.bundle.find import check_name, resolve_model
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_table
from fercomp.modeling.export.graph import export_openvino
from fercomp.modeling.training.fit import data_fingerprint, fit, taught_fingerprint
from fercomp.modeling.training.loop import Fitted
from fercomp.modeling.training.network import in_float32
from fercomp.modeling.training.points import with_points
from fercomp.modeling.training.targets import photos_of, points_of, with_labels
from fercomp.modeling.training.teacher import teacher_probs

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FRAMING_PHOTOS: Final = 300
"""Training photos looked at to measure how they are framed."""

TAUGHT: Final = "taught_sha256"
"""Where a card's `trained` says what photos, labels and teacher the network learned from."""


def train_experiment(name: str, plan: Plan, workspace: Workspace) -> Card:
    """Trains a network and writes its bundle.

    The bundle's folder is replaced as a whole when everything is done. A run that was killed goes on
    after its last finished epoch.

    Args:
        name: Name of the experiment and of its folder under `models/`.
        plan: How to train, and what to do with the network.
        workspace: Where the index is and the bundle goes.

    Returns:
        The card of the new bundle, with its scores on the holdout.

    Raises:
        FercompError: See `training.fit`; or the index is missing, or labels that `plan` asks for.
    """
    check_name(name)
    return train_bundle(workspace.bundle(name), name, plan, read_photos(plan.train, workspace), workspace)


def read_photos(params: TrainParams, workspace: Workspace, holdout_too: bool = False) -> "pd.DataFrame":
    """Reads the index, joined with suggested labels where `params.labels` asks for them.

    Args:
        params: How to train.
        workspace: Where the tables are.
        holdout_too: Photos of the holdout are training photos like all others, with labels as theirs.

    Returns:
        Table `PHOTOS`, and see `targets.with_labels`.

    Raises:
        FercompError: See `targets.with_labels`; or a table is missing.
    """
    photos = PHOTOS.read(workspace.photos)
    if holdout_too:
        photos["split"] = photos["split"].replace("holdout", "train")
    if params.labels == "given":
        return photos
    return with_labels(photos, LABELS.read(workspace.labels), params.labels)


def train_bundle(target: Path, name: str, plan: Plan, photos: "pd.DataFrame", workspace: Workspace) -> Card:
    """Trains a network on some photos and writes its bundle, as `train_experiment` does.

    Args:
        target: The bundle's folder.
        name: The name on its card, and of its checkpoint.
        plan: How to train, and what to do with the network.
        photos: Rows of table `PHOTOS`.
        workspace: Where photos, teachers and checkpoints are.

    Returns:
        The card of the new bundle.

    Raises:
        FercompError: See `training.fit`.
    """
    # Beside the bundles, not inside: the bundle's folder is replaced as a whole.
    checkpoint = workspace.training / f"{name}.npz"
    params = plan.train
    teacher = teacher_of(params, photos, workspace)
    photos = with_points(photos, params, workspace)
    fitted = fit(params, photos, workspace.raw, checkpoint, teacher, memory_gb=plan.machine.memory_gb)
    with atomic_folder(target) as folder:
        margin = _margin(plan.inference, photos, workspace.raw)
        card = write_network(folder, name, fitted, photos, plan.inference, margin)
        card.trained[TAUGHT] = taught_fingerprint(params, photos, teacher)
        card = _scored(folder, card, photos, workspace.raw)
    checkpoint.unlink(missing_ok=True)
    return card


def is_trained(target: Path, params: TrainParams, photos: "pd.DataFrame", workspace: Workspace) -> bool:
    """Tells whether a folder holds the bundle that `train_bundle` would write, code apart.

    Parameters that its card does not have yet, since they came with a later version, count as their defaults.
    """
    try:
        trained = read_card(target).trained
        used = TrainParams.model_validate(trained.get("params"))
    except (FercompError, ValidationError):  # none, damaged, of a version with other parameters, an ensemble
        return False
    while params.batch_size > used.batch_size:  # halved in training, where it did not fit into memory
        params = params.halved()
    if params.model_dump() != used.model_dump():
        return False
    teacher = teacher_of(params, photos, workspace)
    return bool(
        trained.get(TAUGHT) == taught_fingerprint(params, with_points(photos, params, workspace), teacher)
    )


def write_network(
    folder: Path,
    name: str,
    fitted: Fitted,
    photos: "pd.DataFrame",
    inference: InferenceParams,
    margin: float,
) -> Card:
    """Writes a trained network into a bundle: for the runtime where it can be exported, and for Keras.

    Args:
        folder: The bundle, which exists.
        name: The name on its card.
        fitted: The network.
        photos: The index that it was trained on.
        inference: How it is to be used.
        margin: As on the card.

    Returns:
        Its card, not written yet: temperature and scores are missing.
    """
    params = fitted.params
    write_csv(fitted.history, folder / HISTORY_FILE)
    save_keras(in_float32(fitted.model, params), folder / KERAS_MODEL)
    runtime = "openvino"
    (folder / GRAPH).parent.mkdir()
    try:
        export_openvino(folder / KERAS_MODEL, folder / GRAPH, inference.precision == "float16")
    except FercompError as error:
        say(f"{error}; the bundle runs on Keras")
        runtime = "keras"
    return Card(
        name=name,
        backbone=params.backbone,
        classes=params.class_names,
        head=params.head,
        size=params.size,
        margin=margin,
        runtime=runtime,
        trained=_provenance(params, photos, inference, fitted.best_epoch),
        flip=inference.flip,
        views=inference.views,
        scores={},
    )


def _scored(folder: Path, card: Card, photos: "pd.DataFrame", raw: Path) -> Card:
    """Finds temperature and scores on the holdout; writes its table and the card."""
    write_json(folder / CARD, card.model_dump())
    holdout = photos[photos["split"] == "holdout"]
    table = predict_table(load_bundle(folder), raw, holdout["image_path"].tolist())
    probabilities = pred_probs(table, card.classes)
    labels = card.rule.indices(holdout["emotion"].tolist(), str(folder / HOLDOUT))
    temperature = fit_temperature(probabilities, labels)
    table[list(card.classes)] = calibrated = apply_temperature(probabilities, temperature)
    table.insert(1, "emotion", holdout["emotion"].to_numpy())
    scores = score(calibrated, labels).rounded()
    if card.head != "emotion":
        meant = points_of(holdout)
        scores |= agreement(table[list(AXES)].to_numpy(), meant)
        # As text, since a missing number would be an empty cell, which is none.
        table[list(TARGETS)] = [[FLOAT_FORMAT % value for value in point] for point in meant]
    holdout_table(card.classes, points=card.head != "emotion").write(table, folder / HOLDOUT)
    card = card.model_copy(update={"temperature": temperature, "scores": scores})
    write_json(folder / CARD, card.model_dump())
    return card


def teacher_of(params: TrainParams, photos: "pd.DataFrame", workspace: Workspace) -> "np.ndarray | None":
    """Returns what the teachers, if there are any, say of the training photos: `(N, K)` float, their mean."""
    if not params.teachers:
        return None
    paths = photos_of(photos, "train", params.class_names)["image_path"].tolist()
    folders = [resolve_model(name, workspace) for name in params.teachers]
    said = [
        teacher_probs(folder, params.class_names, workspace.raw, paths, workspace.training)
        for folder in folders
    ]
    mean: np.ndarray = sum(said[1:], said[0]) / len(said)
    return mean


def _margin(inference: InferenceParams, photos: "pd.DataFrame", raw: Path) -> float:
    if inference.margin is not None:
        return inference.margin
    train = photos.loc[photos["split"] == "train", "image_path"]
    some = train.iloc[:: max(1, len(train) // FRAMING_PHOTOS)]
    return measure_margin((read_image(raw / path) for path in some), make_detector("yunet"))


def _provenance(
    params: TrainParams, photos: "pd.DataFrame", inference: InferenceParams, best_epoch: int
) -> dict[str, Any]:
    return {
        "params": params.model_dump(),
        "inference": inference.model_dump(),
        "best_epoch": best_epoch,
        "photos": len(photos_of(photos, "train", params.class_names)),
        "data_sha256": data_fingerprint(photos),
        "git_commit": head(),
        "packages": {
            "fercomp": __version__,
            "python": platform.python_version(),
            **{
                package: version(package)
                for package in dict.fromkeys(("keras", "tensorflow", keras.backend.backend(), "openvino"))
            },
        },
    }
