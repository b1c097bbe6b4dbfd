"""What a network is taught: the index of photos, with what tables and teachers say of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fercomp.core.params import MachineParams, Plan, TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.tables import LABELS, PHOTOS
from fercomp.data.cache import PhotoCache
from fercomp.modeling.bundle.card_keys import TAUGHT
from fercomp.modeling.bundle.find import resolve_model
from fercomp.modeling.bundle.kind import evenly, seen_traits
from fercomp.modeling.training.points import with_points
from fercomp.modeling.training.targets import learnable_tests, photos_of, some_photos, with_labels
from fercomp.modeling.training.teacher import accept_teacher, check_teacher_of_tests, kept_probs
from fercomp.modeling.training.training_set import TrainingData, data_fingerprint, training_data
from fercomp.modeling.training.view_teacher import Teacher, ViewTeacher

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COLOUR: Final = 8.0
"""Mean distance of a photo's largest from its smallest channel, of 255, from which on it is in colour: JPEG
alone makes 1 or 2 of a grey photo that was stored in colour."""


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


def with_grey_decided(plan: Plan, photos: "pd.DataFrame", workspace: Workspace) -> Plan:
    """Decides what is left to the photos: whether a network sees grey where that is `auto`.

    Args:
        plan: How to train, and how many photos are kept, decoded.
        photos: From `read_photos`, of which a few hundred training photos are looked at.
        workspace: Where they are.

    Returns:
        The plan with `grey` true or false.
    """
    if plan.train.grey != "auto":
        return plan
    train = photos.loc[photos["split"] == "train", "image_path"]
    cache = PhotoCache(workspace.decoded, plan.machine.cache_gb)
    faces = cache.photos(workspace.raw, train.iloc[evenly(len(train))].tolist(), plan.train.size)
    colours = [seen_traits(batch)["colour"].max() for batch in faces.in_batches(64)]
    return plan.changed(grey=bool(colours and max(colours) < COLOUR))


def what_is_taught(
    params: TrainParams,
    photos: "pd.DataFrame",
    workspace: Workspace,
    machine: MachineParams,
    holdout: bool = True,
) -> "tuple[pd.DataFrame, TrainingData]":
    """Makes what a network learns from, of photos and their labels, points, and a teacher's word.

    Args:
        params: How to train.
        photos: From `read_photos`.
        workspace: Where the points are, and the teachers.
        machine: What this machine can bear when it asks them.
        holdout: Whether the photos of split `holdout` are held out; otherwise there are none of that split.

    Returns:
        The photos, as many as `params` asks for, with points where the network gives some; and what it
        learns from.

    Raises:
        FercompError: Something is missing.
    """
    photos = some_photos(photos, params.photos, params.class_names, params.seed)
    photos = with_points(photos, params, workspace)
    teacher = teacher_of(params, photos, workspace, machine)
    of_tests = _of_tests(params, photos, workspace, machine) if params.test_photos else None
    return photos, training_data(params, photos, teacher, holdout, of_tests)


def card_entries(photos: "pd.DataFrame", data: TrainingData) -> dict[str, Any]:
    """Returns what a card says, in `trained`, of what the network learned from."""
    said = {"photos": len(data.train) - data.tests, "data_sha256": data_fingerprint(photos)}
    tests = {"test_photos": data.tests} if data.tests else {}
    return {**said, **tests, TAUGHT: data.fingerprint}


def teacher_of(
    params: TrainParams, photos: "pd.DataFrame", workspace: Workspace, machine: MachineParams
) -> Teacher:
    """Returns what the teachers, if there are any, say of the training photos: `(N, K)` float, their mean.

    With `teacher_view`, the teachers themselves, who are asked about each view.
    """
    if not params.teachers:
        return None
    train = photos_of(photos, "train", params.class_names)
    paths = train["image_path"].tolist()
    folders = [resolve_model(name, workspace) for name in params.teachers]
    if params.teacher_view:
        folds = dict(zip(paths, train["fold"].tolist(), strict=True))
        return ViewTeacher(folders, params.class_names, folds, params.teacher_weight, params.label_smoothing)
    for folder in folders:
        accept_teacher(folder, params.class_names)
    return _mean_of(folders, paths, params, workspace, machine)


def _of_tests(
    params: TrainParams, photos: "pd.DataFrame", workspace: Workspace, machine: MachineParams
) -> "np.ndarray":
    folders = [resolve_model(name, workspace) for name in params.teachers]
    for folder in folders:
        check_teacher_of_tests(folder, params.class_names)
    paths = learnable_tests(photos)["image_path"].tolist()
    return _mean_of(folders, paths, params, workspace, machine, together=True)


def _mean_of(
    folders: list[Path],
    paths: list[str],
    params: TrainParams,
    workspace: Workspace,
    machine: MachineParams,
    together: bool = False,
) -> "np.ndarray":
    cache = PhotoCache(workspace.decoded, machine.cache_gb)
    how = (workspace.raw, paths, workspace.training, cache, machine.device, together)
    said = [kept_probs(folder, params.class_names, *how) for folder in folders]
    mean: np.ndarray = sum(said[1:], said[0]) / len(said)
    return mean
