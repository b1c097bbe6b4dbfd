"""What a network is trained towards: classes, a point of valence and arousal, or both.

Targets have the classes first, `(n, K)`, then the point, `(n, 2)`, where the network gives one. A point that
is not known is NaN.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.decisions.circumplex import NEUTRAL, NEUTRAL_RADIUS, RAYS, directions
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.feed import fed
from fercomp.modeling.training.batches import Batches
from fercomp.modeling.training.losses import Loss, accuracy, cross_entropy
from fercomp.modeling.training.network import Head

_ops = keras.ops

SMALLEST_SPREAD: Final = 1e-6
"""Added to the denominator of the concordance, which is 0 where all points of a batch are the same."""


class Objective:
    """Loss and accuracy of a network.

    Args:
        head: What the network gives (`TrainParams.head`).
        classes: The K classes, in the order of its outputs.
        class_loss: The loss of the classes.
        point_loss: `ccc` or `mse`, the loss of a point.
        point_weight: Its weight beside that of the classes.
    """

    def __init__(
        self,
        head: Head,
        classes: Sequence[str] = EMOTIONS,
        class_loss: Loss = cross_entropy,
        point_loss: Literal["ccc", "mse"] = "ccc",
        point_weight: float = 0.5,
    ) -> None:
        self._head = head
        self._k = len(classes)
        self._class_loss = class_loss
        self._point_loss = {"ccc": ccc_loss, "mse": squared_loss}[point_loss]
        self._weight = point_weight
        self._ray_classes = np.array([classes.index(name) for name in RAYS])
        self._neutral = classes.index(NEUTRAL)

    def loss(self, targets: Any, answers: Any) -> Any:
        """Returns losses `(n,)` of answers `(n, W)`."""
        k = self._k
        if self._head == "emotion":
            return self._class_loss(targets, answers)
        points = self._point_loss(targets[:, k:], answers[:, -2:])
        if self._head == "valence_arousal":
            return points
        return self._class_loss(targets[:, :k], answers[:, :k]) + self._weight * points

    def accuracy(self, targets: Any, answers: Any) -> Any:
        """Returns 1 where the answer's class is the target's, 0 elsewhere: `(n,)`."""
        if self._head != "valence_arousal":
            return accuracy(targets, answers[:, : self._k])
        given = _ops.argmax(targets[:, : self._k], axis=-1)
        return _ops.cast(_ops.equal(given, self._nearest(answers)), "float32")

    def quality(self, row: Mapping[str, Any]) -> float:
        """Returns how good the weights of an epoch are, -1 or more, from its row of history.

        It is the holdout accuracy; of points alone, whose names change with little, it falls with the loss.
        """
        if self._head == "valence_arousal":
            return 1 / (1 + float(row["holdout_loss"]))
        return float(row["holdout_accuracy"])

    def evaluate(self, model: keras.Model, batches: Batches) -> tuple[float, float]:
        """Returns loss and accuracy on photos in their order.

        The loss is cross entropy, whatever the network is trained by; of a network without classes, its own.
        """
        # Not batch by batch: on several devices, `predict_on_batch` repeats what each of them says.
        answers = model.predict(fed(batches), verbose=0)
        answers = batches.share.stripped(answers, len(batches.targets), batches.batch_size)
        right = _ops.convert_to_numpy(self.accuracy(batches.targets, answers)) > 0
        if self._head == "valence_arousal":
            loss = float(_ops.convert_to_numpy(_ops.mean(self.loss(batches.targets, answers))))
        else:
            classes = slice(0, self._k)
            likelihood = (answers[:, classes] * batches.targets[:, classes]).sum(axis=1)
            loss = float(-np.log(np.clip(likelihood, 1e-7, 1.0)).mean())
        loss, accuracy = batches.share.of_first(loss, float(right.mean()))
        return loss, accuracy

    def _nearest(self, points: Any) -> Any:
        """Returns the class of the nearest ray, or neutral near the origin (`circumplex.decode`)."""
        units = directions(RAYS).astype(np.float32)
        x, y = points[:, :1], points[:, 1:]
        along = x * units[:, 0] + y * units[:, 1]
        norms = _ops.sqrt(_ops.sum(_ops.square(points), axis=-1, keepdims=True))
        distances = _ops.where(along > 0, _ops.abs(x * units[:, 1] - y * units[:, 0]), norms)
        classes = _ops.take(self._ray_classes, _ops.argmin(distances, axis=-1))
        return _ops.where(norms[:, 0] <= NEUTRAL_RADIUS, self._neutral, classes)


def ccc_loss(targets: Any, points: Any) -> Any:
    """Returns 1 less the concordance of a batch (Lin, 1989), the mean over valence and arousal.

    Concordance is correlation that also minds mean and spread: 2 cov / (var + var + (mean - mean)^2).

    Args:
        targets: `(n, 2)`, NaN where a point is not known.
        points: `(n, 2)`.

    Returns:
        `(n,)`, the same value n times.
    """
    known, targets, points = _known(targets, points)
    count = _ops.maximum(_ops.sum(known, axis=0), 1.0)
    mean_target, mean_point = _ops.sum(targets, axis=0) / count, _ops.sum(points, axis=0) / count
    off_target, off_point = known * (targets - mean_target), known * (points - mean_point)
    covariance = _ops.sum(off_target * off_point, axis=0) / count
    spread = _ops.sum(_ops.square(off_target) + _ops.square(off_point), axis=0) / count
    distance = spread + _ops.square(mean_target - mean_point) + SMALLEST_SPREAD
    return _ops.mean(1 - 2 * covariance / distance) * _ops.ones_like(points[:, 0])


def squared_loss(targets: Any, points: Any) -> Any:
    """Returns the squared distance of points `(n, 2)` from targets: `(n,)`, 0 where those are not known."""
    _, targets, points = _known(targets, points)
    return _ops.sum(_ops.square(targets - points), axis=-1)


def _known(targets: Any, points: Any) -> tuple[Any, Any, Any]:
    """Returns 1 where targets are known, and both with 0 where they are not."""
    unknown = _ops.isnan(targets)
    known = _ops.cast(_ops.logical_not(unknown), points.dtype)
    return known, _ops.where(unknown, 0.0, targets), points * known
