"""A network trained once more, on the holdout's photos too.

What the holdout is for, choosing among models and saying what they are worth, is done when the last CSV is
made, and its photos are as good to learn from as all others. No photo is left then to measure the new
network on, so its card says what the network it repeats has scored, and takes over its temperature.
"""

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from fercomp.core.csv_table import existing
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_folder
from fercomp.core.params import FACENET, InferenceParams, MachineParams, Plan, TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.tables import HISTORY
from fercomp.data.cache import PhotoCache
from fercomp.modeling.backend.choice import choose_device
from fercomp.modeling.bundle.card import CARD, HISTORY_FILE, HOLDOUT, Card, read_card
from fercomp.modeling.bundle.card_keys import REFIT_OF
from fercomp.modeling.bundle.find import new_model
from fercomp.modeling.bundle.integrity import write_card
from fercomp.modeling.training.phases import Epochs
from fercomp.modeling.training.training_set import TrainingData
from fercomp.stages.forecast import say_how_long
from fercomp.stages.taught import card_entries, read_photos, what_is_taught
from fercomp.stages.train import alone, check_unless_trained
from fercomp.stages.trained import is_cut_facenet, is_used_so, trained_before

if TYPE_CHECKING:
    import pandas as pd

TAKEN_OVER: Final = ("margin", "temperature", "threshold", "threshold_on", "bias", "scores", "kind")
"""Fields of the card that a refit has from the network that it repeats."""


def refit(source: Path, name: str, workspace: Workspace, machine: MachineParams, anew: bool = False) -> Card:
    """Trains a network again, with the same parameters, on the photos of splits `train` and `holdout`.

    Each phase ends after the epoch in which the holdout's loss was least in the first training, while the
    learning rate takes the course that it took then. A run that was killed goes on after its last finished
    epoch. A network that is trained so already is not trained again.

    Args:
        source: The bundle of the network; of those that `train` writes.
        name: Name of the new network, and of its folder under `models/`.
        workspace: Where the index is and the bundle goes.
        machine: What this machine can bear.
        anew: Train whatever is there.

    Returns:
        The card of the new bundle. Margin, temperature, decision and scores, and `holdout_probs.csv` in the
        folder, are those of the network that it repeats.

    Raises:
        FercompError: The bundle is not one of a network that was trained here, or see
            `checks.check_training`, `training.fit` and `choose_device`.
    """
    target = new_model(name, workspace)
    original = read_card(source)
    params, inference = _params(source, original)
    epochs = _epochs(source)
    if target.resolve() == source.resolve():
        raise FercompError(f"the new network would take the place of {target}: choose another --name")
    choose_device(machine.device)
    plan = Plan(train=params, inference=inference, machine=machine)
    check_unless_trained(target, plan, workspace, anew)
    cache = PhotoCache(workspace.decoded, machine.cache_gb)
    photos = read_photos(params, workspace, holdout_too=True)
    photos, data = what_is_taught(params, photos, workspace, machine, holdout=False)
    says = card_entries(photos, data) | {REFIT_OF: original.name, "epochs": dict(epochs)}
    taken_over = {field: getattr(original, field) for field in TAKEN_OVER}
    there = None if anew else _trained_so(target, params, data, says)
    if there and _repeats(target, there, source, taken_over) and is_used_so(target, there, inference):
        say(f"{target} is trained with these parameters on these photos already")
        return there
    from fercomp.modeling.export.compare import checked_graph
    from fercomp.modeling.training.fit import fit
    from fercomp.modeling.training.write import write_again, write_fitted

    checkpoint = workspace.training / f"{name}.npz"
    with alone(name, workspace):
        if there:
            write = partial(write_again, source=target, card=there)
        else:
            say_how_long(
                {name: plan.changed(epochs=epochs.get("whole", 0), head_epochs=epochs.get("head", 0))}, photos
            )
            fitted = fit(params, data, workspace.raw, checkpoint, epochs, cache)
            write = partial(write_fitted, fitted=fitted, about=says)
        with atomic_folder(target) as folder:
            card = write(folder, name=name, inference=inference, margin=original.margin)
            card = checked_graph(folder, card, photos, workspace.raw, cache, machine.device)
            shutil.copyfile(existing(source / HOLDOUT), folder / HOLDOUT)
            card = write_card(folder, card.model_copy(update=taken_over))
        checkpoint.unlink(missing_ok=True)
        return card


def _trained_so(target: Path, params: TrainParams, data: TrainingData, says: dict[str, Any]) -> Card | None:
    """Returns the card of a bundle that was trained so, as this refit; `None` where there is none."""
    card = trained_before(target, params, data)
    same = card is not None and all(card.trained.get(key) == says[key] for key in (REFIT_OF, "epochs"))
    return card if same else None


def _repeats(target: Path, card: Card, source: Path, taken_over: dict[str, Any]) -> bool:
    """Tells whether a refit says what the network that it repeats says today."""
    holdout = target / HOLDOUT
    same = holdout.is_file() and holdout.read_bytes() == existing(source / HOLDOUT).read_bytes()
    return same and all(getattr(card, field) == value for field, value in taken_over.items())


def _params(source: Path, card: Card) -> tuple[TrainParams, InferenceParams]:
    if card.members:
        raise FercompError(
            f"{source} is an ensemble: refit its networks {', '.join(m.name for m in card.members)}, then "
            "join them by `fercomp ensemble`"
        )
    if card.is_refit:
        raise FercompError(f"{source} has learned from all photos already")
    missing = [file for file in (HISTORY_FILE, HOLDOUT) if not existing(source / file).is_file()]
    if missing or "params" not in card.trained:
        raise FercompError(
            f"{source} lacks {missing[0] if missing else 'its parameters'}: refit a model that "
            "`fercomp train` wrote"
        )
    if is_cut_facenet(card):
        raise FercompError(
            f"{source} holds {FACENET} as an earlier fercomp cut it, at the third of its 17x17 blocks: it "
            "answers as before, but can only be trained anew"
        )
    try:
        return (
            TrainParams.model_validate(card.trained["params"]),
            InferenceParams.model_validate(card.trained["inference"]),
        )
    except ValidationError as error:
        raise FercompError(
            f"{source / CARD}: parameters of another version of fercomp ({error.errors()[0]['msg']}): "
            "train the model again"
        ) from error


def best_epochs(history: "pd.DataFrame") -> Epochs:
    """Returns after how many epochs each phase of a training was at its best.

    That is where the loss on the holdout was least, though `train` keeps the weights of highest accuracy:
    these were seen to do well, while here it is asked how long to learn. A few thousand photos answer that by
    their loss with less noise. Among epochs that differ by chance alone, accuracy may name one in the midst
    of the schedule, when the learning rate has not come down yet.

    Args:
        history: Its table `history.csv`.

    Returns:
        Epochs by phase, in their order. A phase that did not improve on the one before is left out, since the
        weights were then those of the earlier phase.
    """
    loss = history["holdout_loss"]
    upto = slice(0, int(loss.argmin()) + 1)
    phases = loss.iloc[upto].groupby(history["phase"].iloc[upto], sort=False)
    return {str(phase): int(values.argmin()) + 1 for phase, values in phases}


def _epochs(source: Path) -> Epochs:
    history = HISTORY.read(source / HISTORY_FILE)
    try:
        return best_epochs(history)
    except ValueError as error:
        raise FercompError(f"{source / HISTORY_FILE} has no loss on the holdout: {HISTORY.remedy}") from error
