"""What a network is taught: one distribution over the classes for each training photo."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.tables import pred_probs
from fercomp.labels.votes import per_picture

if TYPE_CHECKING:
    import pandas as pd


def photos_of(photos: "pd.DataFrame", split: str, classes: Sequence[str]) -> "pd.DataFrame":
    """Returns the photos of a split that are taught as one of the classes, or given a label among them.

    Of photos that are taught a little of every class, those of which the classes have at least half.

    Raises:
        FercompError: There is none.
    """
    chosen = photos[photos["split"] == split]
    known: np.ndarray = _taught(chosen, classes).sum(axis=1) >= 0.5
    chosen = chosen[known]
    if chosen.empty:
        raise FercompError(f"no photo of split {split!r} in the index: run `fercomp prepare` on more photos")
    return chosen


def some_photos(photos: "pd.DataFrame", n: int | None, classes: Sequence[str], seed: int) -> "pd.DataFrame":
    """Leaves out training photos until there are at most n of them (`train.photos`), each class its share.

    Copies of a picture stay together. The photos of a smaller n are among those of a larger one.

    Args:
        photos: Table `PHOTOS`.
        n: Most photos of split `train` that are taught as one of the classes; `None` for all.
        classes: The K classes.
        seed: Chooses which.

    Returns:
        The rows that stay, in their order; of other splits, all. At least one picture does.

    Raises:
        FercompError: There is no such photo.
    """
    if n is None:
        return photos
    train = photos_of(photos, "train", classes)
    by_picture = train.groupby("duplicate_group", sort=True)["emotion"]
    sizes, labels = by_picture.size(), by_picture.first()
    order = np.random.default_rng(seed).permutation(len(sizes))
    sizes, labels = sizes.iloc[order], labels.iloc[order]
    # How much of its class is there with a picture: in this order, all classes fill up alike.
    filled = sizes.groupby(labels).cumsum() / sizes.groupby(labels).transform("sum")
    sizes = sizes.iloc[np.argsort(filled.to_numpy(), kind="stable")]
    kept = max(1, int((sizes.cumsum() <= n).sum()))
    rows = train.index[train["duplicate_group"].isin(sizes.index[:kept])]
    return photos[(photos["split"] != "train") | photos.index.isin(rows)]


def learnable_tests(photos: "pd.DataFrame") -> "pd.DataFrame":
    """Returns the photos of split `test` that may be learned: none that is a copy of one held out."""
    held_out = photos.loc[photos["split"] == "holdout", "duplicate_group"]
    return photos[(photos["split"] == "test") & ~photos["duplicate_group"].isin(held_out)]


def one_hot(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Returns targets `(N, K)` float32 with a 1 at each label's class; zeros for what is none of them."""
    found = np.array(labels, dtype=object)[:, None] == np.array(classes, dtype=object)
    targets: np.ndarray = found.astype(np.float32)
    return targets


def with_labels(photos: "pd.DataFrame", labels: "pd.DataFrame", how: str) -> "pd.DataFrame":
    """Joins the index with the labels that training photos are taught instead of their given ones.

    Args:
        photos: Table `PHOTOS`.
        labels: Table `LABELS`.
        how: `relabelled` or `weighted`, see `TrainParams.labels`.

    Returns:
        The same photos without training photos that a reviewer dropped, and a column more for each emotion:
        its share in what the photo is taught, which of other splits is the given label.

    Raises:
        FercompError: `labels` lacks a training photo or has another given label for it.
    """
    train = (photos["split"] == "train").to_numpy()
    known = labels.drop_duplicates("image_path").set_index("image_path").reindex(photos["image_path"])
    strange = train & (known["emotion"].to_numpy() != photos["emotion"].to_numpy())
    if strange.any():
        example = photos.loc[strange, "image_path"].iloc[0]
        raise FercompError(
            f"datasets/labels.csv lacks {strange.sum()} of {train.sum()} training photos or has another "
            f"given label for them, such as {example}: run `fercomp relabel` again"
        )
    taught = one_hot(photos["emotion"].tolist(), EMOTIONS)
    kept = ~train | (known["suggested"] != "").to_numpy()
    suggested = known[train]
    taught[train] = (
        pred_probs(suggested) if how == "weighted" else one_hot(suggested["suggested"].tolist(), EMOTIONS)
    )
    return photos.assign(**dict(zip(EMOTIONS, taught.T, strict=True)))[kept]


def training_targets(
    photos: "pd.DataFrame",
    classes: Sequence[str],
    *,
    share_copies: bool = False,
    teacher: np.ndarray | None = None,
    teacher_weight: float = 0.0,
    label_smoothing: float = 0.0,
) -> np.ndarray:
    """Returns what the photos of one split are taught as.

    Args:
        photos: N rows of `photos_of`; where `with_labels` has joined them, with the labels that are taught.
        classes: The K classes.
        share_copies: Whether copies of a picture share the mean of their labels.
        teacher: A teacher's probabilities of these photos `(N, K)`; `None` without a teacher.
        teacher_weight: Their share in the target.
        label_smoothing: Share of the target that is spread evenly over all classes.

    Returns:
        `(N, K)` float32, rows sum to 1.
    """
    targets = _taught(photos, classes)
    targets = targets / targets.sum(axis=1, keepdims=True)
    if share_copies:
        counted = photos["recompressed"].to_numpy() == 0
        targets = group_means(targets, photos["duplicate_group"].to_numpy(), counted)
    if teacher is not None:
        targets = (1 - teacher_weight) * targets + teacher_weight * teacher
    return smoothed(targets, label_smoothing)


def smoothed(targets: np.ndarray, share: float) -> np.ndarray:
    """Spreads a share of targets `(N, K)` evenly over all classes: `(N, K)` float32."""
    result: np.ndarray = ((1 - share) * targets + share / targets.shape[1]).astype(np.float32)
    return result


def _taught(photos: "pd.DataFrame", classes: Sequence[str]) -> np.ndarray:
    """Returns the share of each class in what photos are taught: `(N, K)` float32, rows sum to 1 at most."""
    if EMOTIONS[0] not in photos:
        return one_hot(photos["emotion"].tolist(), classes)
    shares: np.ndarray = pred_probs(photos, tuple(classes)).astype(np.float32)
    return shares


def points_of(photos: "pd.DataFrame") -> np.ndarray:
    """Returns the points that photos are taught as, `(N, 2)` float32, NaN where there is none."""
    points: np.ndarray = photos[["valence", "arousal"]].to_numpy(dtype=np.float32)
    return points


def group_means(targets: np.ndarray, groups: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Gives every copy of a picture the mean of what its copies are labelled.

    Several people's labels of one picture are worth more than one of them, and a network that is told
    opposite things of equal photos can only learn their mean.

    Args:
        targets: `(N, K)` float32.
        groups: `(N,)` int; photos with the same number show the same picture.
        counted: `(N,)` bool: whose label counts; of a picture without such a copy, all do.

    Returns:
        `(N, K)` float32.
    """
    counted = counted[:, None]
    weights = counted | (per_picture(counted, groups) == 0)
    means: np.ndarray = per_picture(weights * targets, groups) / per_picture(weights, groups)
    return means.astype(np.float32)


def class_shares(targets: np.ndarray) -> np.ndarray:
    """Returns the share of each class in targets `(N, K)`: `(K,)` float32, above 0, sums to 1."""
    # One photo more of every class, so that a class nobody has seen divides nothing by zero.
    shares: np.ndarray = (targets.sum(axis=0) + 1) / (len(targets) + targets.shape[1])
    return shares.astype(np.float32)
