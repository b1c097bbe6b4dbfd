"""The test photos of the competition, classified part by part: what is done stays where a run is stopped.

Parts are shards, written as `predict --shard` does, and merged as `predict --merge` does.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from fercomp.core.csv_table import Table
from fercomp.core.errors import FercompError
from fercomp.core.params import PredictParams, Wanted
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.shards import MOST_SHARDS, Shard, shards_beside, told_few
from fercomp.data.cache import PhotoCache
from fercomp.modeling.bundle.find import output_name
from fercomp.modeling.bundle.model import load_bundle
from fercomp.stages.predict import (
    Predicted,
    made_of,
    merge_predictions,
    predict_test,
    shard_table,
    table_of,
    test_photos,
)

if TYPE_CHECKING:
    import pandas as pd

SAVED_AFTER = 10_000
"""Photos of a part, about: hours where a photo takes a second. Up to so many are done in one."""


def predict_in_parts(
    folder: Path, workspace: Workspace, params: PredictParams, cache: PhotoCache, device: Wanted
) -> Predicted:
    """Classifies the test photos as `predict_test` does; of many, an earlier run's parts are not done again.

    Args:
        folder: The bundle.
        workspace: See `predict_test`, as those below.
        params: How many votes the network has, and labels of copies.
        cache: Where decoded photos are kept.
        device: What is to answer.

    Returns:
        What was written.

    Raises:
        FercompError: There are shards of another division, or see `predict_test`.
    """
    test, _ = test_photos(workspace)
    if len(test) <= SAVED_AFTER:
        return predict_test(folder, workspace, params, cache, device)
    path = workspace.test_probabilities(output_name(folder, workspace))
    bundle = load_bundle(folder, device)
    made, shards = made_of(bundle, workspace, params), divided(test, path, SAVED_AFTER)
    for shard, photos in shards.items():
        if is_done(shard_table(table_of(bundle), shard, made), shard.beside(path), photos):
            say(f"part {shard} was done by an earlier run")
        else:
            predict_test(folder, workspace, params, cache, device, shard)
    return joined(folder, workspace, params, shards)


def joined(
    folder: Path, workspace: Workspace, params: PredictParams, shards: "dict[Shard, pd.DataFrame]"
) -> Predicted:
    """Merges the parts of one machine or cluster, and removes them."""
    done = merge_predictions(folder, workspace, params)
    for shard in shards:
        shard.beside(done.path).unlink(missing_ok=True)
    return done


def divided(test: "pd.DataFrame", path: Path, at_once: int) -> "dict[Shard, pd.DataFrame]":
    """Divides the test photos; the same photos are divided in the same way.

    Args:
        test: Rows of the index.
        path: Where the whole table goes.
        at_once: Photos of a part, about.

    Raises:
        FercompError: There are shards that were divided otherwise.
    """
    of = min(MOST_SHARDS, math.ceil(len(test) / at_once))
    others = sorted({shard.of for shard in shards_beside(path)} - {of})
    if others:
        raise FercompError(
            f"{path.parent} has shards of {told_few(others)}, and this run would divide the photos into "
            f"{of}: join them with --merge, or remove {path.stem}.shard-*-of-{others[0]}{path.suffix}"
        )
    number = test["image_path"].map(lambda name: Shard.holding(name, of).number)
    return {Shard(k, of): test[number == k] for k in range(1, of + 1)}


def is_done(table: Table, path: Path, photos: "pd.DataFrame") -> bool:
    """Says whether an earlier run has written a shard, of the same photos and by the same model."""
    try:
        return path.is_file() and set(table.read(path)["image_path"]) == set(photos["image_path"])
    except FercompError:  # made of something else, or changed by hand
        return False
