"""The card of a bundle: what a trained model says of itself, and where it is found.

A bundle is a folder that explains itself:

    card.json     what the model is: classes, input, how it was trained, what it scored
    graph/        the inference graph for the runtime (empty where the network could not be exported)
    model.keras   the Keras model, for training further and as the fallback of the runtime
    history.csv   one row per epoch of training
    holdout.csv   probabilities of the holdout photos, beside their given labels

`annotate`, `predict` and `live` need only the first three. A bundle may come from anywhere: the card is
validated, and nothing in the folder is unpickled.
"""

import json
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from fercomp.core.errors import FercompError, unknown_name
from fercomp.core.params import Group
from fercomp.core.paths import Workspace

FORMAT: Final = 1
"""Version of the card; a bundle with a higher one was written by a newer fercomp."""

CARD: Final = "card.json"
GRAPH: Final = "graph/graph.xml"
GRAPH_WEIGHTS: Final = "graph/graph.bin"
KERAS_MODEL: Final = "model.keras"
HISTORY: Final = "history.csv"
HOLDOUT: Final = "holdout.csv"


class Card(Group):
    """What a bundle says of itself.

    Attributes:
        format: Version of this card.
        name: Name of the experiment.
        backbone: Name of the backbone.
        classes: Class names in the order of the network's K outputs.
        size: Side of the network's input in pixels, S.
        margin: Share of a detected face's box added on each side before cropping.
        threshold: A face whose highest probability is lower is called `uncertain`; none if `null`.
        temperature: Probabilities are raised to its inverse and normalised (temperature scaling).
        runtime: What runs the bundle: `openvino` or, where the graph could not be exported, `keras`.
        trained: Parameters, seed, git commit, fingerprint of the data, and package versions.
        scores: Scores on the holdout, after temperature; empty where there was no holdout.
    """

    format: int = FORMAT
    name: str
    backbone: str
    classes: tuple[str, ...] = Field(min_length=2)
    size: int = Field(ge=8, le=4096)
    margin: float = Field(ge=0, le=2)
    threshold: float | None = Field(default=None, ge=0, le=1)
    temperature: float = Field(default=1.0, gt=0)
    runtime: Literal["openvino", "keras"]
    trained: dict[str, Any]
    scores: dict[str, float]


def read_card(folder: Path) -> Card:
    """Reads and validates the card of a bundle.

    Args:
        folder: The bundle.

    Returns:
        The card.

    Raises:
        FercompError: There is no such folder or card, it is damaged, or a newer fercomp wrote it.
    """
    path = folder / CARD
    if not path.is_file():
        what = "has no card.json, so it is not a model" if folder.is_dir() else "not found"
        raise FercompError(f"model folder {folder} {what}: train one with `fercomp train`, or name another")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values.get("format") if isinstance(values, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise FercompError(
                f"{path} has format {version}, this fercomp reads up to {FORMAT}: update fercomp"
            )
        return Card.model_validate(values)
    except (ValueError, ValidationError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(error)
        raise FercompError(f"{path} is damaged ({why}): train the model again") from error


def resolve_model(model: str | None, workspace: Workspace) -> Path:
    """Finds the folder of a model that a user named.

    Args:
        model: The name of an experiment, the path of a bundle, or `None` for the model trained last.
        workspace: Where experiments are.

    Returns:
        The bundle's folder; its card is there, though not validated.

    Raises:
        FercompError: There is no such model.
    """
    # Names that begin with a dot are bundles that are being written, or were when a run was killed.
    cards = workspace.models.glob(f"[!.]*/{CARD}")
    trained = sorted(cards, key=lambda card: (card.stat().st_mtime, card))
    if model is None:
        if not trained:
            raise FercompError(
                f"no model in {workspace.models}/: train one with `fercomp train`, or name one with --model"
            )
        return trained[-1].parent
    folder = workspace.bundle(model) if (workspace.bundle(model) / CARD).is_file() else Path(model)
    if not folder.exists() and len(Path(model).parts) == 1:
        raise unknown_name("model", model, [card.parent.name for card in trained])
    read_card(folder)
    return folder
