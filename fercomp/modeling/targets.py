"""What a network is taught: one distribution over the classes for each training photo."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams

if TYPE_CHECKING:
    import pandas as pd


def photos_of(photos: "pd.DataFrame", split: str, classes: Sequence[str]) -> "pd.DataFrame":
    """Returns the photos of a split whose label is one of the classes.

    Raises:
        FercompError: There is none.
    """
    chosen = photos[(photos["split"] == split) & photos["emotion"].isin(classes)]
    if chosen.empty:
        raise FercompError(f"no photo of split {split!r} in the index: run `fercomp prepare` on more photos")
    return chosen


def one_hot(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Returns targets `(N, K)` float32 with a 1 at each label's class."""
    indices = [classes.index(label) for label in labels]
    targets: np.ndarray = np.eye(len(classes), dtype=np.float32)[indices]
    return targets


def training_targets(params: TrainParams, photos: "pd.DataFrame", teacher: np.ndarray | None) -> np.ndarray:
    """Returns what the photos of one split are taught as.

    Args:
        params: `classes`, `duplicate_labels`, `teacher_weight` and `label_smoothing`.
        photos: N rows of table `PHOTOS`, all labelled with one of the classes.
        teacher: A teacher's probabilities of these photos `(N, K)`; `None` without a teacher.

    Returns:
        `(N, K)` float32, rows sum to 1.
    """
    targets = one_hot(photos["emotion"].tolist(), params.class_names)
    if params.duplicate_labels == "soft":
        targets = group_means(targets, photos["duplicate_group"].to_numpy())
    if teacher is not None:
        targets = (1 - params.teacher_weight) * targets + params.teacher_weight * teacher
    smoothed = (1 - params.label_smoothing) * targets + params.label_smoothing / targets.shape[1]
    result: np.ndarray = smoothed.astype(np.float32)
    return result


def points_of(photos: "pd.DataFrame") -> np.ndarray:
    """Returns the points that photos are taught as, `(N, 2)` float32, NaN where there is none."""
    points: np.ndarray = photos[["valence", "arousal"]].to_numpy(dtype=np.float32)
    return points


def beside_points(targets: np.ndarray, photos: "pd.DataFrame") -> np.ndarray:
    """Returns targets `(N, K)` with the photos' points as two further columns."""
    return np.concatenate([targets, points_of(photos)], axis=1)


def only_with_points(photos: "pd.DataFrame", targets: np.ndarray) -> "tuple[pd.DataFrame, np.ndarray]":
    """Returns the photos, and their targets `(N, K + 2)`, that have a point.

    Raises:
        FercompError: There is none.
    """
    known = ~np.isnan(targets[:, -2:]).any(axis=1)
    if not known.any():
        raise FercompError(
            "no training photo has valence and arousal: are the paths of train.va_targets those of "
            "datasets/photos.csv?"
        )
    return photos[known], targets[known]


def group_means(targets: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Gives every copy of a picture the mean of what its copies are labelled.

    Several people's opinions of one picture are worth more than one of them, and a network that is told
    opposite things of equal photos can only learn their mean.

    Args:
        targets: `(N, K)` float32.
        groups: `(N,)` int; photos with the same number show the same picture.

    Returns:
        `(N, K)` float32.
    """
    _, member, count = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.zeros((len(count), targets.shape[1]))
    np.add.at(sums, member, targets)
    means: np.ndarray = (sums / count[:, None])[member]
    return means.astype(np.float32)


def class_shares(targets: np.ndarray) -> np.ndarray:
    """Returns the share of each class in targets `(N, K)`: `(K,)` float32, above 0, sums to 1."""
    # One photo more of every class, so that a class nobody has seen divides nothing by zero.
    shares: np.ndarray = (targets.sum(axis=0) + 1) / (len(targets) + targets.shape[1])
    return shares.astype(np.float32)
