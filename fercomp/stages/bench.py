"""Which backbone to take: what each is worth on the holdout, and what it costs to run.

Every network is trained, and measured, in a process of its own: one that fails, even by running out of
memory, is a row that says why, and the others go on.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.csv_table import Table
from fercomp.core.errors import FercompError
from fercomp.core.isolated import isolated
from fercomp.core.params import COMPACT, FACENET, LITE0, Params, Plan
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.tables import PHOTOS
from fercomp.core.text_table import fitting_table, numbers, texts
from fercomp.kaggle.submissions.history import kaggle_scores
from fercomp.modeling.backbones.names import check_backbone_name
from fercomp.modeling.backend.choice import choose_device
from fercomp.modeling.bundle.card import CARD, read_card
from fercomp.modeling.bundle.card_keys import PRECISION
from fercomp.modeling.bundle.cost import BUDGET_MS, CostRow, measure
from fercomp.modeling.bundle.find import BENCH_PREFIX, resolve_model
from fercomp.stages.forecast import say_how_long

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

BENCH_BACKBONES: Final = (COMPACT, LITE0, FACENET, "mobilenet_v3_small", "efficientnet_v2_b0")
"""Compared where none is named: small networks, the last two with a download."""

_COLUMNS: Final = {
    "parameters": ("million\nweights", 1e-6, ".1f"),
    "megabytes": ("MB", 1, ".1f"),
    "accuracy": ("holdout\naccuracy", 1, ".4f"),
    "macro_f1": ("macro\nF1", 1, ".4f"),
    "kaggle_public": ("Kaggle\npublic", 1, ".5f"),
    "kaggle_private": ("Kaggle\nprivate", 1, ".5f"),
    "ms_per_face": ("ms per\nface", 1, ".2f"),
    "images_per_second": ("faces\nper s", 1, ",.0f"),
}
"""The numbers that the terminal shows: heading, factor and format."""

_DROPPED: Final = (
    "images_per_second",
    "parameters",
    "megabytes",
    "macro_f1",
    "kaggle_private",
    "kaggle_public",
    "ms_per_face",
)
"""Columns that go where there is no room for all, in this order."""

BENCH: Final = Table({field.name: "str" for field in fields(CostRow)}, "run `fercomp bench`")
"""Columns of `models/bench.csv`, as text, since a cell may be empty."""


def bench(
    backbones: Sequence[str], models: Sequence[str], params: Params, workspace: Workspace
) -> list[CostRow]:
    """Trains backbones, measures them and models that exist, and writes the table after each.

    A backbone is trained as `fercomp train --backbone` does, into `models/bench-<backbone>`. What was
    trained before, under that name or the backbone's own, with these parameters on these photos, is not
    trained again, and training that was stopped goes on after its last epoch.

    Args:
        backbones: Names of backbones.
        models: Names or folders of trained models.
        params: All parameters; each backbone has those of the experiment of its name.
        workspace: Where photos and models are; `models/bench.csv` and `models/bench.png` are written.

    Returns:
        The rows, the best first.

    Raises:
        FercompError: A backbone or model is unknown, or the index of photos is missing.
    """
    for backbone in backbones:
        check_backbone_name(backbone)
    choose_device(params.machine.device)
    plans = {backbone: params.plan(backbone, backbone) for backbone in backbones}
    there = [resolve_model(model, workspace) for model in models]
    scores = kaggle_scores(workspace)
    done, problems = isolated(look_at, plans, workspace) if plans else ({}, {})
    for backbone, problem in problems.items():
        say(f"{backbone} cannot run and is left out: {problem}")
    # What exists comes first: a stop in training then leaves it in the table.
    known = [*there, *done.values()]
    jobs: dict[Path, Plan | None] = dict.fromkeys(known)
    for backbone, plan in plans.items():
        folder = workspace.bundle(f"{BENCH_PREFIX}{backbone}")
        if backbone not in problems and done.get(backbone, folder) == folder:
            jobs[folder] = plan
    if to_train := {folder.name: plan for folder, plan in jobs.items() if plan is not None}:
        say_how_long(to_train, PHOTOS.read(workspace.photos))
    rows = [CostRow(f"{BENCH_PREFIX}{b}", b, problem=problem) for b, problem in problems.items()]
    if rows:
        write_bench(rows, workspace)
    for number, (folder, job) in enumerate(jobs.items(), start=1):
        say(f"{number}/{len(jobs)} {folder.name}: {'trained before' if folder in known else 'training'}")
        row = _row(folder, job, workspace)
        if not row.problem:
            _say_of_what_scores_are(folder)
        public, private = scores.get(row.model, (math.nan, math.nan))
        rows.append(replace(row, kaggle_public=public, kaggle_private=private))
        rows.sort(key=lambda row: (bool(row.problem), math.isnan(row.accuracy), -row.accuracy))
        write_bench(rows, workspace)
    return rows


def _say_of_what_scores_are(folder: Path) -> None:
    card = read_card(folder)
    if card.is_refit:
        say(f"{folder.name}: scores are from before `fercomp refit`: it has seen the holdout since")
    if PRECISION in card.trained:
        say(f"{folder.name}: scores are from before it was exported as {card.trained[PRECISION]}")


def look_at(plans: Mapping[str, Plan], workspace: Workspace) -> tuple[dict[str, Path], dict[str, str]]:
    """Finds backbones that need not be trained, and such that cannot be. Imports Keras.

    Args:
        plans: Parameters by backbone.
        workspace: Where photos and models are.

    Returns:
        By backbone, the bundle that was trained with these parameters on these photos; and why it cannot be
        trained.

    Raises:
        FercompError: The index of photos is missing.
    """
    from fercomp.stages.checks import what_cannot_run
    from fercomp.stages.taught import read_photos
    from fercomp.stages.train import is_trained

    done, problems = {}, what_cannot_run(plans, workspace)
    for backbone, plan in plans.items():
        if backbone in problems:
            continue
        photos = read_photos(plan.train, workspace)
        for folder in (workspace.bundle(backbone), workspace.bundle(f"{BENCH_PREFIX}{backbone}")):
            if is_trained(folder, plan, photos, workspace):
                done[backbone] = folder
    return done, problems


def _row(folder: Path, plan: Plan | None, workspace: Workspace) -> CostRow:
    try:
        if plan is not None:
            isolated(_train, folder.name, plan, workspace)
        return isolated(measure, folder, workspace)
    except FercompError as error:
        say(f"{folder.name}: {error}")
        return CostRow(folder.name, plan.train.backbone if plan else "", problem=str(error))


def _train(name: str, plan: Plan, workspace: Workspace) -> None:
    from fercomp.stages.train import train_experiment

    train_experiment(name, plan, workspace, announced=True)


def bench_table(rows: Sequence[CostRow], console: "Console") -> "RichTable":
    """Lays out what was measured for the terminal, without the columns of which nothing is known."""
    measured = [row for row in rows if not row.problem]
    known = [name for name in _COLUMNS if any(not math.isnan(getattr(row, name)) for row in measured)]
    columns = texts("model") | numbers(*(_COLUMNS[name][0] for name in known)) | texts("25\nfps")
    lines = (
        (row.model, *(_cell(name, getattr(row, name)) for name in known), row.keeps_25_fps)
        for row in measured
    )
    return fitting_table(columns, lines, [_COLUMNS[name][0] for name in _DROPPED], console)


def _cell(name: str, number: float) -> str:
    _, factor, shape = _COLUMNS[name]
    return "" if math.isnan(number) else format(number * factor, shape)


def write_bench(rows: Sequence[CostRow], workspace: Workspace) -> None:
    """Writes `models/bench.csv`, and `models/bench.png` where a row has what it shows."""
    import pandas as pd

    from fercomp.report.score_plots import plot_speed

    BENCH.write(pd.DataFrame([asdict(row) for row in rows]), workspace.models / "bench.csv")
    picture = workspace.models / "bench.png"
    drawn = [row for row in rows if not math.isnan(row.ms_per_face + row.accuracy)]
    if not drawn:
        picture.unlink(missing_ok=True)  # it would show another table
        return
    plot_speed(
        [row.model.removeprefix(BENCH_PREFIX) for row in drawn],
        np.array([row.ms_per_face for row in drawn]),
        np.array([row.accuracy for row in drawn]),
        np.array([_photos(workspace.bundle(row.model)) for row in drawn]),
        BUDGET_MS,
        picture,
    )


def _photos(folder: Path) -> int:
    """Returns of how many photos a model's accuracy is; 0 where its folder is elsewhere."""
    return int(read_card(folder).scores.get("n", 0)) if (folder / CARD).is_file() else 0
