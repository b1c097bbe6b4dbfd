"""Measures what single techniques of training give: each against one recipe, with several seeds.

Usage: python benchmarks/techniques.py WORKSPACE [PHOTOS [EPOCHS [SEEDS [TECHNIQUE ...]]]]

Trains on about PHOTOS training photos (a picture is there with all of its copies or not at all) and scores
the whole holdout. What was trained before is not trained again: stop it, and it goes on. Prints a table in
Markdown: the mean over the seeds, and the difference to the recipe with its standard error, each seed
compared with the same seed.
"""

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from fercomp.core.params import InferenceParams, Plan, TrainParams
from fercomp.core.params.group import merged
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle.card import read_card
from fercomp.stages.train import is_trained, train_bundle

RECIPE: Final[dict[str, Any]] = {
    "size": 32,
    "batch_size": 64,
    "learning_rate": 0.003,
    "weight_decay": 0.05,
    "ema": 0.995,
    "precision": "bfloat16",
    "patience": 1000,
}
INFERENCE: Final = InferenceParams(margin=0.0, views=False)
TECHNIQUES: Final[dict[str, dict[str, Any]]] = {
    "recipe": {},
    "ema: 0": {"ema": 0.0},
    "augment.erase: 0": {"augment": {"erase": 0.0}},
    "duplicate_labels: given": {"duplicate_labels": "given"},
    "label_smoothing: 0": {"label_smoothing": 0.0},
    "mixup: 0.2": {"mixup": 0.2},
    "loss: gce": {"loss": "gce"},
    "loss: sce": {"loss": "sce"},
    "balance: class_weights": {"balance": "class_weights"},
    "balance: logit_adjustment": {"balance": "logit_adjustment"},
}
SCORES: Final = ("accuracy", "macro_f1", "calibration_error")


def some(photos: pd.DataFrame, n: int) -> pd.DataFrame:
    """Returns the index with about `n` of its training photos, whole groups of copies in a random order."""
    train = photos[photos["split"] == "train"].sample(frac=1, random_state=0)
    chosen = set(train["duplicate_group"].iloc[:n])
    return photos[(photos["split"] != "train") | photos["duplicate_group"].isin(chosen)]


def scores(
    name: str, seed: int, params: TrainParams, photos: pd.DataFrame, workspace: Workspace
) -> np.ndarray:
    """Returns the holdout's scores `(3,)` of one run, which is made now unless it was before."""
    short = f"technique-{list(TECHNIQUES).index(name)}-{seed}"
    folder = workspace.bundle(short)
    if not is_trained(folder, params, photos, workspace):
        say(f"{name}, seed {seed}")
        train_bundle(folder, short, Plan(train=params, inference=INFERENCE), photos, workspace)
    return np.array([read_card(folder).scores[score] for score in SCORES])


def main() -> None:
    """Prints the table, row by row."""
    workspace = Workspace(Path(sys.argv[1]))
    n, epochs, seeds = (int(word) for word in [*sys.argv[2:5], *("8000", "12", "3")[len(sys.argv[2:5]) :]])
    photos = some(PHOTOS.read(workspace.photos), n)
    print("| changed | accuracy | difference | macro-F1 | difference | calibration error |")
    print("|---|---|---|---|---|---|")
    for name in ["recipe", *(sys.argv[5:] or list(TECHNIQUES)[1:])]:
        rows = []
        for seed in range(seeds):
            plan = merged({**RECIPE, "epochs": epochs, "seed": seed}, TECHNIQUES[name])
            rows.append(scores(name, seed, TrainParams.model_validate(plan), photos, workspace))
        found = np.array(rows)
        if name == "recipe":
            recipe = found
        mean, change = found.mean(axis=0), found - recipe
        error = change.std(axis=0, ddof=1) / np.sqrt(seeds) if seeds > 1 else change * np.nan
        cells = [f"{mean[i]:.3f} | {change[:, i].mean():+.3f} ± {error[i]:.3f}" for i in (0, 1)]
        print(f"| {name} | {' | '.join(cells)} | {mean[2]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
