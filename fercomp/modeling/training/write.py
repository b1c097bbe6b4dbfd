"""From a trained network to its bundle: exported, calibrated and scored."""

import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from fercomp.core.csv_table import FLOAT_FORMAT, write_csv
from fercomp.core.errors import FercompError
from fercomp.core.git import head
from fercomp.core.params import InferenceParams, Wanted
from fercomp.core.progress import say
from fercomp.core.tables import AXES, TARGETS, holdout_table, pred_probs
from fercomp.core.version import __version__
from fercomp.data.cache import PhotoCache
from fercomp.decisions.calibration import apply_temperature, fit_temperature
from fercomp.decisions.metrics import agreement, score
from fercomp.faces.detect import make_detector
from fercomp.faces.framing import measure_margin
from fercomp.media.images import read_image
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.keras_file import save_keras
from fercomp.modeling.bundle.card import GRAPH, HISTORY_FILE, HOLDOUT, KERAS_MODEL, Card
from fercomp.modeling.bundle.card_keys import INFERENCE
from fercomp.modeling.bundle.integrity import check_network, write_card
from fercomp.modeling.bundle.kind import answer_traits, kind_of
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_table
from fercomp.modeling.export.compare import checked_graph
from fercomp.modeling.export.graph import export_openvino
from fercomp.modeling.training.fit import Fitted
from fercomp.modeling.training.targets import points_of

if TYPE_CHECKING:
    import pandas as pd

Runtime = Literal["openvino", "keras"]

FRAMING_PHOTOS: Final = 300
"""Training photos looked at to measure how they are framed."""


def write_fitted(
    folder: Path, name: str, fitted: Fitted, inference: InferenceParams, margin: float, about: dict[str, Any]
) -> Card:
    """Writes a network that was just trained: for the runtime where it can be exported, and for Keras.

    Args:
        folder: The bundle, which exists.
        name: The name on its card.
        fitted: The network.
        inference: How it is to be used.
        margin: As on the card.
        about: What else the card says in `trained`, such as of the photos.

    Returns:
        Its card, not written yet: temperature and scores are missing.
    """
    params = fitted.params
    write_csv(fitted.history, folder / HISTORY_FILE)
    save_keras(fitted.model, folder / KERAS_MODEL)
    trained = {"params": params.model_dump(), "best_epoch": fitted.best_epoch, **about}
    if fitted.cut:
        trained["time_up_in_epoch"] = len(fitted.history)
    return Card(
        name=name,
        backbone=params.backbone,
        classes=params.class_names,
        head=params.head,
        size=params.size,
        margin=margin,
        grey=params.grey is True,
        runtime=_export(folder, inference),
        trained=trained | {INFERENCE: inference.model_dump(), "git_commit": head(), "packages": _packages()},
        flip=inference.flip,
        views=inference.views,
        scores={},
    )


def write_again(
    folder: Path, source: Path, card: Card, name: str, inference: InferenceParams, margin: float
) -> Card:
    """Writes a bundle anew from the network of another one, for another use of it.

    Args:
        folder: The bundle, which exists.
        source: The other bundle, with `model.keras` and `history.csv`.
        card: The card of that one.
        name: The name on the new card.
        inference: How the network is to be used.
        margin: As on the card.

    Returns:
        Its card, not written yet: temperature and scores are missing.
    """
    check_network(source, card)
    for file in (KERAS_MODEL, HISTORY_FILE):
        shutil.copyfile(source / file, folder / file)
    runtime: Runtime = card.runtime
    graph = None
    if inference.precision == InferenceParams.model_validate(card.trained[INFERENCE]).precision:
        shutil.copytree((source / GRAPH).parent, (folder / GRAPH).parent)
        graph = card.graph
    else:
        runtime = _export(folder, inference)
    # How it decides was fitted on what the network said before.
    kept = {key: value for key, value in card.trained.items() if key != "decision"}
    same = {field: getattr(card, field) for field in ("backbone", "classes", "head", "size", "grey")}
    return Card(
        **same,
        name=name,
        margin=margin,
        runtime=runtime,
        trained=kept | {INFERENCE: inference.model_dump()},
        graph=graph,
        flip=inference.flip,
        views=inference.views,
        scores={},
    )


def _export(folder: Path, inference: InferenceParams) -> Runtime:
    """Exports the network of a bundle for the runtime; returns what is to run it."""
    (folder / GRAPH).parent.mkdir()
    try:
        export_openvino(folder / KERAS_MODEL, folder / GRAPH, inference.precision == "float16")
    except FercompError as error:
        say(f"{error}; the bundle runs on Keras")
        return "keras"
    return "openvino"


def add_scores(
    folder: Path,
    card: Card,
    photos: "pd.DataFrame",
    raw: Path,
    cache: PhotoCache | None = None,
    device: Wanted = "cpu",
) -> Card:
    """Finds temperature and scores on the holdout, the kind of the photos, and how true the graph is.

    Args:
        folder: The bundle, complete but for these.
        card: Its card.
        photos: Rows of the index, with points where the network gives some.
        raw: The folder that their paths are relative to.
        cache: Where decoded photos are kept.
        device: What is to answer, `machine.device`.

    Returns:
        The card that was written, beside the table of the holdout.
    """
    card = write_card(folder, checked_graph(folder, card, photos, raw, cache, device))
    holdout = photos[photos["split"] == "holdout"]
    table = predict_table(load_bundle(folder, device), raw, holdout["image_path"].tolist(), cache)
    probabilities = pred_probs(table, card.classes)
    labels = card.rule.indices(holdout["emotion"].tolist(), str(folder / HOLDOUT))
    temperature = fit_temperature(probabilities, labels)
    table[list(card.classes)] = calibrated = apply_temperature(probabilities, temperature)
    table.insert(1, "emotion", holdout["emotion"].to_numpy())
    scores = score(calibrated, labels).rounded()
    if card.head != "emotion":
        meant = points_of(holdout)
        scores |= agreement(table[list(AXES)].to_numpy(), meant)
        # As text: `nan` says that there is none, an empty cell might have been emptied.
        table[list(TARGETS)] = [[FLOAT_FORMAT % value for value in point] for point in meant]
    holdout_table(card.classes, points=card.head != "emotion").write(table, folder / HOLDOUT)
    kind = kind_of(photos[photos["split"] == "train"], raw, card.size, cache)
    kind = kind and kind.with_traits(answer_traits(calibrated))
    found = {"temperature": temperature, "scores": scores, "kind": kind}
    return write_card(folder, card.model_copy(update=found))


def margin_of(inference: InferenceParams, photos: "pd.DataFrame", raw: Path) -> float:
    """Returns the margin to be used: the one asked for, or else what training photos have."""
    if inference.margin is not None:
        return inference.margin
    train = photos.loc[photos["split"] == "train", "image_path"]
    some = train.iloc[:: max(1, len(train) // FRAMING_PHOTOS)]
    return measure_margin((read_image(raw / path) for path in some), make_detector("yunet"))


def _packages() -> dict[str, str]:
    names = dict.fromkeys(("keras", "tensorflow", keras.backend.backend(), "openvino"))
    found = {name: version(name) for name in names}
    return {"fercomp": __version__, "python": platform.python_version(), **found}
