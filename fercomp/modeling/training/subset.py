"""Some of the photos, to try things in less time (`train.photos`)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fercomp.modeling.training.targets import photos_of

if TYPE_CHECKING:
    import pandas as pd


def some_photos(photos: "pd.DataFrame", n: int | None, classes: Sequence[str], seed: int) -> "pd.DataFrame":
    """Leaves out training photos until there are at most n of them, each class with its share.

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
