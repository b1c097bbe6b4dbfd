"""A fold of a cross-validation: its network, and what that says of photos it has not seen."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fercomp.core.locks import Busy, exclusive
from fercomp.core.params import Plan
from fercomp.core.paths import Workspace
from fercomp.core.polling import paced
from fercomp.core.progress import say
from fercomp.data.cache import PhotoCache
from fercomp.modeling.bundle.card import read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_table
from fercomp.stages.train import is_trained, train_bundle

if TYPE_CHECKING:
    import pandas as pd

_LOOK: Final = 1.0
"""Seconds after which it is looked again whether a fold is free."""


class Fold:
    """The network of one fold. It stays under `models/.training/`, where nobody takes it for a model.

    Args:
        name: Name of the ensemble.
        fold: Number of the fold.
        plan: How to train; the seed is that of the plan and the number.
        photos: The whole index, table `PHOTOS`.
        workspace: Where everything is.
    """

    def __init__(
        self, name: str, fold: int, plan: Plan, photos: "pd.DataFrame", workspace: Workspace
    ) -> None:
        self.fold = fold
        self.name = f"{name}-{fold}"
        self.folder = workspace.training / "folds" / self.name
        self.photos = photos[(photos["split"] == "holdout") | _in_train(photos, fold, inside=False)]
        self._unseen = photos[_in_train(photos, fold, inside=True)]
        self._plan = plan.changed(seed=plan.train.seed + fold)
        self._workspace = workspace

    def train(self, begun: str, patience: float = 0.0) -> None:
        """Trains the network unless that is done, or another process is at it.

        Args:
            begun: What is said when it is begun.
            patience: Seconds in which another process may end.
        """
        place, busy = self._workspace.training / "locks" / self.name, f"fold {self.fold} is taken"
        for _ in paced(_LOOK, patience=patience):
            with suppress(Busy), exclusive(place, busy):
                say(begun)
                train_bundle(self.folder, self.name, self._plan, self.photos, self._workspace, announced=True)
                return

    def is_trained(self) -> bool:
        """Tells whether the network is there, trained so, on these photos."""
        return is_trained(self.folder, self._plan, self.photos, self._workspace)

    def scored(self) -> str:
        """Says how good the network is."""
        return f"holdout accuracy {read_card(self.folder).scores['accuracy']:.4f}"

    def judge(self) -> "pd.DataFrame":
        """Asks the network about the training photos that it has not seen.

        Returns:
            Table `oof_table`, a row for each of them.
        """
        machine, rows = self._plan.machine, self._unseen
        bundle = load_bundle(self.folder, machine.device)
        cache = PhotoCache(self._workspace.decoded, machine.cache_gb)
        table = predict_table(bundle, self._workspace.raw, rows["image_path"].tolist(), cache)
        table.insert(1, "emotion", rows["emotion"].to_numpy())
        return table


def say_taken(folds: Sequence[Fold]) -> None:
    """Says which folds another process is at."""
    numbers = " and ".join(str(fold.fold) for fold in folds)
    say(f"another process is at fold {numbers}, and joins the folds when it is done")


def _in_train(photos: "pd.DataFrame", fold: int, inside: bool) -> "pd.Series":
    return (photos["split"] == "train") & ((photos["fold"] == fold) == inside)
