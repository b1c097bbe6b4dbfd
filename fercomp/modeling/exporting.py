"""Copies what a model needs to run, and nothing else, to another place."""

import shutil
from pathlib import Path

from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_folder, write_json
from fercomp.modeling.card import (
    CARD,
    GRAPH,
    GRAPH_WEIGHTS,
    KERAS_MODEL,
    MEMBERS,
    SHIPPED_NAME,
    Card,
    check_name,
    read_card,
)

README = "README.md"


def export_model(folder: Path, target: Path, name: str | None = None, float16: bool = False) -> int:
    """Writes a bundle for `annotate`, `predict` and `live`: card and network, without tables and pictures.

    Args:
        folder: The bundle.
        target: The folder to write. A bundle that is there already is replaced as a whole; its README stays.
        name: The name that the copy says it has; by default the bundle's own.
        float16: Store the graphs' weights as float16: half the size; arithmetic stays float32.

    Returns:
        Size of the copy in bytes.

    Raises:
        FercompError: The bundle is incomplete, the name cannot be one, the target holds something that is
            not a bundle, or a network has no graph whose weights could be stored otherwise.
    """
    card = read_card(folder)
    if name not in (None, SHIPPED_NAME):  # how the model that comes with fercomp gets its name
        check_name(name)
    if target.resolve() == folder.resolve():
        raise FercompError(f"{target} is the model itself: name another folder")
    if target.is_dir() and any(target.iterdir()) and not (target / CARD).is_file():
        raise FercompError(f"{target} holds something else than a model: name another folder")
    with atomic_folder(target) as new:
        copy_network(folder, card, new)
        if float16:
            _store_as_float16(new)
        renamed = card.model_copy(update={"name": card.name if name is None else name})
        write_json(new / CARD, renamed.model_dump())
        if (target / README).is_file():
            shutil.copyfile(target / README, new / README)
    return sum(file.stat().st_size for file in target.rglob("*") if file.is_file())


def _store_as_float16(folder: Path) -> None:
    import openvino

    if any(folder.rglob(KERAS_MODEL)):
        raise FercompError(f"{read_card(folder).name} runs on Keras: only graphs can be stored as float16")
    for file in folder.rglob(GRAPH):
        graph = openvino.Core().read_model(file)
        # Beside it first: what was read may still lie in the files.
        smaller = file.with_name("smaller.xml")
        openvino.save_model(graph, smaller, compress_to_fp16=True)
        del graph
        for suffix in (".xml", ".bin"):
            smaller.with_suffix(suffix).replace(file.with_suffix(suffix))


def copy_network(source: Path, card: Card, target: Path) -> None:
    """Copies what is needed to run a network, or the networks of an ensemble.

    Args:
        source: The bundle.
        card: Its card.
        target: The folder to copy to.

    Raises:
        FercompError: A file is missing.
    """
    network = (GRAPH, GRAPH_WEIGHTS) if card.runtime == "openvino" else (KERAS_MODEL,)
    for file in (CARD, *(() if card.members else network)):
        if not (source / file).is_file():
            raise FercompError(f"{source / file} not found: train the model again")
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, target / file)
    for member in card.members:
        folder = source / MEMBERS / member.name
        copy_network(folder, read_card(folder), target / MEMBERS / member.name)
