"""Cross-validation: a network per fold, what it says of photos it has not seen, and all of them as one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fercomp.core.errors import FercompError
from fercomp.core.params import Plan
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.tables import PHOTOS
from fercomp.modeling.backend.choice import choose_device
from fercomp.modeling.bundle.card import Card
from fercomp.modeling.bundle.find import new_model
from fercomp.stages.checks import check_training
from fercomp.stages.crossval_on_ray import judge_on_ray
from fercomp.stages.ensemble import build_ensemble
from fercomp.stages.fold import Fold, say_taken
from fercomp.stages.forecast import say_how_long

if TYPE_CHECKING:
    import pandas as pd


def cross_validate(name: str, plan: Plan, workspace: Workspace, on_ray: bool = False) -> Card | None:
    """Trains a network for each fold on the training photos of the other folds, and joins them.

    The holdout is in no fold: it chooses every network's best epoch, and scores the ensemble. So the
    out-of-fold probabilities of a photo come from a network that has not met its label in any way.

    What is finished is not trained again. Several processes may do the same cross-validation at once, such as
    one per GPU: each takes a fold that nobody is at, and the one that ends last joins them.

    Args:
        name: Name of the ensemble and of its folder under `models/`.
        plan: How to train each, on given labels and without test photos; fold k has the seed
            `plan.train.seed + k`.
        workspace: Where the index is and the bundle goes.
        on_ray: Whether a Ray cluster trains the networks, side by side (`crossval_on_ray`).

    Returns:
        The card of the ensemble, whose folder holds `oof.csv` with the out-of-fold probabilities of all
        training photos, and the ensemble's of the holdout; `None` where another process is still training.

    Raises:
        FercompError: There are fewer than two folds, something is missing (`check_training`), or training
            fails (`training.fit`), or a cluster cannot be used (`judge_on_ray`).
    """
    import pandas as pd

    new_model(name, workspace)
    # Suggested labels come from this very table; and by way of test photos, which a teacher names, a fold's
    # labels would reach the network that is to judge them.
    plan = plan.changed(labels="given", test_photos=False)
    if plan.train.head == "valence_arousal":
        raise FercompError("the head valence_arousal gives no probabilities to cross-validate: use `both`")
    if plan.train.makes_points and not workspace.oof.is_file():
        raise FercompError(
            f"the head {plan.train.head} is taught points made of {workspace.oof}, which is not there yet: "
            "run `fercomp crossval --set train.head=emotion` first"
        )
    check_training(plan.train, workspace)
    if not on_ray:
        choose_device(plan.machine.device)
    photos = PHOTOS.read(workspace.photos)
    numbers = sorted(photos.loc[photos["split"] == "train", "fold"].unique().tolist())
    if len(numbers) < 2:
        raise FercompError(
            f"{workspace.photos} has {len(numbers)} folds: run `fercomp prepare` with more photos"
        )
    folds = [Fold(name, number, plan, photos, workspace) for number in numbers]
    if on_ray:
        tables = judge_on_ray(folds, name, plan, workspace)
    else:
        left = [fold for fold in folds if not fold.is_trained()]
        if left:
            say_how_long({name: plan}, left[0].photos, networks=len(left))
        tables = _judge_here(folds)
    if not tables:
        return None
    table = pd.concat(tables, ignore_index=True)
    return build_ensemble(name, [fold.folder for fold in folds], "equal", workspace, table)


def _judge_here(folds: Sequence[Fold]) -> "list[pd.DataFrame]":
    """Trains the networks of folds, one after the other, and asks them if all are there."""
    for fold in folds:
        fold.train(f"fold {fold.fold}")
    if taken := [fold for fold in folds if not fold.is_trained()]:
        say_taken(taken)
        return []
    tables = []
    for fold in folds:
        say(f"fold {fold.fold}: {fold.scored()}")
        tables.append(fold.judge())
    return tables
