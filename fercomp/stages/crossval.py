"""Cross-validation: a network per fold, what it says of photos it has not seen, and all of them as one."""

from pathlib import Path
from typing import TYPE_CHECKING

from fercomp.core.errors import FercompError
from fercomp.core.locks import Busy, exclusive
from fercomp.core.params import Plan, Wanted
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.tables import PHOTOS
from fercomp.data.cache import PhotoCache
from fercomp.modeling.backend.choice import choose_device
from fercomp.modeling.bundle.card import CARD, Card, read_card
from fercomp.modeling.bundle.find import check_name
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_table
from fercomp.stages.checks import check_training
from fercomp.stages.ensemble import build_ensemble
from fercomp.stages.forecast import say_how_long
from fercomp.stages.train import is_trained, train_bundle

if TYPE_CHECKING:
    import pandas as pd


def cross_validate(name: str, plan: Plan, workspace: Workspace) -> Card | None:
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

    Returns:
        The card of the ensemble, whose folder holds `oof.csv` with the out-of-fold probabilities of all
        training photos, and the ensemble's of the holdout; `None` where another process is still training.

    Raises:
        FercompError: There are fewer than two folds, something is missing (`check_training`), or training
            fails (`training.fit`).
    """
    check_name(name)
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
    choose_device(plan.machine.device)
    photos = PHOTOS.read(workspace.photos)
    folds = sorted(photos.loc[photos["split"] == "train", "fold"].unique().tolist())
    if len(folds) < 2:
        raise FercompError(
            f"{workspace.photos} has {len(folds)} folds: run `fercomp prepare` with more photos"
        )
    networks = [_Fold(name, fold, plan, photos, workspace) for fold in folds]
    left = [network for network in networks if not (network.folder / CARD).is_file()]
    if left:
        say_how_long({name: plan}, left[0].photos, networks=len(left))
    for network in networks:
        network.train()
    waiting = [str(network.fold) for network in networks if not network.is_trained()]
    if waiting:
        say(f"another process is at fold {' and '.join(waiting)}, and joins the folds when it is done")
        return None
    cache = PhotoCache(workspace.decoded, plan.machine.cache_gb)
    table = _out_of_fold(networks, photos, workspace.raw, cache, plan.machine.device)
    return build_ensemble(name, [network.folder for network in networks], "equal", workspace, table)


class _Fold:
    """The network of one fold. It stays under `models/.training/`, where nobody takes it for a model."""

    def __init__(
        self, name: str, fold: int, plan: Plan, photos: "pd.DataFrame", workspace: Workspace
    ) -> None:
        self.fold = fold
        self.name = f"{name}-{fold}"
        self.folder = workspace.training / "folds" / self.name
        self._plan = plan.changed(seed=plan.train.seed + fold)
        self.photos = photos[(photos["split"] == "holdout") | _in_train(photos, fold, inside=False)]
        self._workspace = workspace

    def train(self) -> None:
        """Trains the network unless that is done, or another process is at it."""
        try:
            with exclusive(self._workspace.training / "locks" / self.name, f"fold {self.fold} is taken"):
                say(f"fold {self.fold}")
                train_bundle(self.folder, self.name, self._plan, self.photos, self._workspace, announced=True)
        except Busy:
            return

    def is_trained(self) -> bool:
        return is_trained(self.folder, self._plan, self.photos, self._workspace)


def _in_train(photos: "pd.DataFrame", fold: int, inside: bool) -> "pd.Series":
    return (photos["split"] == "train") & ((photos["fold"] == fold) == inside)


def _out_of_fold(
    networks: list[_Fold], photos: "pd.DataFrame", raw: Path, cache: PhotoCache, device: Wanted
) -> "pd.DataFrame":
    import pandas as pd

    tables = []
    for network in networks:
        rows = photos[_in_train(photos, network.fold, inside=True)]
        say(f"fold {network.fold}: holdout accuracy {read_card(network.folder).scores['accuracy']:.4f}")
        bundle = load_bundle(network.folder, device)
        table = predict_table(bundle, raw, rows["image_path"].tolist(), cache)
        table.insert(1, "emotion", rows["emotion"].to_numpy())
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
