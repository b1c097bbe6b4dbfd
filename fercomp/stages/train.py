"""`fercomp train`: an experiment from index to bundle, unless that bundle is there already."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_folder
from fercomp.core.locks import locked
from fercomp.core.params import FACENET, InferenceParams, Plan, TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.progress import say, waiting
from fercomp.data.cache import PhotoCache
from fercomp.modeling.backend.choice import choose_device
from fercomp.modeling.bundle.card import HISTORY_FILE, HOLDOUT, KERAS_MODEL, Card, read_card
from fercomp.modeling.bundle.card_keys import INFERENCE, TAUGHT
from fercomp.modeling.bundle.find import check_name
from fercomp.modeling.bundle.holdout import add_kind
from fercomp.modeling.training.training_set import TrainingData
from fercomp.stages.forecast import say_how_long
from fercomp.stages.taught import about, read_photos, settled, what_is_taught

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
        announced: It was said how long it takes.

    Returns:
        The card of the bundle, with its scores on the holdout.

    Raises:
        FercompError: See `train_bundle`; or the index is missing, or labels that `plan` asks for, or another
            process trains this experiment.
    """
    check_name(name)
    with alone(name, workspace):
        photos = read_photos(plan.train, workspace)
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
        announced: It was said how long it takes.

    Returns:
        The card of the bundle.

    Raises:
        FercompError: See `training.fit` and `choose_device`.
    """
    choose_device(plan.machine.device)
    cache = PhotoCache(workspace.decoded, plan.machine.cache_gb)
    plan = plan.changed(grey=settled(plan.train, photos, workspace, plan.machine).grey)
    photos, data = what_is_taught(plan.train, photos, workspace, plan.machine)
    there = None if anew else trained_before(target, plan.train, data)
    if there is None:
        if not announced:
            with waiting("starting TensorFlow"):
                from fercomp.modeling.backbones.catalogue import check_weights

            check_weights(plan.train.backbone, plan.train.size, plan.train.weights)
            say_how_long({name: plan}, photos)
        return _train(target, name, plan, photos, data, workspace, cache)
    if is_used_so(target, there, plan.inference):
        say(f"{target} is trained with these parameters on these photos already")
        return add_kind(target, there, photos, workspace.raw, cache)
    say(f"{target} is trained already: exporting, calibrating and scoring it anew")
    from fercomp.modeling.training.write import add_scores, margin_of, write_again

    same_margin = plan.inference.margin == there.trained[INFERENCE]["margin"]
    margin = there.margin if same_margin else margin_of(plan.inference, photos, workspace.raw)
    with atomic_folder(target) as folder:
        card = write_again(folder, target, there, name, plan.inference, margin)
        return add_scores(folder, card, photos, workspace.raw, cache, plan.machine.device)


def _train(
    target: Path,
    name: str,
    plan: Plan,
    photos: "pd.DataFrame",
    data: TrainingData,
    workspace: Workspace,
    cache: PhotoCache,
) -> Card:
    from fercomp.modeling.training.fit import fit

    fitted = fit(plan.train, data, workspace.raw, checkpoint_of(name, workspace), cache=cache)
    return write_trained(target, name, plan, fitted, photos, data, workspace, cache)


def checkpoint_of(name: str, workspace: Workspace) -> Path:
    """Returns where a training keeps its state between epochs."""
    # Beside the bundles, not inside: the bundle's folder is replaced as a whole.
    return workspace.training / f"{name}.npz"


def write_trained(
    target: Path,
    name: str,
    plan: Plan,
    fitted: "Fitted",
    photos: "pd.DataFrame",
    data: TrainingData,
    workspace: Workspace,
    cache: PhotoCache,
) -> Card:
    """Exports and scores a network that was just trained, writes its bundle and removes its checkpoint.

    Args:
        target: The bundle's folder.
        name: The name on its card, and of its checkpoint.
        plan: What is done with the network.
        fitted: The network.
        photos: Rows of table `PHOTOS`.
        data: What it learned from.
        workspace: Where photos and checkpoints are.
        cache: Where decoded photos are kept.

    Returns:
        The card of the bundle.
    """
    from fercomp.modeling.training.write import add_scores, margin_of, write_fitted

    say("exporting the network and comparing it")
    with atomic_folder(target) as folder:
        margin = margin_of(plan.inference, photos, workspace.raw)
        card = write_fitted(folder, name, fitted, plan.inference, margin, about(photos, data))
        del fitted  # its optimizer would be in the way of what scores on a GPU
        card = add_scores(folder, card, photos, workspace.raw, cache, plan.machine.device)
    checkpoint_of(name, workspace).unlink(missing_ok=True)
    return card


def is_trained(target: Path, plan: Plan, photos: "pd.DataFrame", workspace: Workspace) -> bool:
    """Tells whether a folder holds the network that `train_bundle` would train, code apart.

    Parameters that its card does not have yet, since they came with a later version, count as their defaults.
    """
    params = settled(plan.train, photos, workspace, plan.machine)
    data = what_is_taught(params, photos, workspace, plan.machine)[1]
    return trained_before(target, params, data) is not None


def trained_before(target: Path, params: TrainParams, data: TrainingData) -> Card | None:
    """Returns the card of a bundle whose network was trained so, on this; `None` where there is none."""
    try:
        card = read_card(target)
        used = TrainParams.model_validate(card.trained.get("params"))
        InferenceParams.model_validate(card.trained.get(INFERENCE))
    except (FercompError, ValidationError):  # none, damaged, of a version with other parameters, an ensemble
        return None
    if is_cut_facenet(card):
        return None
    while params.batch_size > used.batch_size:  # halved in training, where it did not fit into memory
        params = params.halved()
    same = used.model_dump() == params.model_dump() and card.trained.get(TAUGHT) == data.fingerprint
    return card if same and (target / KERAS_MODEL).is_file() and (target / HISTORY_FILE).is_file() else None


def is_cut_facenet(card: Card) -> bool:
    """Tells whether a network is `facenet` as earlier versions had it, up to its third 17x17 block."""
    # The whole of it came together with `grey`.
    return card.backbone == FACENET and "grey" not in card.trained.get("params", {})


def is_used_so(target: Path, card: Card, inference: InferenceParams) -> bool:
    """Tells whether a bundle is complete, and made for this use of its network."""
    complete = all((target / file).is_file() for file in (HOLDOUT, *card.network))
    return complete and InferenceParams.model_validate(card.trained[INFERENCE]) == inference
