"""The recipes of the repository: every key is one of ours, and the smallest runs from photos to CSV."""

import re
from pathlib import Path

import pandas as pd
import pytest

from fercomp.core.params import load_params
from fercomp.core.params.pipeline import TRAINED
from fercomp.modeling.backbones.catalogue import check_backbone
from fercomp.modeling.bundle.card import read_card
from tests.test_dvc import COMMON, command_of, stages_of

ROOT = Path(__file__).parents[2]
RECIPES = sorted(path.name for path in ROOT.glob("params.*.yaml"))
MODELS = {
    "params.best.yaml": {"convnext", "faces", "two", "second", "best"},
    "params.one-gpu.yaml": {"one-gpu"},
    "params.quick.yaml": {"quick"},
}


@pytest.mark.parametrize("name", RECIPES)
def test_every_key_is_known_and_every_network_can_be_built(name):
    params = load_params(ROOT / name)
    plans = [params.plan(entry) for group in TRAINED for entry in getattr(params, group)]
    assert plans
    for plan in plans:
        if not plan.train.weights.startswith("models/"):
            check_backbone(plan.train.backbone, plan.train.weights)


@pytest.mark.parametrize("name", MODELS)
def test_a_recipe_is_a_pipeline(name, tmp_path):
    found = stages_of(tmp_path, (ROOT / name).read_text())
    makers = {stage.partition("@")[2] for stage in found if command_of(found[stage]) not in COMMON} - {""}
    assert makers == MODELS[name]


def test_the_page_names_every_recipe_and_calls_times_arithmetic():
    page = (ROOT / "docs/how-to/best-score.md").read_text()
    for name in MODELS:
        row = next(line for line in page.splitlines() if line.startswith(f"| [{name}]"))
        assert row.endswith("(arithmetic) |")
    assert re.search("None of these was run on .* a GPU yet", page)


@pytest.mark.slow
def test_quick_runs_from_photos_to_submission(workspace, fercomp):
    workspace.params.write_text((ROOT / "params.quick.yaml").read_text())
    tiny = ("train.size=32", "train.photos=40", "train.epochs=1", "train.head_epochs=1", "train.batch_size=8")
    code, _, err = fercomp("train", "--name", "quick", *(word for key in tiny for word in ("--set", key)))
    assert code == 0, err
    for command in ("uncertain", "evaluate", "predict", "submission"):
        code, out, err = fercomp(command, "--model", "quick")
        assert code == 0, err
    assert out.startswith("submissions/quick.csv: 20 rows")
    assert len(pd.read_csv("submissions/quick.csv")) == 20
    trained = read_card(workspace.bundle("quick")).trained
    params = load_params(ROOT / "params.quick.yaml").plan("quick").train
    assert trained["params"]["augment"] == params.augment.model_dump()
    assert (trained["params"]["layer_decay"], trained["params"]["minutes"]) == (
        params.layer_decay,
        params.minutes,
    )
    assert trained["photos"] <= 40
