"""The card of a bundle: what a trained model says of itself, and where it is found.

A bundle is a folder that explains itself:

    card.json     what the model is: classes, input, how it was trained, what it scored
    graph/        the inference graph for the runtime (empty where the network could not be exported)
    model.keras   the Keras model, for training further and as the fallback of the runtime
    history.csv   one row per epoch of training
    holdout.csv   probabilities of the holdout photos, beside their given labels
    members/      of an ensemble, instead of `graph/` and `model.keras`: a bundle for each of its networks

`annotate`, `predict` and `live` need only the first three, or the card and the members. A bundle may come
from anywhere: the card is validated, and nothing in the folder is unpickled.
"""

import json
import re
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError, field_validator

from fercomp.core.errors import FercompError, unknown_name
from fercomp.core.params import Group, Name
from fercomp.core.paths import Workspace

FORMAT: Final = 1
"""Version of the card; a bundle with a higher one was written by a newer fercomp."""

CARD: Final = "card.json"
GRAPH: Final = "graph/graph.xml"
GRAPH_WEIGHTS: Final = "graph/graph.bin"
KERAS_MODEL: Final = "model.keras"
HISTORY: Final = "history.csv"
HOLDOUT: Final = "holdout.csv"
OOF: Final = "oof.csv"
MEMBERS: Final = "members"

SHIPPED_NAME: Final = "shipped"
SHIPPED: Final = Path(__file__).parents[1] / SHIPPED_NAME
"""The bundle that comes with the package."""


class Member(Group):
    """A network of an ensemble.

    Attributes:
        name: Name of its bundle inside the ensemble's `members/`; no path, so that it cannot lead outside.
        weight: Its share in the mean of the members' probabilities, once divided by the sum of all.
    """

    name: Name
    weight: float = Field(gt=0, le=1)


class Card(Group):
    """What a bundle says of itself.

    Attributes:
        format: Version of this card.
        name: Name of the experiment; no path, since what is made with the model is named after it.
        backbone: Name of the backbone, or `ensemble`.
        classes: Class names in the order of the network's K outputs.
        size: Side of the network's input in pixels, S; of an ensemble's first member.
        margin: Share of a detected face's box added on each side before cropping; likewise.
        flip: Probabilities are the mean over the face and its mirror image.
        members: The networks of an ensemble, whose weighted mean is the answer; none in a single network.
        threshold: A face whose highest probability is lower is called `uncertain`; none if `null`.
        temperature: Probabilities are raised to its inverse and normalised (temperature scaling).
        runtime: What runs the bundle: `openvino` or, where the graph could not be exported, `keras`.
        trained: Parameters, seed, git commit, fingerprint of the data, and package versions.
        scores: Scores on the holdout, after temperature; empty where there was no holdout.
    """

    format: int = FORMAT
    name: Name
    backbone: str
    classes: tuple[str, ...] = Field(min_length=2)
    size: int = Field(ge=8, le=4096)
    margin: float = Field(ge=0, le=2)
    flip: bool = False
    members: tuple[Member, ...] = ()
    threshold: float | None = Field(default=None, ge=0, le=1)
    temperature: float = Field(default=1.0, gt=0)
    runtime: Literal["openvino", "keras"]
    trained: dict[str, Any]
    scores: dict[str, float]

    @field_validator("members")
    @classmethod
    def _each_member_once(cls, members: tuple[Member, ...]) -> tuple[Member, ...]:
        if len({member.name for member in members}) < len(members):
            raise ValueError("a member is named twice")
        return members


def check_name(name: str) -> str:
    """Returns the name of an experiment that is about to be written, if it may have it.

    Raises:
        FercompError: It cannot be a folder's name, is the name of the model that came with fercomp, or the
            name of the record of submissions.
    """
    if name == "history":
        raise FercompError("'history' is the name of the record of submissions: choose another name")
    if name == SHIPPED_NAME:
        raise FercompError(f"{name!r} is the name of the model that came with fercomp: choose another name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise FercompError(
            f"name {name!r}: expected a letter or digit, then letters, digits, dots, dashes and underscores"
        )
    return name


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
        model: The name of an experiment, the path of a bundle, `shipped` for the model that came with
            fercomp, or `None` for the model trained last and, where none was trained, the shipped one.
        workspace: Where experiments are.

    Returns:
        The bundle's folder; its card is there, though not validated.

    Raises:
        FercompError: There is no such model.
    """
    # Names that begin with a dot are bundles that are being written, or were when a run was killed.
    cards = workspace.models.glob(f"[!.]*/{CARD}")
    trained = sorted(cards, key=lambda card: (card.stat().st_mtime, card))
    if model is None and trained:
        return trained[-1].parent
    if model is None or model == SHIPPED_NAME:
        folder = SHIPPED
    elif (workspace.bundle(model) / CARD).is_file():
        folder = workspace.bundle(model)
    else:
        folder = Path(model)
        if not folder.exists() and len(folder.parts) == 1:
            raise unknown_name("model", model, [SHIPPED_NAME, *(card.parent.name for card in trained)])
    read_card(folder)
    return folder
