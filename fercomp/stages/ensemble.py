"""Several models as one: the weighted mean of their probabilities, as a bundle that holds them all."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fercomp.core.csv_table import existing
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_folder, link_or_copy
from fercomp.core.paths import Workspace
from fercomp.core.tables import holdout_table, oof_table, pred_probs
from fercomp.core.version import __version__
from fercomp.decisions.calibration import apply_temperature, fit_temperature
from fercomp.decisions.metrics import score
from fercomp.decisions.mixing import cross_fitted_mean, fit_weights
from fercomp.decisions.rule import Rule
from fercomp.modeling.bundle.card import CARD, HOLDOUT, KERAS_MODEL, MEMBERS, OOF, Card, Member, read_card
from fercomp.modeling.bundle.card_keys import REFIT_OF
from fercomp.modeling.bundle.find import new_model
from fercomp.modeling.bundle.integrity import check_network, write_card
from fercomp.modeling.bundle.kind import answer_traits
from fercomp.modeling.export.copy import copy_network

if TYPE_CHECKING:
    import pandas as pd

Weighting = Literal["equal", "models", "fitted"]


def build_ensemble(
    name: str,
    folders: Sequence[Path],
    weighting: Weighting,
    workspace: Workspace,
    out_of_fold: "pd.DataFrame | None" = None,
    replace: bool = True,
) -> Card:
    """Joins models into one and writes its bundle, which holds copies of theirs.

    A model that is an ensemble itself stands for its networks. Equal weights are a soft vote of all networks;
    those of `models` are equal for the models, and shared by the networks of each; fitted ones are those of
    `fit_weights`: of models on `oof.csv`, shared equally among a model's networks, or of networks on the
    holdout, whose scores then come from `cross_fitted_mean`. The temperature is fitted on the whole holdout,
    as a single model's is.

    Args:
        name: Name of the ensemble and of its folder under `models/`.
        folders: Bundles of two models or more, of one network or an ensemble, with their holdout tables.
        weighting: `equal`, `models` or `fitted`.
        workspace: Where the bundle goes.
        out_of_fold: Probabilities of the training photos by networks that were not trained on them, table
            `oof_table`; with the holdout's they become `oof.csv`.
        replace: Whether an ensemble of this name may be replaced.

    Returns:
        The card of the new bundle, with its scores on the holdout.

    Raises:
        FercompError: The name is another model's, or the models do not fit each other.
    """
    import pandas as pd

    _check_place(new_model(name, workspace), replace)
    if len(folders) < 2:
        raise FercompError(f"an ensemble takes two models or more, got {len(folders)}: name another")
    models = [networks_of(folder) for folder in folders]
    networks = [network for model in models for network in model]
    cards = _read_cards(networks)
    classes = cards[0].classes
    table, labels, holdout = _read_tables(networks, HOLDOUT, classes)
    weights, fitted_on = _weights(folders, [len(model) for model in models], weighting, holdout, labels)
    if fitted_on == HOLDOUT:
        mixed = cross_fitted_mean(holdout, labels)
    else:
        mixed = np.average(holdout, axis=0, weights=weights)
    temperature = fit_temperature(mixed, labels)
    table[list(classes)] = calibrated = apply_temperature(mixed, temperature)
    used = [row for row in zip(networks, cards, weights, strict=True) if row[2] > 0]
    trained = {"weights": weighting, "fitted_on": fitted_on, "packages": {"fercomp": __version__}}
    card = _card(name, used, trained, temperature, score(calibrated, labels).rounded())
    card = card.model_copy(update={"kind": card.kind and card.kind.with_traits(answer_traits(calibrated))})
    with atomic_folder(workspace.bundle(name)) as folder:
        for source, member, _ in used:
            _take_in(source, member, folder / MEMBERS / member.name)
        holdout_table(classes).write(table, folder / HOLDOUT)
        if out_of_fold is not None:
            oof_table(classes).write(pd.concat([out_of_fold, table]), folder / OOF)
        return write_card(folder, card)


def _card(
    name: str,
    used: Sequence[tuple[Path, Card, float]],
    trained: dict[str, Any],
    temperature: float,
    scores: dict[str, float],
) -> Card:
    """Makes the card of an ensemble of some networks, each with its folder, its card and its weight."""
    cards = [card for _, card, _ in used]
    return Card(
        name=name,
        backbone="ensemble",
        classes=cards[0].classes,
        size=cards[0].size,
        margin=cards[0].margin,
        members=tuple(Member(name=card.name, weight=round(weight, 6)) for _, card, weight in used),
        temperature=temperature,
        runtime="keras" if any(card.runtime == "keras" for card in cards) else "openvino",
        trained=trained | _refits(cards),
        scores=scores,
        kind=cards[0].kind,
    )


def _take_in(source: Path, card: Card, target: Path) -> None:
    """Copies a network, for a GPU, too, and its holdout table: it may become part of another ensemble."""
    copy_network(source, card, target)
    if (source / KERAS_MODEL).is_file() and KERAS_MODEL not in card.network:
        link_or_copy(source / KERAS_MODEL, target / KERAS_MODEL)
        check_network(target, card, (KERAS_MODEL,))
    shutil.copyfile(existing(source / HOLDOUT), target / HOLDOUT)


def networks_of(folder: Path) -> list[Path]:
    """Returns the bundles of a model's networks: those inside an ensemble, or the one of a single network.

    Raises:
        FercompError: The model is damaged, or an ensemble without its networks' holdout tables.
    """
    members = [folder / MEMBERS / member.name for member in read_card(folder).members]
    if missing := [member for member in members if not existing(member / HOLDOUT).is_file()]:
        raise FercompError(
            f"{missing[0] / HOLDOUT} not found, as in ensembles of an earlier fercomp and in exports: build "
            f"{folder.name} again by `fercomp ensemble`, or name its networks instead"
        )
    return members or [folder]


def _weights(
    folders: Sequence[Path],
    sizes: Sequence[int],
    weighting: Weighting,
    holdout: np.ndarray,
    labels: np.ndarray,
) -> tuple[np.ndarray, str | None]:
    """Returns the weights of all networks, and the name of the table that they were fitted on."""
    if weighting == "equal":
        return np.full(sum(sizes), 1 / sum(sizes)), None
    if weighting == "models":
        return np.repeat(1 / np.multiply(sizes, len(sizes)), sizes), None
    if all((folder / OOF).is_file() for folder in folders):
        _, oof_labels, oof = _read_tables(folders, OOF, read_card(folders[0]).classes)
        return np.repeat(fit_weights(oof, oof_labels) / sizes, sizes), OOF
    return fit_weights(holdout, labels), HOLDOUT


def _refits(cards: Sequence[Card]) -> dict[str, dict[str, str]]:
    """Returns, where there are such, by the name of a member the network whose scores it has."""
    names = {card.name: card.trained[REFIT_OF] for card in cards if REFIT_OF in card.trained}
    return {REFIT_OF: names} if names else {}


def _check_place(folder: Path, replace: bool) -> None:
    """Refuses a name that another model has: forgetting it in front of the models would cost the first."""
    if not (folder / CARD).is_file():
        return
    members = read_card(folder).members
    if not members:
        raise FercompError(
            f"{folder} is a trained network, not an ensemble: give the new ensemble a name of its own, "
            "`fercomp ensemble NAME MODEL MODEL`"
        )
    if not replace:
        raise FercompError(
            f"{folder} is an ensemble already, of {', '.join(member.name for member in members)}: choose "
            "another name, or --force to replace it"
        )


def _read_cards(folders: Sequence[Path]) -> list[Card]:
    cards = [read_card(folder) for folder in folders]
    names = [card.name for card in cards]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FercompError(f"two of the networks are called {twice[0]!r} on their cards: name each once")
    for folder, card in zip(folders, cards, strict=True):
        if card.head == "valence_arousal":
            raise FercompError(f"{folder} gives points, not emotions: an ensemble takes models of emotions")
        if card.classes != cards[0].classes:
            raise FercompError(
                f"{folder} knows the classes {', '.join(card.classes)}, {folders[0]} "
                f"{', '.join(cards[0].classes)}: an ensemble takes models of the same classes"
            )
    return cards


def _read_tables(
    folders: Sequence[Path], file: str, classes: tuple[str, ...]
) -> "tuple[pd.DataFrame, np.ndarray, np.ndarray]":
    """Reads the same table of M models, whose photos must be the same.

    Returns:
        The first model's table in the order of the paths, class indices `(N,)`, probabilities `(M, N, K)`.
    """
    tables = []
    for folder in folders:
        table = holdout_table(classes).read(folder / file).sort_values("image_path", ignore_index=True)
        labels = Rule(classes).indices(table["emotion"].tolist(), str(folder / file))
        if len(table) < 2:
            raise FercompError(f"{folder / file} has {len(table):,} photos: run `fercomp train` again")
        tables.append(table)
    photos = [table[["image_path", "emotion"]].apply(tuple, axis=1).tolist() for table in tables]
    for folder, others in zip(folders, photos, strict=True):
        if others != photos[0]:
            only = sorted(set(others) ^ set(photos[0]))
            example = f", such as {only[0][0]}" if only else ""
            raise FercompError(
                f"{folder / file} and {folders[0] / file} differ in {len(only):,} photos or labels{example}: "
                "train these models again on the same index"
            )
    return tables[0], labels, np.stack([pred_probs(table, classes) for table in tables])
