"""Where a model is: the bundle that a name or a path stands for."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fercomp.core.errors import FercompError, unknown_name
from fercomp.core.files import followed, require_kind
from fercomp.core.hub_presets import hub_presets
from fercomp.core.params.backbone import SIZES
from fercomp.core.paths import SHIPPED, SHIPPED_LARGE, Workspace
from fercomp.core.reading import is_there
from fercomp.modeling.bundle.card import (
    CARD,
    DECISION,
    GRAPH,
    GRAPH_WEIGHTS,
    HISTORY_FILE,
    HOLDOUT,
    KERAS_MODEL,
    MEMBERS,
    OOF,
    Card,
    read_card,
)

CAME_ALONG: Final[Mapping[str, Path]] = {
    name: Path(__file__).parents[2] / name for name in (SHIPPED, SHIPPED_LARGE)
}
"""The bundles that come with the package: a small one for clips and cameras, a large one for photos."""

BENCH_PREFIX: Final = "bench-"
"""In front of the names of models that `bench` trains, so that no experiment's model is replaced."""

STUDY_PREFIX: Final = "study-"
"""The same for `study`."""

_TAKEN: Final = {
    "history": "the record of submissions",
    "bench.csv": "the table of `fercomp bench`",
    "bench.png": "the picture of `fercomp bench`",
    "robustness.png": "the picture of `fercomp robustness`",
}
"""Names of files that lie beside models, or beside their submissions."""

_OF_A_MODEL: Final = (
    *(CARD, DECISION, HISTORY_FILE, HOLDOUT, KERAS_MODEL, MEMBERS, OOF),
    *("graph", "metrics.json", "test_probs*"),
)
"""Patterns of what a model's folder has; where `dvc` has removed some of it, the rest is still a model's."""


def own_models(workspace: Workspace) -> list[Path]:
    """Returns the folders of all models under `models/`, the oldest first."""
    # Names that begin with a dot are bundles that are being written, or were when a run was killed.
    cards = workspace.models.glob(f"[!.]*/{CARD}")
    return [card.parent for card in sorted(cards, key=lambda card: (card.stat().st_mtime, card))]


def is_compared_only(name: str) -> bool:
    """Tells whether a model was trained by `bench` or `study`: one of these is never a default."""
    return name.startswith((BENCH_PREFIX, STUDY_PREFIX))


def new_model(name: str, workspace: Workspace) -> Path:
    """Returns the folder of a model that is about to be made, if it may be there.

    Raises:
        FercompError: See `check_name`; or something else than a model is there, which it would replace.
    """
    folder = workspace.bundle(check_name(name))
    require_kind(followed(folder), folder=True)
    there = [path for path in folder.glob("*") if not path.name.startswith(".")]
    if there and not any(path.match(pattern) for path in there for pattern in _OF_A_MODEL):
        raise FercompError(
            f"{folder} holds something else than a model, such as {there[0].name}: move it away, or choose "
            "another name"
        )
    return folder


def check_name(name: str) -> str:
    """Returns the name of an experiment that is about to be written, if it may have it.

    Raises:
        FercompError: It cannot be a folder's name, or is the name of a model that came with fercomp or of a
            file beside models or submissions.
    """
    if name.casefold() in _TAKEN:
        raise FercompError(f"{name!r} is the name of {_TAKEN[name.casefold()]}: choose another name")
    if name.casefold() in CAME_ALONG:
        raise FercompError(f"{name!r} is the name of a model that came with fercomp: choose another name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise FercompError(
            f"name {name!r}: expected a letter or digit, then letters, digits, dots, dashes and underscores"
        )
    return name


def resolve_model(model: str | None, workspace: Workspace) -> Path:
    """Finds the folder of a model that a user named.

    Args:
        model: The name of an experiment, the path of a bundle, `shipped` or `shipped-large` for a model that
            came with fercomp, or `None` for the model trained last, but for those of `bench` and `study`,
            and, where none was trained, `shipped-large`.
        workspace: Where experiments are.

    Returns:
        The bundle's folder; its card is there, though not validated.

    Raises:
        FercompError: There is no such model.
    """
    trained = own_models(workspace)
    own = [folder for folder in trained if not is_compared_only(folder.name)]
    if model is None and own:
        return own[-1]
    if model is None or model in CAME_ALONG:
        folder = CAME_ALONG[model or SHIPPED_LARGE]
    elif is_there(workspace.bundle(model) / CARD):
        folder = workspace.bundle(model)
    elif Path(model).exists() or len(Path(model).parts) != 1:
        folder = Path(model)
    else:
        unknown = unknown_name("model", model, [*CAME_ALONG, *(other.name for other in trained)])
        if model in SIZES or model in hub_presets():
            raise FercompError(f"{unknown} (to train it: `fercomp train --backbone {model}`)")
        raise unknown
    read_card(folder)
    return folder


def resolve_scored(model: str | None, workspace: Workspace) -> Path:
    """Finds the folder of a model as `resolve_model` does, one with answers on the holdout.

    Raises:
        FercompError: There is no such model; or it came with fercomp, without these.
    """
    folder = resolve_model(model, workspace)
    if folder in CAME_ALONG.values() and not (folder / HOLDOUT).is_file():
        lack = "" if model else f"no model of yours in {workspace.models}: run `fercomp train` ("
        why = "the models that came with fercomp bring no answers on a holdout and cannot be scored here"
        raise FercompError(f"{lack}{why}{')' if lack else ': `fercomp train` makes one that can'}")
    return folder


def output_name(folder: Path, workspace: Workspace) -> str:
    """Returns the name of what is made with a model: that of its folder, whatever its card says.

    Args:
        folder: The bundle, as `resolve_model` finds it.
        workspace: Where predictions and submissions go.

    Raises:
        FercompError: The folder is outside of `models/`, and its name cannot be one, or is another model's.
    """
    name = folder.name if folder.name not in ("", "..") else folder.resolve().name
    if name.casefold() in _TAKEN:  # a folder that somebody named by hand
        check_name(name)
    own = (workspace.bundle(name), *CAME_ALONG.values())
    if folder.resolve() in [place.resolve() for place in own]:
        return name
    if (workspace.bundle(check_name(name)) / CARD).is_file():
        raise FercompError(
            f"{folder} has the name of another model, {workspace.bundle(name)}, whose predictions it would "
            "replace: rename the folder"
        )
    return name


def network_cards(folder: Path) -> list[Card]:
    """Reads the cards of a model's networks: those inside an ensemble, or its own.

    Raises:
        FercompError: A card is missing or damaged.
    """
    card = read_card(folder)
    return [read_card(folder / MEMBERS / member.name) for member in card.members] or [card]


def model_files(folder: Path, *further: str) -> dict[str, Path]:
    """Lists what a model's probabilities come from, none of what says what they are worth.

    Args:
        folder: The bundle.
        *further: Names of other files that are wanted where they are there.

    Returns:
        Paths by their names inside the folder.

    Raises:
        FercompError: Its card is missing or damaged.
    """
    networks = ("", *(f"{MEMBERS}/{member.name}/" for member in read_card(folder).members))
    names = [place + name for place in networks for name in (CARD, GRAPH, GRAPH_WEIGHTS, KERAS_MODEL)]
    return {name: folder / name for name in (*names, *further) if (folder / name).is_file()}
