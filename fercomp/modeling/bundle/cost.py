"""What a trained network costs to run and scored, measured in the shipped runtime on real photos."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS
from fercomp.data.inputs import read_faces
from fercomp.modeling.bundle.card import GRAPH, KERAS_MODEL, MEMBERS, read_card
from fercomp.modeling.bundle.model import Bundle, load_bundle

BUDGET_MS: Final = 40.0
"""Milliseconds for a face at 25 frames per second."""

TIMED_BATCH: Final = 32
WARM_UP, REPEATS, SECONDS = 3, 5, 2.0
"""Calls before the clock, and then at least so many and for at least so long."""


@dataclass(frozen=True)
class CostRow:
    """A network's row of `models/bench.csv`; a number that is not known is NaN, an empty cell there.

    Attributes:
        model: Name of its bundle's folder.
        backbone: Name of the backbone.
        runtime: `openvino`, or `keras` where the network could not be exported.
        parameters: Numbers in what runs (OpenVINO folds batch normalisation into the layer before it).
        megabytes: What runs, on disk, in 10^6 bytes.
        accuracy: On the holdout, 0 to 1.
        macro_f1: On the holdout, 0 to 1.
        kaggle_public: Best public score of the experiment's submissions.
        kaggle_private: Best private score.
        ms_per_face: Milliseconds for one face alone.
        images_per_second: In batches of 32.
        keeps_25_fps: `yes` or `no`: whether one face takes 40 ms at most.
        problem: Why there is no more than this; empty where all went well.
    """

    model: str
    backbone: str = ""
    runtime: str = ""
    parameters: float = math.nan
    megabytes: float = math.nan
    accuracy: float = math.nan
    macro_f1: float = math.nan
    kaggle_public: float = math.nan
    kaggle_private: float = math.nan
    ms_per_face: float = math.nan
    images_per_second: float = math.nan
    keeps_25_fps: str = ""
    problem: str = ""


def measure(folder: Path, workspace: Workspace) -> CostRow:
    """Measures a trained model on real photos.

    Args:
        folder: The bundle, of one network or an ensemble.
        workspace: Where photos are.

    Returns:
        Its row, without Kaggle's scores.

    Raises:
        FercompError: A file of the bundle or the photos are missing.
    """
    bundle = load_bundle(folder)
    faces = _some_faces(bundle, workspace)
    alone = median_seconds(lambda: bundle.predict(*(array[:1] for array in faces)))
    together = median_seconds(lambda: bundle.predict(*faces))
    card, networks = bundle.card, bundle.members or (bundle,)
    return CostRow(
        model=folder.name,
        backbone=card.backbone,
        runtime=card.runtime,
        parameters=sum(_parameters(network) for network in networks),
        megabytes=size_in_bytes(folder) / 1e6,
        accuracy=card.scores.get("accuracy", math.nan),
        macro_f1=card.scores.get("macro_f1", math.nan),
        ms_per_face=1000 * alone,
        images_per_second=TIMED_BATCH / together,
        keeps_25_fps="yes" if 1000 * alone <= BUDGET_MS else "no",
    )


def median_seconds(call: Callable[[], object]) -> float:
    """Returns the median time of a call once it is warm, in seconds."""
    for _ in range(WARM_UP):
        call()
    times: list[float] = []
    while len(times) < REPEATS or sum(times) < SECONDS:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _some_faces(bundle: Bundle, workspace: Workspace) -> list[np.ndarray]:
    """Returns a batch of holdout photos for each of the bundle's inputs."""
    photos = PHOTOS.read(workspace.photos)
    paths = photos.loc[photos["split"] == "holdout", "image_path"].tolist()
    if not paths:
        raise FercompError(
            f"{workspace.photos} lists no holdout photo to measure with: run `fercomp prepare`"
        )
    some = [paths[i % len(paths)] for i in range(TIMED_BATCH)]
    return [read_faces(workspace.raw, some, size) for size, _ in bundle.inputs]


def size_in_bytes(folder: Path) -> int:
    """Returns the size on disk of what runs of a model, or of all networks of an ensemble.

    Raises:
        FercompError: A card cannot be read.
        OSError: A file is missing.
    """
    card = read_card(folder)
    if card.members:
        return sum(size_in_bytes(folder / MEMBERS / member.name) for member in card.members)
    return sum((folder / file).stat().st_size for file in card.network)


def _parameters(network: Bundle) -> int:
    if network.card.runtime == "keras":
        from fercomp.modeling.backend.keras_file import load_keras

        return int(load_keras(network.folder / KERAS_MODEL).count_params())
    import openvino

    operations = openvino.Core().read_model(network.folder / GRAPH).get_ops()
    constants = (op.output(0).shape for op in operations if op.get_type_name() == "Constant")
    return sum(math.prod(shape) for shape in constants)
