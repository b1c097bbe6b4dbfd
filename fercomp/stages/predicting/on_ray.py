"""The test photos of the competition, classified by the nodes of a Ray cluster.

They are divided into parts, of which each actor gets one after the other. What comes back is written down and
joined as `predict_in_parts` does, and either of them goes on with what the other has done.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fercomp.core.errors import FercompError
from fercomp.core.params import PredictParams, Wanted
from fercomp.core.paths import Workspace
from fercomp.core.progress import count, say, track
from fercomp.core.ray.actors import plan_actors, results
from fercomp.core.ray.cluster import connected
from fercomp.core.ray.nodes import on_each_node
from fercomp.core.shards import Shard
from fercomp.modeling.bundle.model import Bundle
from fercomp.modeling.bundle.predict import predict_table
from fercomp.modeling.bundle.ray_job import ModelJob, known_as
from fercomp.stages.predicting.in_parts import Tables, each_part
from fercomp.stages.predicting.predict import Predicted

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

_AT_ONCE: Final = 128
"""Photos of a part, about: two batches, the work of seconds for a large network."""

_PART: Final = "part"
"""Column with the number of a photo's part, on its way to an actor and back."""


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
        table[_PART] = photos[_PART].to_numpy()
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
            read, another process is at it, or see `predict_test`.
    """

    def answers(bundle: Bundle, todo: "Mapping[Shard, pd.DataFrame]") -> Tables:
        return _answers(todo, bundle, workspace, device)

    return each_part(folder, workspace, params, _AT_ONCE, answers)


def _answers(
    parts: "Mapping[Shard, pd.DataFrame]", bundle: Bundle, workspace: Workspace, device: Wanted
) -> Tables:
    """Gives what the model says of parts, in any order."""
    import pyarrow

    for part, photos in parts.items():
        if photos.empty:
            yield part, predict_table(bundle, workspace.raw, [])
    full = {part.number: (part, photos) for part, photos in parts.items() if not photos.empty}
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
            pyarrow.table({_PART: [number] * len(photos), "image_path": photos["image_path"].tolist()})
            for number, (_, photos) in full.items()
        ]
        total = sum(len(photos) for _, photos in full.values())
        with track(full, "classifying photos", "photo", total, at_once=True) as bar:
            came = results(blocks, Classifier, (job, workspace.raw.absolute()), plan)
            for number, answers in (each for some in came for each in some.to_pandas().groupby(_PART)):
                if len(answers) == len(full.get(int(number), (None, ()))[1]):
                    bar.update(len(answers))
                    part, _ = full.pop(int(number))
                    yield part, answers.drop(columns=_PART).reset_index(drop=True)
        if full:
            raise FercompError(
                f"{count(len(full), 'part')} did not come back from Ray: give the same command again"
            )
