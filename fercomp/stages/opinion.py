"""One model's opinion of the labelled photos, for `relabel` where a network per fold is too dear."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_table import existing
from fercomp.core.errors import FercompError
from fercomp.core.params import MachineParams
from fercomp.core.paths import Workspace
from fercomp.core.progress import count
from fercomp.core.tables import PHOTOS
from fercomp.data.cache import PhotoCache
from fercomp.modeling.bundle.card import HOLDOUT, OOF, Card, read_card
from fercomp.modeling.bundle.find import network_cards
from fercomp.modeling.bundle.holdout import read_holdout
from fercomp.modeling.training.teacher import check_teacher, kept_probs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Opinion:
    """What a model says of the labelled photos.

    Attributes:
        table: Table `oof_table(EMOTIONS)` of the N labelled photos.
        trust: The share of a full word that it counts, 0 to 1; or `(N,)`, of each photo of the index.
        told: From which photos it has learned, and what follows, in lines for people.
    """

    table: "pd.DataFrame"
    trust: float | np.ndarray = 1.0
    told: tuple[str, ...] = ()


def no_opinion(photos: "pd.DataFrame") -> Opinion:
    """Returns the word of nobody: copies of a picture and people decide alone, in doubt for the given label.

    Args:
        photos: Table `PHOTOS`.
    """
    labelled = photos.loc[photos["split"] != "test", ["image_path", "emotion"]]
    given = {name: (labelled["emotion"] == name).astype(float) for name in EMOTIONS}
    told = "no network was asked: `fercomp crossval`, or --model NAME, adds its word"
    return Opinion(labelled.assign(**given), trust=0.0, told=(told,))


def opinion_of(folder: Path, workspace: Workspace, machine: MachineParams) -> Opinion:
    """Asks a model about all labelled photos.

    Of a cross-validated model the out-of-fold probabilities count, and count fully. The word of any other
    counts as `1 - by_heart` on photos that it has learned: all, but for those in its holdout table where it
    is no refit.

    Args:
        folder: The bundle.
        workspace: Where the photos and their index are. What the model says is kept, so that the next
            `relabel` need not ask again.
        machine: What is to answer, and how many decoded photos are kept.

    Returns:
        What it says.

    Raises:
        FercompError: The model has other classes or no score on a holdout, or a photo cannot be read.
    """
    check_teacher(folder, EMOTIONS)
    photos = PHOTOS.read(workspace.photos)
    photos = photos[photos["split"] != "test"].reset_index(drop=True)
    paths = photos["image_path"].tolist()
    cache = PhotoCache(workspace.decoded, machine.cache_gb)
    said = kept_probs(folder, EMOTIONS, workspace.raw, paths, workspace.training, cache, machine.device)
    table = photos[["image_path", "emotion"]].assign(**dict(zip(EMOTIONS, said.T, strict=True)))
    card = read_card(folder)
    if (folder / OOF).is_file():
        told = f"{card.name} is cross-validated: each photo is judged by a network that has not learned it"
        return Opinion(table, told=(told,))
    accuracy, seen = _holdout_accuracy(folder, card), _learned(folder, card, photos)
    right = said.argmax(axis=1) == photos["emotion"].map(EMOTIONS.index).to_numpy()
    counted = seen & (photos["recompressed"] == 0).to_numpy()
    on_seen = float(right[counted].mean()) if counted.any() else 0.0
    counts = 1 - by_heart(on_seen, accuracy)
    told = (
        f"{card.name} may have learned {seen.sum():,} of {count(len(seen), 'labelled photo')}: right on "
        f"{on_seen:.3f} of these, on {accuracy:.3f} of its holdout; so what it says of them counts as "
        f"{counts:.2g} of what it says of others"
    )
    return Opinion(table, np.where(seen, counts, 1.0), (told, *_taught_suggestions(folder)))


def by_heart(on_learned: float, on_holdout: float) -> float:
    """Estimates for which share of the photos that it has learned a network repeats the given label.

    It is right there wherever it does, and elsewhere as often as on the holdout: `on_learned = share + (1 -
    share) * on_holdout`. Where it only repeats a label, it has no opinion, and that label has its vote
    already; so its word counts less by this share. A temperature would not do: one that is fitted on
    photos that it has learned makes it surer, since it is right there.

    Args:
        on_learned: Accuracy on photos that it has learned, 0 to 1.
        on_holdout: Accuracy on others, 0 to 1.

    Returns:
        The share, 0 to 1.

    Examples:
        >>> by_heart(0.8, 0.6)
        0.5
    """
    if on_learned <= on_holdout:
        return 0.0
    return round((on_learned - on_holdout) / (1 - on_holdout), 6)


def _holdout_accuracy(folder: Path, card: Card) -> float:
    """Returns how often a model's likeliest class is right on its holdout; of a refit, its original's."""
    if existing(folder / HOLDOUT).is_file():
        _, probabilities, labels = read_holdout(folder, card)
        return float((probabilities.argmax(axis=1) == labels).mean())
    if "accuracy" not in card.scores:
        raise FercompError(
            f"{folder} has no score on a holdout, so it cannot be told how much it has learned by heart: "
            "name a model that has one, or run `fercomp crossval`"
        )
    return card.scores["accuracy"]


def _learned(folder: Path, card: Card, photos: "pd.DataFrame") -> np.ndarray:
    """Says of which photos a model may have learned the picture: `(N,)` bool.

    These are all that its holdout does not name. A model of other photos names none of them, and has learned
    none; it is not right more often on these than on its own holdout, so that its word counts fully.
    """
    groups = photos["duplicate_group"].to_numpy()
    if card.is_refit or not existing(folder / HOLDOUT).is_file():
        return np.ones(len(photos), dtype=bool)
    table = read_holdout(folder, card)[0]
    held_out = set(zip(table["image_path"], table["emotion"], strict=True))
    keys = zip(photos["image_path"], photos["emotion"], strict=True)
    seen = np.array([key not in held_out for key in keys])
    return np.isin(groups, groups[seen])


def _taught_suggestions(folder: Path) -> list[str]:
    taught = [
        network.name
        for network in network_cards(folder)
        if network.trained.get("params", {}).get("labels", "given") != "given"
    ]
    if not taught:
        return []
    return [f"{', '.join(taught)} learned suggested labels: what they say of these repeats the suggestions"]
