"""What a network learns from, made once before it is trained: photos, and what each of them is taught as."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.modeling.training.targets import (
    learnable_tests,
    one_hot,
    photos_of,
    points_of,
    smoothed,
    training_targets,
)
from fercomp.modeling.training.view_teacher import Teacher, ViewTeacher

if TYPE_CHECKING:
    import pandas as pd

DATA: Final = ("image_path", "sha1", "emotion", "split", "duplicate_group", "recompressed", *EMOTIONS)
"""Columns of the index that trained weights depend on; those of emotions where `with_labels` joined them."""


@dataclass(frozen=True)
class TrainingSet:
    """N photos and what they are taught as.

    Attributes:
        paths: Their paths, relative to the folder of photos.
        targets: `(N, K)` float32, a distribution over the classes for each; zeros for a label that is none.
        points: `(N, 2)` float32, valence and arousal, NaN where a photo has none; `None` for networks that
            give no point.
        sha1s: SHA-1 of each photo's file.
    """

    paths: tuple[str, ...]
    targets: np.ndarray
    points: np.ndarray | None
    sha1s: tuple[str, ...]

    def __len__(self) -> int:
        """Returns the number of photos, N."""
        return len(self.paths)

    @property
    def columns(self) -> np.ndarray:
        """What a batch carries: the targets, and the points as two further columns where there are any."""
        return self.targets if self.points is None else np.concatenate([self.targets, self.points], axis=1)

    def joined(self, other: "TrainingSet") -> "TrainingSet":
        """Returns these photos and others after them; both have points, or neither."""
        points = None
        if self.points is not None and other.points is not None:
            points = np.concatenate([self.points, other.points])
        targets = np.concatenate([self.targets, other.targets])
        return TrainingSet(self.paths + other.paths, targets, points, self.sha1s + other.sha1s)

    def with_points_only(self) -> "TrainingSet":
        """Returns the photos that have a point.

        Raises:
            FercompError: There is none.
        """
        known = np.zeros(len(self), bool) if self.points is None else ~np.isnan(self.points).any(axis=1)
        if self.points is None or not known.any():
            raise FercompError(
                "no training photo has valence and arousal: are the paths of train.va_targets those of "
                "datasets/photos.csv?"
            )
        rows = np.flatnonzero(known)
        paths, sha1s = (tuple(values[row] for row in rows) for values in (self.paths, self.sha1s))
        return TrainingSet(paths, self.targets[rows], self.points[rows], sha1s)


@dataclass(frozen=True)
class TrainingData:
    """All that a run learns from.

    Attributes:
        train: The photos that are trained on.
        holdout: The photos that say which weights are best, with their given labels; `None` where none is
            held out.
        fingerprint: SHA-256 over the photos, their labels and points, and what a teacher says.
        tests: How many of the photos that are trained on, the last ones, are test photos.
        teacher: Who is asked about each view of a photo, beside its target; `None` for nobody.
    """

    train: TrainingSet
    holdout: TrainingSet | None
    fingerprint: str
    tests: int = 0
    teacher: ViewTeacher | None = None


def training_data(
    params: TrainParams,
    photos: "pd.DataFrame",
    teacher: Teacher = None,
    holdout: bool = True,
    of_tests: np.ndarray | None = None,
) -> TrainingData:
    """Makes what a network learns from.

    Args:
        params: What is taught: classes, head, and how labels, copies and the teacher are weighed.
        photos: Table `PHOTOS`, from `with_labels` where suggested labels are taught, and from `with_points`
            where the network gives points.
        teacher: Probabilities `(N, K)` to learn from, for the photos of split `train` whose label is one of
            the classes, in their order; or who is asked about each view of them.
        holdout: Whether the photos of split `holdout` are held out. Otherwise there are none of that split.
        of_tests: Probabilities `(M, K)` to learn test photos from, in the order of `learnable_tests`; `None`
            to learn none of these.

    Raises:
        FercompError: A split is empty, or no training photo has a point.
    """
    classes, points = params.class_names, params.head != "emotion"
    rows = photos_of(photos, "train", classes)
    targets = training_targets(
        rows,
        classes,
        share_copies=params.duplicate_labels == "soft",
        teacher=None if isinstance(teacher, ViewTeacher) else teacher,
        teacher_weight=params.teacher_weight,
        label_smoothing=params.label_smoothing,
    )
    train, tests = _training_set(rows, targets, points), None
    if of_tests is not None:
        soft = smoothed(of_tests, params.label_smoothing)
        tests = _training_set(learnable_tests(photos), soft, points)
        train = train.joined(tests)
    if params.head == "valence_arousal":
        train = train.with_points_only()
    held_out = None
    if holdout:
        rows = photos_of(photos, "holdout", classes)
        held_out = _training_set(rows, one_hot(rows["emotion"].tolist(), classes), points)
    fingerprint = _fingerprint(photos, teacher, points, tests)
    asked = teacher if isinstance(teacher, ViewTeacher) else None
    return TrainingData(train, held_out, fingerprint, 0 if tests is None else len(tests), asked)


def _training_set(photos: "pd.DataFrame", targets: np.ndarray, points: bool) -> TrainingSet:
    paths, sha1s = (tuple(photos[column].tolist()) for column in ("image_path", "sha1"))
    return TrainingSet(paths, targets, points_of(photos) if points else None, sha1s)


def data_fingerprint(photos: "pd.DataFrame") -> str:
    """Returns a SHA-256 over the columns `DATA` of the labelled photos."""
    labelled = photos.loc[photos["split"] != "test", [name for name in DATA if name in photos]]
    return hashlib.sha256(labelled.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def _fingerprint(photos: "pd.DataFrame", teacher: Teacher, points: bool, tests: TrainingSet | None) -> str:
    digest = hashlib.sha256(data_fingerprint(photos).encode())
    if points:
        digest.update(points_of(photos).tobytes())
    if isinstance(teacher, ViewTeacher):
        digest.update(teacher.fingerprint.encode())
    elif teacher is not None:
        digest.update(np.ascontiguousarray(teacher).tobytes())
    if tests is not None:
        digest.update("\n".join(("tests", *tests.paths, *tests.sha1s)).encode())
        digest.update(np.ascontiguousarray(tests.targets).tobytes())
    return digest.hexdigest()
