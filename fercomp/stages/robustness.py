"""What blur, darkness, turned heads and the like cost a model: holdout photos, changed and answered anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.csv_table import existing
from fercomp.core.errors import FercompError
from fercomp.core.params import MachineParams
from fercomp.core.params.machine import BARE
from fercomp.core.paths import Workspace
from fercomp.core.progress import count, count_done, track
from fercomp.core.reading import is_there
from fercomp.core.tables import PHOTOS, ROBUSTNESS, UNCHANGED, holdout_table
from fercomp.core.text_table import numbers, text_table, texts
from fercomp.core.timing import Foretold
from fercomp.data.cache import PhotoCache, open_photos
from fercomp.decisions.metrics import wilson_interval
from fercomp.decisions.thresholds import macro_f1
from fercomp.faces.changes import STRENGTHS, changed
from fercomp.modeling.bundle.card import HOLDOUT, Card
from fercomp.modeling.bundle.find import CAME_ALONG, network_cards
from fercomp.modeling.bundle.kind import evenly
from fercomp.modeling.bundle.model import Bundle, load_bundle
from fercomp.modeling.bundle.model_card import write_model_card
from fercomp.modeling.bundle.predict import BATCH
from fercomp.modeling.bundle.robustness import ROBUSTNESS_CSV, ChangedRow, rows_of
from fercomp.report.robustness_plot import plot_robustness

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

ROBUSTNESS_PNG: Final = "robustness.png"

CONDITIONS: Final = (
    (UNCHANGED, 0.0),
    *((change, float(strength)) for change, strengths in STRENGTHS.items() for strength in strengths),
)
"""Change and strength of each row, in their order."""


@dataclass(frozen=True)
class Measured:
    """What `measure_robustness` found.

    Attributes:
        table: Table `ROBUSTNESS`.
        folder: Where that and its picture are.
        told: That the model has learned from the photos, in a line; empty where it has not.
    """

    table: "pd.DataFrame"
    folder: Path
    told: str


def measure_robustness(
    folder: Path,
    workspace: Workspace,
    photos: int,
    machine: MachineParams = BARE,
    seed: int = 0,
) -> Measured:
    """Changes holdout photos in every way and scores what a model answers.

    Each photo is changed at the network's size and answered by one look, so the accuracy of unchanged photos
    is mostly lower than that on the card of a model that averages. Equal seeds take the same photos and
    change them alike, whatever the model.

    Writes `robustness.csv`, `robustness.png` and the model card; for models that came with fercomp, the
    first two under `models/shipped/` and `models/shipped-large/`.

    Args:
        folder: The bundle.
        workspace: Where the photos and their index are.
        photos: How many photos, n; all of a smaller holdout.
        machine: What is to answer, and how many decoded photos are kept.
        seed: Of the choice of photos, and of what is random in a change.

    Returns:
        What was found.

    Raises:
        FercompError: The index or the model is missing, the holdout's photos are not there, or one of them
            has a label that the model cannot answer.
    """
    came_along = folder in CAME_ALONG.values()
    target = workspace.bundle(folder.name) if came_along else folder
    for name in (ROBUSTNESS_CSV, ROBUSTNESS_PNG):
        is_there(target / name)  # what cannot be replaced is told before the time is spent
    bundle, cache = load_bundle(folder, machine.device), PhotoCache(workspace.decoded, machine.cache_gb)
    chosen = holdout_photos(workspace, photos, seed)
    paths = chosen["image_path"].tolist()
    labels = bundle.card.rule.indices(chosen["emotion"].tolist(), str(workspace.photos))
    told = _learned(folder, bundle.card, paths)
    answers = _answers(bundle, workspace.raw, paths, cache, seed)
    table = _scored(answers, labels, bundle.card)
    ROBUSTNESS.write(table, target / ROBUSTNESS_CSV)
    plot_robustness({bundle.card.name: table}, target / ROBUSTNESS_PNG)
    if not came_along:
        write_model_card(folder)
    return Measured(table, target, told)


def holdout_photos(workspace: Workspace, most: int, seed: int) -> "pd.DataFrame":
    """Chooses holdout photos, of each class its share.

    Args:
        workspace: Where the photos and their index are.
        most: How many are wanted.
        seed: Of the choice.

    Returns:
        Rows of table `PHOTOS`, in its order.

    Raises:
        FercompError: The index is missing or lists no holdout photo, or none of them is there.
    """
    photos = PHOTOS.read(workspace.photos)
    holdout = photos[photos["split"] == "holdout"]
    if holdout.empty:
        raise FercompError(f"{workspace.photos} lists no holdout photo: run `fercomp prepare`")
    if not any((workspace.raw / path).is_file() for path in holdout["image_path"]):
        raise FercompError(f"the holdout photos are not in {workspace.raw}: `fercomp fetch` brings them")
    shuffled = holdout.iloc[np.random.default_rng(seed).permutation(len(holdout))]
    by_class = shuffled.sort_values("emotion", kind="stable")
    return by_class.iloc[evenly(len(holdout), most)].sort_index()


def _answers(bundle: Bundle, raw: Path, paths: list[str], cache: PhotoCache, seed: int) -> list[np.ndarray]:
    """Returns probabilities `(n, K)` for each of `CONDITIONS`."""
    sizes = list(dict.fromkeys(size for size, _ in bundle.inputs))
    looks, done = len(paths) * len(CONDITIONS), 0
    what = f"{count(looks, 'look')} at {count(len(paths), 'photo')}"
    foretold = Foretold(what, looks / min(BATCH, len(paths)), bundle.device == "gpu", "fewer --photos")
    readers = [open_photos(raw, paths, size, cache).in_batches(BATCH, bar=False) for size in sizes]
    parts: list[list[np.ndarray]] = [[] for _ in CONDITIONS]
    with track(range(looks), f"changing photos for {bundle.card.name}", "look", at_once=True) as bar:
        for number, batches in enumerate(zip(*readers, strict=True)):
            n = len(batches[0])
            for (change, strength), part in zip(CONDITIONS, parts, strict=True):
                foretold.begin()
                # From the same numbers for each change and size, and for whatever else is measured.
                faces = {
                    size: changed(batch, change, strength, np.random.default_rng((seed, number)))
                    for size, batch in zip(sizes, batches, strict=True)
                }
                inputs = (faces[size] for size, _ in bundle.inputs)
                part.append(bundle.predict(*inputs, mirrored=np.zeros(n, dtype=bool)))
                done += 1
                count_done(bar, n, is_first=done == 1)
    return [np.concatenate(part) for part in parts]


def _scored(answers: list[np.ndarray], labels: np.ndarray, card: Card) -> "pd.DataFrame":
    """Scores answers to changed photos.

    Args:
        answers: For each of `CONDITIONS`, probabilities `(n, K)`.
        labels: `(n,)` int, given labels as answers of the model.
        card: The model's card.

    Returns:
        Table `ROBUSTNESS`.
    """
    import pandas as pd

    rows = []
    for (change, strength), pred_probs in zip(CONDITIONS, answers, strict=True):
        decided = card.rule.decide(pred_probs)
        accuracy = float((decided == labels).mean())
        low, high = wilson_interval(accuracy, len(labels))
        rows.append((change, strength, len(labels), accuracy, macro_f1(decided, labels), low, high))
    return pd.DataFrame(rows, columns=list(ROBUSTNESS.columns))


def _learned(folder: Path, card: Card, paths: list[str]) -> str:
    """Says in a line that a model has learned from the photos, or may have."""
    only = "only the differences count"
    if any(each.is_refit for each in (card, *network_cards(folder))):
        return f"{card.name} has learned from its holdout: {only}"
    if not existing(folder / HOLDOUT).is_file():
        return f"{card.name} has no {HOLDOUT} and may have learned from these photos: {only}"
    seen = set(paths) - set(holdout_table(card.classes).read(folder / HOLDOUT)["image_path"])
    if not seen:
        return ""
    return f"{card.name} may have learned from {count(len(seen), 'photo')} of {len(paths):,}: {only}"


def robustness_table(measured: "Mapping[str, pd.DataFrame]") -> "Table":
    """Lays out what was measured for the terminal: one model with its intervals, or several side by side.

    Args:
        measured: Table `ROBUSTNESS` by name of the model.
    """
    alone = len(measured) == 1
    more = ("accuracy", "difference", "95 %\ninterval", "macro\nF1") if alone else tuple(measured)
    of_models = [rows_of(table) for table in measured.values()]
    lines = (
        (
            each[0].change,
            each[0].amount,
            *(
                cell
                for row, first in zip(each, of_models, strict=True)
                for cell in _cells(row, row.accuracy - first[0].accuracy, alone)
            ),
        )
        for each in zip(*of_models, strict=True)
    )
    title = f"{count(of_models[0][0].n, 'holdout photo')}, changed"
    return text_table(texts("change", "") | numbers(*more), lines, title)


def _cells(row: ChangedRow, difference: float, alone: bool) -> tuple[str, ...]:
    told = "" if row.change == UNCHANGED else f"{difference:+.3f}"
    if not alone:
        return (f"{row.accuracy:.3f} {told:>6}",)
    interval = f"{row.accuracy_low:.3f}-{row.accuracy_high:.3f}"
    return f"{row.accuracy:.3f}", told, interval, f"{row.macro_f1:.3f}"
