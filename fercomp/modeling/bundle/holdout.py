"""A model's holdout table, and its answers there as if its rule had not been fitted on them."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercomp.core.csv_table import FORMER_NAMES
from fercomp.core.errors import FercompError
from fercomp.core.files import write_json
from fercomp.core.reading import read_json
from fercomp.core.tables import holdout_table, oof_table, pred_probs
from fercomp.decisions.fitting import Fit, cross_fitted_answers, fit_of
from fercomp.decisions.rule import Rule
from fercomp.media.problems import ImageProblem
from fercomp.modeling.bundle.card import CARD, FORMAT, HOLDOUT, LARGEST_CARD, OOF, Card, read_card
from fercomp.modeling.bundle.kind import answer_traits, kind_of

if TYPE_CHECKING:
    import pandas as pd

    from fercomp.data.cache import PhotoCache


def read_holdout(folder: Path, card: Card) -> "tuple[pd.DataFrame, np.ndarray, np.ndarray]":
    """Reads a model's holdout table.

    Args:
        folder: The bundle.
        card: Its card.

    Returns:
        The table, its N photos' probabilities `(N, K)`, and their labels as answers of the model, `(N,)` int.

    Raises:
        FercompError: The table is missing or empty, or holds a label that the model cannot answer.
    """
    path = folder / HOLDOUT
    table = holdout_table(card.classes).read(path)
    labels = card.rule.indices(table["emotion"].tolist(), str(path))
    if not (labels < len(card.classes)).any():
        raise FercompError(f"{path} has no photo with a class of the model: run `fercomp train` again")
    return table, pred_probs(table, card.classes), labels


def fit_out_of_fold(folder: Path, card: Card, fit: Fit) -> Rule:
    """Fits a rule on a model's out-of-fold probabilities, the holdout's left out.

    Raises:
        FercompError: A table is missing or holds a label that the model cannot answer.
    """
    table = oof_table(card.classes).read(folder / OOF)
    seen = holdout_table(card.classes).read(folder / HOLDOUT)["image_path"]
    table = table[~table["image_path"].isin(seen)]
    labels = card.rule.indices(table["emotion"].tolist(), str(folder / OOF))
    return fit(pred_probs(table, card.classes), labels)


def holdout_answers(card: Card, probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Answers the holdout as the model would, had its decision not been fitted there.

    Args:
        card: The model's card, with its decision.
        probabilities: `(N, K)` float.
        labels: `(N,)` int, given labels as answers.

    Returns:
        `(N,)` int: what the card's rule decides or, where that was fitted on these very photos, what the rule
        that fits the others decides.
    """
    on_holdout = card.trained.get("decision", {}).get("fitted_on") in (HOLDOUT, FORMER_NAMES[HOLDOUT])
    if not on_holdout or card.rule == Rule(card.classes):
        return card.rule.decide(probabilities)
    return cross_fitted_answers(fit_of(card.classes, card.threshold_on), probabilities, labels)


def add_kind(
    folder: Path, card: Card, photos: "pd.DataFrame", raw: Path, cache: "PhotoCache | None" = None
) -> Card:
    """Says on the card of a model of an earlier version what the photos were like that it learned from.

    Args:
        folder: The bundle, with its holdout table.
        card: Its card; one that says it is left as it is.
        photos: Rows of table `PHOTOS`, those that it learned from among them.
        raw: The folder that their paths are relative to.
        cache: Where decoded photos are kept.

    Returns:
        The card, with what it says now; as it is where a photo cannot be read.
    """
    if card.kind is not None:
        return card
    try:
        kind = kind_of(photos[photos["split"] == "train"], raw, card.size, cache)
    except ImageProblem:  # photos are gone, and nothing else needs them
        return card
    if kind is None:
        return card
    kind = kind.with_traits(answer_traits(read_holdout(folder, card)[1]))
    # Not the card that was read: that has the decision on it, which is a file of its own.
    said = read_json(folder / CARD, LARGEST_CARD, "train the model again")
    write_json(folder / CARD, said | {"format": FORMAT, "kind": kind.model_dump()})
    return read_card(folder)
