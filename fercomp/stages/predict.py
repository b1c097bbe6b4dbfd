"""The test photos of the competition, classified."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.params import PredictParams, Wanted
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.tables import PHOTOS, pred_probs, prediction_table
from fercomp.data.cache import PhotoCache
from fercomp.data.inputs import Photos
from fercomp.labels.copies import with_copies
from fercomp.modeling.bundle.find import output_name
from fercomp.modeling.bundle.kind import evenly, other_kind
from fercomp.modeling.bundle.model import Bundle, load_bundle
from fercomp.modeling.bundle.predict import predict_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Predicted:
    """What `predict_test` did.

    Attributes:
        path: The table, `models/<name>/test_probs.csv`, where `<name>` is that of the model's folder.
        photos: Its number of rows.
        copies: Photos with a copy among the labelled photos whose label counted.
    """

    path: Path
    photos: int
    copies: int


def predict_test(
    folder: Path,
    workspace: Workspace,
    params: PredictParams,
    cache: PhotoCache | None = None,
    device: Wanted = "cpu",
) -> Predicted:
    """Classifies the test photos of the competition.

    Args:
        folder: The bundle.
        workspace: Where the index is, and `models/`.
        params: How many votes the network has, and labels of copies.
        cache: Where decoded photos are kept; by default they are decoded each time.
        device: What is to answer, `machine.device`.

    Returns:
        What was written.

    Raises:
        FercompError: The index, the model or the GPU that is asked for is missing, there is no test photo, or
            see `output_name`.
    """
    path = workspace.test_probabilities(output_name(folder, workspace))
    photos = PHOTOS.read(workspace.photos)
    is_test = photos["split"] == "test"
    test = photos[is_test]
    if test.empty:
        raise FercompError(
            f"{workspace.photos} lists no test photo: run `fercomp fetch` and `fercomp prepare`"
        )
    bundle = load_bundle(folder, device)
    if bundle.card.name != path.parent.name:
        say(f"{folder} calls itself {bundle.card.name} on its card; {path} has its folder's name")
    classes = bundle.card.classes
    table = predict_table(bundle, workspace.raw, test["image_path"].tolist(), cache)
    _say_if_other(bundle, table, workspace, cache)
    copies = 0
    if params.network_votes is not None:
        probabilities = pred_probs(table, classes)
        weighed, copied = with_copies(
            probabilities, test, photos[~is_test], classes, params.network_votes, params.copy_votes
        )
        table.loc[copied, list(classes)] = weighed[copied]
        copies = int(copied.sum())
    prediction_table(classes, points=bundle.card.head != "emotion").write(table, path)
    return Predicted(path, len(table), copies)


def _say_if_other(
    bundle: Bundle, table: "pd.DataFrame", workspace: Workspace, cache: PhotoCache | None
) -> None:
    if bundle.card.kind is None:
        return
    some = table.iloc[evenly(len(table))]
    photos = (Photos if cache is None else cache.photos)(
        workspace.raw, some["image_path"].tolist(), bundle.card.size
    )
    faces = photos.take(np.arange(len(some)))
    if told := other_kind(bundle.card.kind, faces, pred_probs(some, bundle.card.classes)):
        say(told)
