"""The test photos of the competition, classified by the nodes of a Ray cluster.

They are divided into shards, of which each actor gets one after the other. What comes back is written down as
`predict --shard` does, and merged as `predict --merge` does. So a run that was killed goes on with the shards
that are missing, and what comes out has passed the same checks.
"""

from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fercomp.core.errors import FercompError
from fercomp.core.locks import LOCK, locked
from fercomp.core.params import PredictParams, Wanted
from fercomp.core.paths import Workspace
from fercomp.core.progress import count, say, track
from fercomp.core.ray.actors import plan_actors, results
from fercomp.core.ray.cluster import connected
from fercomp.core.ray.nodes import on_each_node
from fercomp.core.shards import Shard
from fercomp.core.tables import pred_probs
from fercomp.modeling.bundle.find import output_name
from fercomp.modeling.bundle.model import Bundle, load_bundle
from fercomp.modeling.bundle.predict import predict_table
from fercomp.modeling.bundle.ray_job import ModelJob, known_as
from fercomp.stages.predict import (
    Predicted,
    made_of,
    say_if_other,
    shard_table,
    table_of,
    test_photos,
    weighed,
)
from fercomp.stages.predict_in_parts import divided, is_done, joined

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

_AT_ONCE: Final = 128
"""Photos of a shard, about: two batches, the work of seconds for a large network."""

_SHARD: Final = "shard"
"""Column with the number of a photo's shard, on its way to an actor and back."""


class Classifier:
    """An actor: a model in a process of a node.

    Raises:
        FercompError: The node does not see what it should.
    """

    def __init__(self, job: tuple[ModelJob, Path]) -> None:
        model, self._raw = job
        self._bundle = model.begin()

    def __call__(self, photos: "pyarrow.Table") -> "pyarrow.Table":
        """Adds to photos what the model says of them."""
        import pyarrow

        table = predict_table(self._bundle, self._raw, photos["image_path"].to_pylist())
        table[_SHARD] = photos[_SHARD].to_numpy()
        return pyarrow.Table.from_pandas(table, preserve_index=False)


def predict_on_ray(
    folder: Path, workspace: Workspace, params: PredictParams, device: Wanted = "cpu"
) -> Predicted:
    """Classifies the test photos of the competition as `predict_test` does, on a Ray cluster.

    Args:
        folder: The bundle.
        workspace: Where the index is, and `models/`; all nodes see it.
        params: How many votes the network has, and labels of copies.
        device: What is to answer; but for `cpu`, GPUs are used where the cluster has some.

    Returns:
        What was written.

    Raises:
        FercompError: There is no cluster, a node sees other files or has other versions, a photo cannot be
            read, there are shards of another division, or see `predict_test`.
    """
    import pandas as pd

    path = workspace.test_probabilities(output_name(folder, workspace))
    with locked(path.with_name(f"{LOCK}.ray"), f"another fercomp is at {path} on Ray: wait for it"):
        test, labelled = test_photos(workspace)
        bundle = load_bundle(folder)
        made, classes = made_of(bundle, workspace, params), bundle.card.classes
        shards = divided(test, path, _AT_ONCE)
        tables = {shard: shard_table(table_of(bundle), shard, made) for shard in shards}
        todo = {
            shard: photos
            for shard, photos in shards.items()
            if not is_done(tables[shard], shard.beside(path), photos)
        }
        seen = []
        with closing(_answers(todo, bundle, workspace, device)) as answered:
            for shard, table in answered:
                seen.append(table.copy())
                answers = pred_probs(table, classes)
                probabilities, copied = weighed(answers, todo[shard], labelled, classes, params)
                table.loc[copied, list(classes)] = probabilities[copied]
                tables[shard].write(table.assign(**made), shard.beside(path))
        done = joined(folder, workspace, params, shards)
    if seen:
        say_if_other(bundle, pd.concat(seen), workspace, None)
    return done


def _answers(
    shards: Mapping[Shard, "pd.DataFrame"], bundle: Bundle, workspace: Workspace, device: Wanted
) -> Generator[tuple[Shard, "pd.DataFrame"], None, None]:
    """Gives what the model says of shards, in any order."""
    import pyarrow

    for shard, photos in shards.items():
        if photos.empty:
            yield shard, predict_table(bundle, workspace.raw, [])
    full = {shard.number: (shard, photos) for shard, photos in shards.items() if not photos.empty}
    if not full:
        return
    with connected():
        plan = plan_actors(device != "cpu")
        first = next(iter(full.values()))[1]["image_path"].iloc[0]
        job = ModelJob(
            bundle=known_as(bundle.folder),
            fingerprint=bundle.fingerprint,
            device=device,
            threads=plan.threads,
            sample=(workspace.raw / first).absolute(),
            same=workspace.photos.absolute(),
        )
        on_each_node(ModelJob.wrong, job)
        say(f"on Ray: {plan.told()}")
        blocks = [
            pyarrow.table({_SHARD: [number] * len(photos), "image_path": photos["image_path"].tolist()})
            for number, (_, photos) in full.items()
        ]
        total = sum(len(photos) for _, photos in full.values())
        with track(full, "classifying photos", "photo", total, at_once=True) as bar:
            parts = results(blocks, Classifier, (job, workspace.raw.absolute()), plan)
            for number, answers in (each for part in parts for each in part.to_pandas().groupby(_SHARD)):
                if len(answers) == len(full.get(int(number), (None, ()))[1]):
                    bar.update(len(answers))
                    shard, _ = full.pop(int(number))
                    yield shard, answers.drop(columns=_SHARD).reset_index(drop=True)
        if full:
            raise FercompError(
                f"{count(len(full), 'shard')} did not come back from Ray: give the same command again"
            )
