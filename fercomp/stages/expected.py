"""What a model will score at Kaggle, as far as its holdout tells; and the best that the labels allow."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.progress import count
from fercomp.core.tables import PHOTOS, oof_table, pred_probs, prediction_table
from fercomp.decisions.expectation import (
    HOW_OFTEN,
    SEEDS,
    Range,
    expected_range,
    price_of_choice,
    shifted_accuracy,
    worth_of,
)
from fercomp.labels.ceiling import ceiling_of_copies
from fercomp.modeling.bundle.card import CARD, HOLDOUT, Card, read_card
from fercomp.modeling.bundle.find import output_name, own_models
from fercomp.modeling.bundle.holdout import holdout_answers, read_holdout

if TYPE_CHECKING:
    import pandas as pd

PUBLIC_SHARE: Final = 0.3
"""Share of the test photos whose score Kaggle is assumed to show at once; 30 % is usual."""

ENOUGH_COPIES: Final = 100
"""Photos with a copy from which on their labels bound the best accuracy."""


@dataclass(frozen=True)
class Expected:
    """What a model will score.

    Attributes:
        holdout: Range of its true accuracy on photos such as the holdout's.
        worth: How many photos of their own the holdout's are worth.
        price: What was taken off since it is the best of several models.
        models: How many these are.
        shift: What was added since its answers to the test photos have other shares.
        photos: Number of test photos.
        public: Range of the score on the public part of these.
        private: The same of the others.
    """

    holdout: Range
    worth: float
    price: float
    models: int
    shift: float
    photos: int
    public: Range
    private: Range

    def lines(self) -> list[str]:
        """Says it to people."""
        often = f"{HOW_OFTEN:.0%}".replace("%", " %")
        said = [f"its true accuracy is {_ends(self.holdout)} in {often} of the cases"]
        if self.photos:
            said.append(
                f"expect {_ends(self.public)} on the public {PUBLIC_SHARE:.0%}".replace("%", " %")
                + f" of {count(self.photos, 'test photo')}, {_ends(self.private)} on the others"
            )
        if round(self.price, 4):
            said.append(
                f"{self.price:.4f} is taken off: it is the best of {self.models} models by this holdout"
            )
        if round(self.shift, 4):
            said.append(
                f"{self.shift:+.4f} is added: it gives the test photos other classes than the holdout"
            )
        return said


def expected_score(folder: Path, workspace: Workspace) -> Expected:
    """Says what a model will score at Kaggle.

    Args:
        folder: The bundle, with its holdout table.
        workspace: Where the index is, its answers to the test photos and other models; what is missing of
            these is left out.

    Raises:
        FercompError: The holdout table is missing or damaged.
    """
    card = read_card(folder)
    table, decided, right = _answered(folder, card)
    photos = PHOTOS.read(workspace.photos) if workspace.photos.is_file() else None
    groups, tests = np.arange(len(right)), 0
    if photos is not None:
        group = photos.set_index("image_path")["duplicate_group"].reindex(table["image_path"])
        groups = groups if group.isna().any() else group.to_numpy()
        tests = int((photos["split"] == "test").sum())
    rivals = _rivals(table, folder, workspace)
    best = all(right.mean() >= rival.mean() for rival in rivals)
    price = price_of_choice(np.stack([right, *rivals])) if best else 0.0
    shift = _shift(folder, card, decided, right, workspace)
    accuracy, worth = float(right.mean()), worth_of(right, groups)
    parts = expected_parts(accuracy - price + shift, worth, tests, card.is_refit)
    return Expected(
        holdout=expected_range(accuracy - price, worth, math.inf),
        worth=worth,
        price=price,
        models=1 + len(rivals),
        shift=shift,
        photos=tests,
        public=parts[0],
        private=parts[1],
    )


def expected_parts(accuracy: float, worth: float, photos: int, refit: bool) -> tuple[Range, Range]:
    """Returns the ranges of the public and the private score.

    Args:
        accuracy: What is expected, 0 to 1.
        worth: How many photos it was measured on, or what they are worth.
        photos: Number of test photos.
        refit: It was measured on another network than the one that is sent: seeds differ as much.
    """
    public, spread = round(PUBLIC_SHARE * photos), SEEDS if refit else 0.0
    ends = [expected_range(accuracy, worth, part, spread) for part in (public, photos - public)]
    return ends[0], ends[1]


def choice(workspace: Workspace) -> tuple[str, float, int] | None:
    """Returns the best model of a workspace, what that choice costs, and of how many; `None` of one."""
    models = own_models(workspace)
    scored = {folder: accuracy for folder in models if not math.isnan(accuracy := _accuracy(folder))}
    if len(scored) < 2:
        return None
    best = max(scored, key=lambda folder: (scored[folder], folder.name))
    try:
        table, _, right = _answered(best, read_card(best))
    except FercompError:
        return None
    rivals = _rivals(table, best, workspace)
    return (best.name, price_of_choice(np.stack([right, *rivals])), 1 + len(rivals)) if rivals else None


def _accuracy(folder: Path) -> float:
    try:
        card = read_card(folder)
    except FercompError:
        return math.nan
    return math.nan if card.is_refit else card.scores.get("accuracy", math.nan)


def _answered(folder: Path, card: Card) -> "tuple[pd.DataFrame, np.ndarray, np.ndarray]":
    table, probabilities, labels = read_holdout(folder, card)
    decided = holdout_answers(card, probabilities, labels)
    return table, decided, decided == labels


def _rivals(table: "pd.DataFrame", folder: Path, workspace: Workspace) -> list[np.ndarray]:
    """Returns where other models are right on the same photos; those that repeat another are none."""
    found = []
    for other in sorted(own_models(workspace)):
        try:
            card = read_card(other)
            if other.resolve() == folder.resolve() or card.is_refit or not (other / HOLDOUT).is_file():
                continue
            others, _, right = _answered(other, card)
        except FercompError:  # told where it is used
            continue
        if others[["image_path", "emotion"]].equals(table[["image_path", "emotion"]]):
            found.append(right)
    return found


def _shift(folder: Path, card: Card, decided: np.ndarray, right: np.ndarray, workspace: Workspace) -> float:
    try:
        path = workspace.test_probabilities(output_name(folder, workspace))
        said = prediction_table(card.classes, points=card.head != "emotion").read(path)
    except FercompError:  # not predicted yet
        return 0.0
    others = card.rule.decide(pred_probs(said, card.classes))
    return shifted_accuracy(right, decided, others) - float(right.mean())


def ceiling_lines(workspace: Workspace) -> list[str]:
    """Says the best accuracy that labels allow, as far as copies tell and `crossval`; without copies nothing.

    Raises:
        FercompError: The index or the out-of-fold table is damaged.
    """
    if not workspace.photos.is_file():
        return []
    photos = PHOTOS.read(workspace.photos)
    photos = photos[(photos["split"] != "test") & (photos["recompressed"] == 0)]
    classes = sorted(set(photos["emotion"]))
    labels = photos["emotion"].map(classes.index).to_numpy()
    opinions = _opinions(workspace, photos["image_path"].tolist(), classes)
    for what, column in (("of the very same file", "sha1"), ("of a picture", "duplicate_group")):
        pictures = photos[column].to_numpy()
        found = ceiling_of_copies(labels, pictures, len(classes), opinions) if len(classes) > 1 else None
        if found and found.photos >= ENOUGH_COPIES:
            besides = ", and from the networks of `crossval`" if found.low > found.agree else ""
            return [
                f"labels allow {found.low:.3f} to {found.high:.3f}, by {count(found.photos, 'photo')}: "
                f"two labels {what} agree in {found.agree:.3f} of the cases{besides}"
            ]
    return []


def _opinions(workspace: Workspace, paths: list[str], classes: list[str]) -> np.ndarray | None:
    """Returns out-of-fold probabilities `(N, K)` of some photos; `None` where not all have some."""
    if not (workspace.oof.is_file() and (workspace.oof.parent / CARD).is_file()):
        return None
    known = read_card(workspace.oof.parent).classes
    table = oof_table(known).read(workspace.oof).set_index("image_path").reindex(paths)
    if not set(classes) <= set(known) or table.isna().any(axis=None):
        return None
    return np.asarray(table[classes])


def _ends(found: Range) -> str:
    return f"{found.low:.3f} to {found.high:.3f}"
