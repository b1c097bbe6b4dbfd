"""The test photos of the competition, classified."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercomp.core.csv_checks import one_of
from fercomp.core.csv_table import Table
from fercomp.core.errors import FercompError
from fercomp.core.files import sha256
from fercomp.core.locks import LOCK, locked
from fercomp.core.params import MachineParams, PredictParams
from fercomp.core.params.machine import BARE
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.shards import OwnPart, Shard, require_all_shards
from fercomp.core.tables import PHOTOS, pred_probs, prediction_table
from fercomp.data.cache import PhotoCache, open_photos
from fercomp.labels.copies_of_tests import with_copies
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
        path: The table, `models/<name>/test_probs.csv`, where `<name>` is that of the model's folder;
            that of a shard is called `test_probs.shard-3-of-16.csv`.
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
    machine: MachineParams = BARE,
    shard: Shard | None = None,
) -> Predicted:
    """Classifies the test photos of the competition.

    Args:
        folder: The bundle.
        workspace: Where the index is, and `models/`.
        params: How many votes the network has, and labels of copies.
        machine: What is to answer, and how many decoded photos are kept.
        shard: The part of the photos that is classified here; `merge_predictions` joins all parts.

    Returns:
        What was written.

    Raises:
        FercompError: The index, the model or the GPU that is asked for is missing, there is no test photo,
            another process is at the same shard, or see `output_name`.
    """
    path = workspace.test_probabilities(output_name(folder, workspace))
    test, labelled = test_photos(workspace)
    bundle, cache = load_named(folder, path, machine), PhotoCache(workspace.decoded, machine.cache_gb)
    with ExitStack() as held:
        kind = table_of(bundle)
        made: dict[str, str] = {}
        if shard is not None:
            made, path = made_of(bundle, workspace, params), shard.beside(path)
            busy = f"another fercomp is at {path}: give each shard to one machine only"
            held.enter_context(locked(path.with_name(f"{LOCK}.{shard.tag}"), busy))
            test, kind = (
                test[test["image_path"].map(shard.holds).astype(bool)],
                shard_table(kind, shard, made),
            )
        table = predict_table(bundle, workspace.raw, test["image_path"].tolist(), cache)
        if not table.empty:
            say_if_other(bundle, table, workspace, cache)
        copied = weigh(table, test, labelled, bundle.card.classes, params)
        kind.write(table.assign(**made), path)
    return Predicted(path, len(table), int(copied.sum()))


def load_named(folder: Path, path: Path, machine: MachineParams) -> Bundle:
    """Loads a bundle, and says it where its card has another name than the folder in which `path` is."""
    bundle = load_bundle(folder, machine.device)
    if bundle.card.name != path.parent.name:
        say(f"{folder} calls itself {bundle.card.name} on its card; {path} has its folder's name")
    return bundle


def merge_predictions(
    folder: Path, workspace: Workspace, params: PredictParams, parts_are: type[Shard] = Shard
) -> Predicted:
    """Joins what all shards have written into the table that one machine would have written, byte for byte.

    Args:
        folder: The bundle.
        workspace: As the shards had it.
        params: As the shards had them.
        parts_are: What is joined: shards, or the parts of `predict_in_parts`.

    Returns:
        What was written.

    Raises:
        FercompError: A shard is missing, was made with another model, index or other votes, or has photos
            that do not fall into it.
    """
    import pandas as pd

    path = workspace.test_probabilities(output_name(folder, workspace))
    test, labelled = test_photos(workspace)
    bundle = load_bundle(folder)
    kind, made, classes = table_of(bundle), made_of(bundle, workspace, params), bundle.card.classes
    parts = []
    for shard in require_all_shards(path, parts_are):
        parts.append(shard_table(kind, shard, made).read(shard.beside(path)))
        wrong = [name for name in parts[-1]["image_path"] if not shard.holds(name)]
        if wrong:
            raise FercompError(
                f"{shard.beside(path)} has {wrong[0]}, of another shard: {_again(shard)}, then merge"
            )
    table = pd.concat(parts).set_index("image_path")
    of = len(parts)
    for name in test["image_path"]:
        if name not in table.index:
            shard = parts_are.holding(name, of)
            raise FercompError(f"{shard.beside(path)} lacks {name}: {_again(shard)}, then merge")
    table = table.loc[test["image_path"]].reset_index()
    _, copied = _weighed(pred_probs(table, classes), test, labelled, classes, params)
    kind.write(table, path)
    return Predicted(path, len(table), int(copied.sum()))


def test_photos(workspace: Workspace) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Returns the test photos of the index, and the labelled ones."""
    photos = PHOTOS.read(workspace.photos)
    is_test = photos["split"] == "test"
    if not is_test.any():
        raise FercompError(
            f"{workspace.photos} lists no test photo: run `fercomp fetch` and `fercomp prepare`"
        )
    return photos[is_test], photos[~is_test]


def weigh(
    table: "pd.DataFrame",
    test: "pd.DataFrame",
    labelled: "pd.DataFrame",
    classes: tuple[str, ...],
    params: PredictParams,
) -> np.ndarray:
    """Counts the labels of copies in a table, and says for which photos there were any."""
    probabilities, copied = _weighed(pred_probs(table, classes), test, labelled, classes, params)
    table.loc[copied, list(classes)] = probabilities[copied]
    return copied


def _weighed(
    probabilities: np.ndarray,
    test: "pd.DataFrame",
    labelled: "pd.DataFrame",
    classes: tuple[str, ...],
    params: PredictParams,
) -> tuple[np.ndarray, np.ndarray]:
    if params.network_votes is None:
        return probabilities, np.zeros(len(test), dtype=bool)
    return with_copies(probabilities, test, labelled, classes, params.network_votes, params.copy_votes)


def table_of(bundle: Bundle) -> Table:
    """Describes `test_probs.csv` of a model."""
    return prediction_table(bundle.card.classes, points=bundle.card.head != "emotion")


def made_of(bundle: Bundle, workspace: Workspace, params: PredictParams) -> dict[str, str]:
    """Returns what a shard was made of, as columns: machines that share a job may disagree about it."""
    votes = "none" if params.network_votes is None else f"{params.network_votes:g} to {params.copy_votes:g}"
    return {"made_by": bundle.fingerprint, "made_of": sha256(workspace.photos), "made_with": votes}


def shard_table(kind: Table, shard: Shard, made: Mapping[str, str]) -> Table:
    """Describes the table of a shard: that of all photos, and in each row what it was made of."""
    return replace(
        kind,
        columns={**kind.columns, **dict.fromkeys(made, "str")},
        remedy=_again(shard),
        checks=(*(one_of(name, (value,)) for name, value in made.items()), *kind.checks),
    )


def _again(shard: Shard) -> str:
    option = "" if isinstance(shard, OwnPart) else f" --shard {shard}"
    return f"run `fercomp predict{option}` again with this model, index and parameters"


def say_if_other(bundle: Bundle, table: "pd.DataFrame", workspace: Workspace, cache: PhotoCache) -> None:
    """Says it where photos are of another kind than those that a model has learned from.

    Args:
        bundle: The model.
        table: What it says of photos; some of them are looked at.
        workspace: Where they are.
        cache: Where decoded photos are kept.
    """
    if bundle.card.kind is None:
        return
    some = table.iloc[evenly(len(table))]
    photos = open_photos(workspace.raw, some["image_path"].tolist(), bundle.card.size, cache)
    faces = photos.take(np.arange(len(some)))
    if told := other_kind(bundle.card.kind, faces, pred_probs(some, bundle.card.classes)):
        say(told)
