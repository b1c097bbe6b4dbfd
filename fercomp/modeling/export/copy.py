"""Copies what a model needs to run, and nothing else, to another place."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_folder
from fercomp.core.paths import Workspace
from fercomp.modeling.bundle.card import CARD, GRAPH, MEMBERS, Card, read_card
from fercomp.modeling.bundle.card_keys import PRECISION
from fercomp.modeling.bundle.find import CAME_ALONG, check_name
from fercomp.modeling.bundle.integrity import check_network, write_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.export.quantise import Precision, example_faces, quantise, store_as_float16

_README = "README.md"


def export_model(
    folder: Path,
    target: Path,
    name: str | None = None,
    precision: Precision | None = None,
    workspace: Workspace | None = None,
) -> int:
    """Writes a bundle for `annotate`, `predict` and `live`: card and network, without tables and pictures.

    Args:
        folder: The bundle.
        target: The folder to write. A bundle that is there already is replaced as a whole; its README stays.
        name: The name that the copy says it has; by default the bundle's own.
        precision: `float16` stores weights so: half the size, arithmetic stays float32. `int8` computes in 8
            bits: a quarter of the size, half the time. By default graphs stay as they are.
        workspace: Where training photos are, which `int8` needs; by default the current folder.

    Returns:
        Size of the copy in bytes.

    Raises:
        FercompError: The bundle is incomplete, the name cannot be one, the target holds something that is
            not a bundle, or a network has no graph whose weights could be stored otherwise.
    """
    card = read_card(folder)
    if name is not None and name not in CAME_ALONG:  # how the models that come with fercomp get their names
        check_name(name)
    if target.resolve() == folder.resolve():
        raise FercompError(f"{target} is the model itself: name another folder")
    if target.is_dir() and any(target.iterdir()) and not (target / CARD).is_file():
        raise FercompError(f"{target} holds something else than a model: name another folder")
    with atomic_folder(target) as new:
        copy_network(folder, card, new)
        if precision:
            card = _reduced(new, card, precision, partial(example_faces, workspace or Workspace(), seed=0))
        # This card has the decision, too, which stands in a file of its own beside the original's.
        renamed = card.model_copy(update={"name": card.name if name is None else name})
        write_card(new, renamed)
        if (target / _README).is_file():
            shutil.copyfile(target / _README, new / _README)
    return sum(file.stat().st_size for file in target.rglob("*") if file.is_file())


def _reduced(folder: Path, card: Card, precision: Precision, examples: Callable[[int], np.ndarray]) -> Card:
    """Rewrites the graph of a bundle, or those of its members and their cards; returns its own new card."""
    if card.trained.get(PRECISION) == "int8":
        raise FercompError(
            f"{card.name} is quantised to 8 bits already: export the model that it was made of"
        )
    if card.runtime != "openvino":
        raise FercompError(f"{card.name} runs on Keras: only a graph can be stored as {precision}")
    for member in card.members:
        inside = folder / MEMBERS / member.name
        reduced = _reduced(inside, read_card(inside), precision, examples)
        write_card(inside, reduced)
    if not card.members and precision == "int8":
        quantise(folder / GRAPH, examples(card.size))
    elif not card.members:
        store_as_float16(folder / GRAPH)
    return card.model_copy(update={"trained": {**card.trained, PRECISION: precision}, "graph": None})


def agreement_of_answers(one: Path, other: Path, workspace: Workspace) -> tuple[float, int]:
    """Says how often two bundles of the same networks name the same class.

    Args:
        one: A bundle.
        other: Another, with inputs of the same sizes.
        workspace: Where training photos are. Which are taken is drawn anew, so of few photos many are those
            that `int8` was calibrated on.

    Returns:
        Share of photos on which they agree, 0 to 1, and how many photos there were.
    """
    bundles = load_bundle(one), load_bundle(other)
    faces = [example_faces(workspace, size, seed=1) for size, _ in bundles[0].inputs]
    named = [bundle.predict(*faces).argmax(axis=1) for bundle in bundles]
    return float((named[0] == named[1]).mean()), len(named[0])


def copy_network(source: Path, card: Card, target: Path) -> None:
    """Copies what is needed to run a network, or the networks of an ensemble.

    Args:
        source: The bundle.
        card: Its card.
        target: The folder to copy to.

    Raises:
        FercompError: A file is missing, or is not the one that the card is of.
    """
    for file in (CARD, *card.network):
        if not (source / file).is_file():
            raise FercompError(f"{source / file} not found: train the model again")
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, target / file)
    check_network(target, card)
    if card.network and not card.files:  # the card of an earlier version
        write_card(target, card)
    for member in card.members:
        folder = source / MEMBERS / member.name
        copy_network(folder, read_card(folder), target / MEMBERS / member.name)
