"""The test photos of the competition, classified part by part: what is done stays where a run is stopped.

Parts are written as shards are, as `models/<name>/test_probs.part-3-of-16.csv`, and each row says by which
model, index and votes it was made: others than this run's are made anew.
"""

import math
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from fercomp.core.csv_table import Table
from fercomp.core.errors import FercompError
from fercomp.core.locks import LOCK, locked
from fercomp.core.params import MachineParams, PredictParams
from fercomp.core.params.machine import BARE
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.shards import MOST_SHARDS, OwnPart, Shard, shards_beside
from fercomp.data.cache import PhotoCache
from fercomp.modeling.bundle.find import output_name
from fercomp.modeling.bundle.model import Bundle
from fercomp.modeling.bundle.predict import predict_tables
from fercomp.stages.predicting.predict import (
    Predicted,
    load_named,
    made_of,
    merge_predictions,
    predict_test,
    say_if_other,
    shard_table,
    table_of,
    test_photos,
    weigh,
)

if TYPE_CHECKING:
    import pandas as pd

SAVED_AFTER = 10_000
"""Photos of a part, about: hours where a photo takes a second. Up to so many are done in one."""

Tables = Generator[tuple[Shard, "pd.DataFrame"], None, None]
"""What a model says of parts, in any order."""


def predict_in_parts(
    folder: Path, workspace: Workspace, params: PredictParams, machine: MachineParams
) -> Predicted:
    """Classifies the test photos as `predict_test` does; of many, an earlier run's parts are not done again.

    Args:
        folder: The bundle.
        workspace: See `predict_test`, as those below.
        params: How many votes the network has, and labels of copies.
        machine: What is to answer, and how many decoded photos are kept.

    Returns:
        What was written.

    Raises:
        FercompError: Another process is at it, or see `predict_test`.
    """
    path = workspace.test_probabilities(output_name(folder, workspace))
    if len(test_photos(workspace)[0]) <= SAVED_AFTER and not shards_beside(path, OwnPart):
        return predict_test(folder, workspace, params, machine)

    cache = PhotoCache(workspace.decoded, machine.cache_gb)

    def answers(bundle: Bundle, todo: "Mapping[Shard, pd.DataFrame]") -> Tables:
        paths = [photos["image_path"].tolist() for photos in todo.values()]
        yield from zip(todo, predict_tables(bundle, workspace.raw, paths, cache), strict=True)

    return each_part(folder, workspace, params, SAVED_AFTER, answers, machine)


def each_part(
    folder: Path,
    workspace: Workspace,
    params: PredictParams,
    at_once: int,
    answers: "Callable[[Bundle, Mapping[Shard, pd.DataFrame]], Tables]",
    machine: MachineParams = BARE,
) -> Predicted:
    """Writes those parts that no earlier run has written, joins all of them, and removes them.

    Args:
        folder: The bundle.
        workspace: See `predict_test`, as those below.
        params: How many votes the network has, and labels of copies.
        at_once: Photos of a part, about; parts that an earlier run has begun stay as large as they are.
        answers: Gives what the model says of parts.
        machine: What is to answer here, and how many decoded photos are kept.

    Raises:
        FercompError: Another process is at it, or see `predict_test`.
    """
    import pandas as pd

    path = workspace.test_probabilities(output_name(folder, workspace))
    with locked(path.with_name(f"{LOCK}.parts"), f"another fercomp is at {path}: wait until it has ended"):
        test, labelled = test_photos(workspace)
        bundle = load_named(folder, path, machine)
        made, seen = made_of(bundle, workspace, params), []

        def table_for(part: Shard) -> Table:
            return shard_table(table_of(bundle), part, made)

        parts = _divided(test, path, at_once, table_for)
        todo = {
            part: photos
            for part, photos in parts.items()
            if _names(table_for(part), part.beside(path)) != set(photos["image_path"])
        }
        if len(todo) < len(parts):
            say(f"{len(parts) - len(todo):,} of {len(parts):,} parts were done by an earlier run")
        with closing(answers(bundle, todo)) as answered:
            for part, table in answered:
                seen.append(table.copy())
                weigh(table, todo[part], labelled, bundle.card.classes, params)
                table_for(part).write(table.assign(**made), part.beside(path))
        done = merge_predictions(folder, workspace, params, OwnPart)
        for part in parts:
            part.beside(path).unlink(missing_ok=True)
    if seen:
        say_if_other(bundle, pd.concat(seen), workspace, PhotoCache(workspace.decoded, machine.cache_gb))
    return done


def _divided(
    test: "pd.DataFrame", path: Path, at_once: int, table_for: Callable[[Shard], Table]
) -> "dict[Shard, pd.DataFrame]":
    """Divides the test photos as the earlier run did that made some of the parts; parts of others go."""
    found = shards_beside(path, OwnPart)
    begun = (part.of for part in found if _names(table_for(part), part.beside(path)) is not None)
    of = next(begun, min(MOST_SHARDS, math.ceil(len(test) / at_once)))
    for part in found:
        if part.of != of:
            part.beside(path).unlink()
    number = test["image_path"].map(lambda name: OwnPart.holding(name, of).number)
    return {OwnPart(k, of): test[number == k] for k in range(1, of + 1)}


def _names(table: Table, path: Path) -> set[str] | None:
    """Returns which photos a part has; `None` where it is missing, made of something else, or damaged."""
    try:
        return set(table.read(path)["image_path"])
    except FercompError:
        return None
