"""`fercomp train`: an experiment from index to bundle, unless that bundle is there already."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fercomp.core.files import atomic_folder
from fercomp.core.locks import locked
from fercomp.core.params import Plan
from fercomp.core.paths import Workspace
from fercomp.core.progress import say, waiting
from fercomp.data.cache import PhotoCache
from fercomp.modeling.backend.choice import choose_device
from fercomp.modeling.bundle.card import Card
from fercomp.modeling.bundle.card_keys import INFERENCE
from fercomp.modeling.bundle.find import new_model
from fercomp.modeling.bundle.holdout import add_kind
from fercomp.modeling.training.training_set import TrainingData
from fercomp.stages.forecast import say_how_long
from fercomp.stages.taught import card_entries, read_photos, what_is_taught, with_grey_decided
from fercomp.stages.trained import is_used_so, trained_before, trained_with

if TYPE_CHECKING:
    import pandas as pd

    from fercomp.modeling.training.fit import Fitted


def train_experiment(
    name: str, plan: Plan, workspace: Workspace, anew: bool = False, announced: bool = False
) -> Card:
    """Trains a network and writes its bundle.

    A network that is trained already, with the same parameters on the same photos, is not trained again:
    where it is to be used in another way, it is exported, calibrated and scored anew. The bundle's folder is
    replaced as a whole when everything is done. A run that was killed goes on after its last finished epoch.

    Args:
        name: Name of the experiment and of its folder under `models/`.
        plan: How to train, and what to do with the network.
        workspace: Where the index is and the bundle goes.
        anew: Train whatever is there.
        announced: The caller has checked that it can be trained, and has said how long it takes.

    Returns:
        The card of the bundle, with its scores on the holdout.

    Raises:
        FercompError: See `train_bundle`; or the index is missing, or labels that `plan` asks for, or another
            process trains this experiment.
    """
    new_model(name, workspace)
    photos = read_photos(plan.train, workspace)
    with alone(name, workspace):
        return train_bundle(workspace.bundle(name), name, plan, photos, workspace, anew, announced)


def alone(name: str, workspace: Workspace) -> AbstractContextManager[None]:
    """Keeps other processes from training a model of this name in a block."""
    busy = f"another process trains {name}: wait for its end, or choose another --name"
    return locked(workspace.training / f".{name}.lock", busy)


def train_bundle(
    target: Path,
    name: str,
    plan: Plan,
    photos: "pd.DataFrame",
    workspace: Workspace,
    anew: bool = False,
    announced: bool = False,
) -> Card:
    """Trains a network on some photos and writes its bundle, as `train_experiment` does.

    Args:
        target: The bundle's folder.
        name: The name on its card, and of its checkpoint.
        plan: How to train, and what to do with the network.
        photos: Rows of table `PHOTOS`.
        workspace: Where photos, teachers and checkpoints are.
        anew: Train whatever is there.
        announced: See `train_experiment`.

    Returns:
        The card of the bundle.

    Raises:
        FercompError: See `checks.check_training`, `training.fit` and `choose_device`.
    """
    choose_device(plan.machine.device)
    plan = with_grey_decided(plan, photos, workspace)
    if not announced:
        check_unless_trained(target, plan, workspace, anew)
    training = training_of(target, name, plan, photos, workspace)
    there = None if anew else training.before()
    if there is None:
        if not announced:
            say_how_long({name: plan}, training.photos)
        return training.write(training.fit())
    if is_used_so(target, there, plan.inference):
        say(f"{target} is trained with these parameters on these photos already")
        return add_kind(target, there, training.photos, workspace.raw, training.cache)
    say(f"{target} is trained already: exporting, calibrating and scoring it anew")
    return training.write_again(there)


@dataclass(frozen=True)
class Training:
    """A training that has all it needs.

    Attributes:
        target: The bundle's folder.
        name: The name on its card, and of its checkpoint.
        plan: How to train, and what to do with the network.
        photos: Rows of table `PHOTOS`.
        data: What is learned from them.
        workspace: Where photos and checkpoints are.
    """

    target: Path
    name: str
    plan: Plan
    photos: "pd.DataFrame"
    data: TrainingData
    workspace: Workspace

    @property
    def cache(self) -> PhotoCache:
        """Where decoded photos are kept."""
        return PhotoCache(self.workspace.decoded, self.plan.machine.cache_gb)

    @property
    def checkpoint(self) -> Path:
        """Where the state is kept between epochs."""
        # Beside the bundles, not inside: the bundle's folder is replaced as a whole.
        return self.workspace.training / f"{self.name}.npz"

    def before(self) -> Card | None:
        """Returns the card of the bundle if its network was trained so already."""
        return trained_before(self.target, self.plan.train, self.data)

    def fit(self) -> "Fitted":
        """Trains the network; a training that was killed goes on."""
        from fercomp.modeling.training.fit import fit

        return fit(self.plan.train, self.data, self.workspace.raw, self.checkpoint, cache=self.cache)

    def write(self, fitted: "Fitted") -> Card:
        """Exports and scores a network that was just trained, writes its bundle, removes its checkpoint."""
        from fercomp.modeling.training.write import margin_of, write_fitted

        say("exporting the network and comparing it")
        inference, says = self.plan.inference, card_entries(self.photos, self.data)
        with atomic_folder(self.target) as folder:
            margin = margin_of(inference, self.photos, self.workspace.raw)
            card = write_fitted(folder, self.name, fitted, inference, margin, says)
            del fitted  # its optimizer would be in the way of what scores on a GPU
            card = self._scored(folder, card)
        self.checkpoint.unlink(missing_ok=True)
        return card

    def write_again(self, there: Card) -> Card:
        """Exports and scores the network of the bundle anew, for the use that the plan says."""
        from fercomp.modeling.training.write import margin_of, write_again

        inference, margin = self.plan.inference, there.margin
        if inference.margin != there.trained[INFERENCE]["margin"]:
            margin = margin_of(inference, self.photos, self.workspace.raw)
        with atomic_folder(self.target) as folder:
            card = write_again(folder, self.target, there, self.name, inference, margin)
            return self._scored(folder, card)

    def _scored(self, folder: Path, card: Card) -> Card:
        from fercomp.modeling.training.write import add_scores

        raw, device = self.workspace.raw, self.plan.machine.device
        return add_scores(folder, card, self.photos, raw, self.cache, device)


def training_of(
    target: Path, name: str, plan: Plan, photos: "pd.DataFrame", workspace: Workspace
) -> Training:
    """Finds what a network learns from, whose plan says whether it sees grey; see `train_bundle`."""
    photos, data = what_is_taught(plan.train, photos, workspace, plan.machine)
    return Training(target, name, plan, photos, data, workspace)


def check_unless_trained(target: Path, plan: Plan, workspace: Workspace, anew: bool = False) -> None:
    """Checks that a network can be trained, unless one with these parameters is there, which needs nothing.

    A teacher may take hours to answer, so what is missing is looked for before.

    Args:
        target: The bundle's folder.
        plan: How to train, from `with_grey_decided`.
        workspace: Where tables and teachers are.
        anew: It will be trained whatever is there.

    Raises:
        FercompError: See `checks.check_training`.
    """
    if not anew and trained_with(target, plan.train):
        return
    with waiting("starting TensorFlow"):
        from fercomp.stages.checks import check_training
    check_training(plan.train, workspace)


def is_trained(target: Path, plan: Plan, photos: "pd.DataFrame", workspace: Workspace) -> bool:
    """Tells whether a folder holds the network that `train_bundle` would train, code apart.

    Parameters that its card does not have yet, since they came with a later version, count as their defaults.
    """
    plan = with_grey_decided(plan, photos, workspace)
    if trained_with(target, plan.train) is None:  # no teacher has to be asked to see that
        return False
    return training_of(target, target.name, plan, photos, workspace).before() is not None
