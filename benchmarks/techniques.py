"""Measures what single techniques of training give: each against one recipe, with several seeds.

    python benchmarks/techniques.py WORKSPACE [--photos 8000] [--epochs 12] [--seeds 3] [--set KEY=VALUE ...]
        [--only TECHNIQUE ...] [--beside KEY=VALUE ...]

Trains on some of the photos (`train.photos`) and scores the whole holdout. `--set` changes the recipe, such
as `--set backbone=efficientnet_lite0 --set size=96`. What was trained before is not trained again: stop it,
and the same command goes on. Prints a table in Markdown: the mean over the seeds, and the difference to the
recipe with its standard error, each seed compared with the same seed, which has the same photos. A technique
that cannot be tried has a row that says why: `unfreeze` takes a network with weights, `teacher_view` a recipe
with `--set teacher=MODEL`. `--beside backbone=compact` adds two rows: of a second network, the recipe with
that change, and of both as one, with equal weights.
"""

import argparse
import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from fercomp.core.errors import FercompError
from fercomp.core.params import InferenceParams, Plan, TrainParams
from fercomp.core.params.group import merged, validated
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.reading import parse_yaml
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle.card import read_card
from fercomp.stages.ensemble import build_ensemble
from fercomp.stages.train import is_trained, train_bundle

RECIPE: Final[dict[str, Any]] = {
    "batch_size": 64,
    "weight_decay": 0.05,
    "ema": 0.995,
    "patience": 1000,
}
INFERENCE: Final = InferenceParams(margin=0.0, views=False)
COLOURS: Final = {"hue": 10, "saturation": 0.3, "grey": 0.2}
QUALITY: Final = {"low_resolution": 0.3, "blur": 0.2, "jpeg": 0.3}
LIGHT: Final = {"gamma": 0.5, "shade": 0.3, "noise": 0.02, "cover": 0.08}
TECHNIQUES: Final[dict[str, dict[str, Any]]] = {
    "ema: 0": {"ema": 0.0},
    "augment.erase: 0": {"augment": {"erase": 0.0}},
    "augment.hue: 10": {"augment": {"hue": 10}},
    "augment.saturation: 0.3": {"augment": {"saturation": 0.3}},
    "augment.grey: 0.2": {"augment": {"grey": 0.2}},
    "augment.low_resolution: 0.3": {"augment": {"low_resolution": 0.3}},
    "augment.blur: 0.2": {"augment": {"blur": 0.2}},
    "augment.jpeg: 0.3": {"augment": {"jpeg": 0.3}},
    "augment.perspective: 0.15": {"augment": {"perspective": 0.15}},
    "these seven": {"augment": {**COLOURS, **QUALITY, "perspective": 0.15}},
    "augment.gamma: 0.5": {"augment": {"gamma": 0.5}},
    "augment.shade: 0.3": {"augment": {"shade": 0.3}},
    "augment.noise: 0.02": {"augment": {"noise": 0.02}},
    "augment.cover: 0.08": {"augment": {"cover": 0.08}},
    "these four": {"augment": LIGHT},
    "duplicate_labels: given": {"duplicate_labels": "given"},
    "label_smoothing: 0": {"label_smoothing": 0.0},
    "mixup: 0.2": {"mixup": 0.2},
    "cutmix: 1": {"cutmix": 1.0},
    "mixup: 0.2, cutmix: 1": {"mixup": 0.2, "cutmix": 1.0},
    "hidden: 256": {"hidden": 256},
    "unfreeze: 20": {"unfreeze": 20},
    "layer_decay: 0.75": {"layer_decay": 0.75},
    "loss: gce": {"loss": "gce"},
    "loss: sce": {"loss": "sce"},
    "balance: class_weights": {"balance": "class_weights"},
    "balance: logit_adjustment": {"balance": "logit_adjustment"},
    "teacher: crossval": {"teacher": "crossval"},
    "teacher: crossval, test_photos": {"teacher": "crossval", "test_photos": True},
    "teacher_view: true": {"teacher_view": True},
}
SCORES: Final = ("accuracy", "macro_f1", "calibration_error")


def trained(params: TrainParams, photos: pd.DataFrame, workspace: Workspace) -> Path:
    """Returns the bundle of one run, which is made now unless it was before."""
    key = hashlib.sha256(json.dumps(params.model_dump(), sort_keys=True).encode()).hexdigest()[:12]
    folder, plan = workspace.bundle(f"technique-{key}"), Plan(train=params, inference=INFERENCE)
    if not is_trained(folder, plan, photos, workspace):
        train_bundle(folder, folder.name, plan, photos, workspace, announced=True)
    return folder


def of_seeds(
    name: str, recipe: dict[str, Any], seeds: int, photos: pd.DataFrame, workspace: Workspace
) -> list[Path]:
    """Returns the bundles of a recipe, one for each seed."""
    bundles = []
    for seed in range(seeds):
        say(f"{name}, seed {seed}")
        bundles.append(trained(validated(TrainParams, {**recipe, "seed": seed}, "train."), photos, workspace))
    return bundles


def scores(bundles: Sequence[Path]) -> np.ndarray:
    """Returns the holdout's scores `(bundles, 3)`."""
    return np.array([[read_card(bundle).scores[score] for score in SCORES] for bundle in bundles])


def as_one(pairs: Iterable[tuple[Path, Path]], workspace: Workspace) -> list[Path]:
    """Returns ensembles of two networks each, with equal weights."""
    names = []
    for pair in pairs:
        names.append("technique-" + "-".join(bundle.name.removeprefix("technique-") for bundle in pair))
        build_ensemble(names[-1], pair, "equal", workspace)
    return [workspace.bundle(name) for name in names]


def row(name: str, found: np.ndarray, base: np.ndarray) -> str:
    """Returns a line of the table."""
    mean, change, n = found.mean(axis=0), found - base, len(found)
    error = change.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else change.mean(axis=0) * np.nan
    told = [f"{mean[i]:.3f} | {change[:, i].mean():+.3f} ± {error[i]:.3f}" for i in (0, 1)]
    return f"| {name} | {' | '.join(told)} | {mean[2]:.3f} |"


def changed(recipe: dict[str, Any], changes: Sequence[str], option: str) -> dict[str, Any]:
    """Returns the recipe with changes of the form `KEY=VALUE`."""
    pairs = [change.partition("=") for change in changes]
    return {**recipe, **{key: parse_yaml(value, f"{option} {key}={value}") for key, _, value in pairs}}


def main() -> None:
    """Prints the table, row by row."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--photos", type=int, default=8000)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the recipe")
    parser.add_argument(
        "--only", nargs="*", choices=TECHNIQUES, default=list(TECHNIQUES), metavar="TECHNIQUE"
    )
    parser.add_argument(
        "--beside", action="append", default=[], metavar="KEY=VALUE", help="the same for a second network"
    )
    given = parser.parse_args()
    workspace = Workspace(given.workspace)
    photos = PHOTOS.read(workspace.photos)
    of = partial(of_seeds, seeds=given.seeds, photos=photos, workspace=workspace)
    recipe = changed({**RECIPE, "photos": given.photos, "epochs": given.epochs}, given.set, "--set")
    bundles = of("the recipe", recipe)
    base = scores(bundles)
    print("| changed | accuracy | difference | macro-F1 | difference | calibration error |")
    print("|---|---|---|---|---|---|")
    print(row("nothing", base, base), flush=True)
    if given.beside:
        name = ", ".join(given.beside)
        beside = of(name, changed(recipe, given.beside, "--beside"))
        print(row(f"the other network, {name}", scores(beside), base))
        together = as_one(zip(bundles, beside, strict=True), workspace)
        print(row("both as one", scores(together), base), flush=True)
    for name in given.only:
        try:
            found = scores(of(name, merged(recipe, TECHNIQUES[name])))
        except FercompError as error:
            print(f"| {name} | {error} | | | | |", flush=True)
            continue
        print(row(name, found, base), flush=True)


if __name__ == "__main__":
    main()
