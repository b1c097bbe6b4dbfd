"""The points of valence and arousal that photos are taught as."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.csv_checks import in_range, unique
from fercomp.core.csv_table import Table
from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.tables import AXES
from fercomp.decisions.circumplex import mean_targets, ray_targets
from fercomp.modeling.bundle.card import read_card
from fercomp.modeling.training.teacher import out_of_fold

if TYPE_CHECKING:
    import pandas as pd

POINTS: Final = Table(
    {"path": "str", "valence": "float64", "arousal": "float64"},
    "name a CSV with path (as in datasets/photos.csv), valence and arousal (-1 to 1) as train.va_targets, "
    "or `mean` or `ray`",
    (unique("path"), *(in_range(axis, -1, 1) for axis in AXES)),
)
"""A table of labelled points."""


def with_points(photos: "pd.DataFrame", params: TrainParams, workspace: Workspace) -> "pd.DataFrame":
    """Gives photos the points that they are taught as.

    Args:
        photos: Rows of table `PHOTOS`.
        params: `head`, `va_targets` and `seed`.
        workspace: Where the out-of-fold probabilities are, which synthetic points are made of.

    Returns:
        The same rows; where the network gives points, with columns `valence` and `arousal`, float32 and NaN
        where there is no point.

    Raises:
        FercompError: The CSV, or the table of out-of-fold probabilities, is missing or lacks photos.
    """
    if params.head == "emotion":
        return photos
    points = np.full((len(photos), 2), np.nan, dtype=np.float32)
    if params.makes_points:
        labelled = (photos["split"] != "test").to_numpy()
        points[labelled] = _synthetic(photos[labelled], params, workspace)
    else:
        table = POINTS.read(Path(params.va_targets)).set_index("path")
        points[:] = table[list(AXES)].reindex(photos["image_path"])
    return photos.assign(**dict(zip(AXES, points.T, strict=True)))


def _synthetic(photos: "pd.DataFrame", params: TrainParams, workspace: Workspace) -> np.ndarray:
    file = workspace.oof
    if not file.is_file():
        raise FercompError(
            f"{file} not found, which train.va_targets {params.va_targets} is made of: run `fercomp crossval`"
        )
    classes = read_card(file.parent).classes
    pred_probs = out_of_fold(file, classes, photos["image_path"].tolist())
    if params.va_targets == "mean":
        return mean_targets(pred_probs, classes)
    labels = photos["emotion"].tolist()
    # A label that the cross-validated networks do not have gets no point anyway.
    named = [classes.index(label) if label in classes else 0 for label in labels]
    probabilities = pred_probs[np.arange(len(labels)), named]
    return ray_targets(labels, probabilities, np.random.default_rng(params.seed))
