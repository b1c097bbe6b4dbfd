"""A card and its network belong together, and what the network gives are probabilities."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256, write_json
from fercomp.core.reading import is_there
from fercomp.modeling.bundle.card import CARD, FORMAT, KERAS_MODEL, Card
from fercomp.modeling.bundle.model_card import write_model_card

ROUNDING: Final = 0.02
"""How far probabilities of a network may be from a sum of 1; bfloat16 has three digits."""


def write_card(folder: Path, card: Card) -> Card:
    """Writes the card of a bundle whose network is there, tied to it by checksums, and the page on it.

    Args:
        folder: The bundle.
        card: Its card; `files` on it do not matter.

    Returns:
        The card as it was written.
    """
    names = dict.fromkeys((*card.network, *(() if card.members else (KERAS_MODEL,))))
    files = {name: sha256(folder / name) for name in names if (folder / name).is_file()}
    card = card.model_copy(update={"format": FORMAT, "files": files})
    write_json(folder / CARD, card.model_dump())
    write_model_card(folder)
    return card


def check_network(folder: Path, card: Card, names: Sequence[str] | None = None) -> dict[str, str]:
    """Compares a network's files with the checksums on its card.

    Args:
        folder: The bundle.
        card: Its card; one of an earlier version has no checksums, and nothing to compare with.
        names: Which files; by default those that the runtime needs, of an ensemble none.

    Returns:
        SHA-256 by name of the files.

    Raises:
        FercompError: A file is missing, or is not the one that the card was written for.
    """
    sums = {}
    for name in card.network if names is None else names:
        if not is_there(folder / name):
            raise FercompError(f"{folder / name} not found: train the model again")
        sums[name] = sha256(folder / name)
        if card.files.get(name, sums[name]) != sums[name]:
            raise FercompError(
                f"{folder / name} is not the file that its card.json was written for: it is damaged, or the "
                "folder mixes two models; copy the whole folder again, or train the model again"
            )
    return sums


def checked_outputs(outputs: np.ndarray, folder: Path, card: Card) -> np.ndarray:
    """Checks what a network gave: one that is damaged or has no softmax would name some class all the same.

    Args:
        outputs: `(n, W)` float32, n at least 1.
        folder: The bundle, for the error.
        card: Its card.

    Returns:
        The same.

    Raises:
        FercompError: A number is not finite, or a face's probabilities are none.
    """
    right = bool(np.isfinite(outputs).all())
    if right and card.head != "valence_arousal":
        probabilities = outputs[:, : len(card.classes)]
        sums = probabilities.sum(axis=1)
        right = bool(probabilities.min() >= -ROUNDING and np.abs(sums - 1).max() <= ROUNDING)
    if not right:
        raise FercompError(
            f"the network of {folder} gives no probabilities: it is damaged or was made for something else; "
            "train the model again"
        )
    return outputs
