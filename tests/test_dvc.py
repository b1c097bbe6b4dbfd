"""`dvc.yaml` says what the commands do: same parameters, same paths, and the code each one runs."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from fercomp.core.params import Params, load_params
from fercomp.core.paths import Workspace

ROOT = Path(__file__).parents[1]
FILES = (ROOT / "dvc.yaml", ROOT / "pipelines" / "labels" / "dvc.yaml")
STAGES = {
    name: {**stage, **stage.get("do", {})}
    for file in FILES
    for name, stage in YAML(typ="safe").load(file)["stages"].items()
}
COMMANDS = {name: name.removesuffix("_relabelled") for name in STAGES}
"""The command of each stage; experiments that learn from `labels.csv` have stages of their own."""


def paths(entries):
    return {next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries}


def test_params_yaml_holds_the_defaults():
    assert load_params(ROOT / "params.yaml") == Params()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_the_command_of_its_name(stage):
    assert STAGES[stage]["cmd"].split()[:2] == ["fercomp", COMMANDS[stage]]


def test_every_stage_runs_in_the_same_folder():
    for file in FILES:
        for stage in YAML(typ="safe").load(file)["stages"].values():
            assert (file.parent / stage.get("wdir", ".")).resolve() == ROOT


def test_stages_of_relabelled_experiments_differ_in_what_they_read():
    plain, relabelled = STAGES["train"], STAGES["train_relabelled"]
    assert paths(relabelled["deps"]) - paths(plain["deps"]) == {"datasets/labels.csv"}
    assert paths(plain["deps"]) <= paths(relabelled["deps"])
    for name in ("uncertain", "evaluate", "predict", "submission"):
        assert STAGES[f"{name}_relabelled"]["do"] == STAGES[name]["do"]


@pytest.mark.parametrize("stage", STAGES)
def test_parameters_are_groups_that_exist(stage):
    groups = {entry.split(".")[0] for entry in STAGES[stage].get("params", [])}
    assert groups <= set(Params.model_fields)
    assert stage not in Params.model_fields or stage in groups


def test_paths_are_the_defaults_of_the_commands():
    ws, key = Workspace(), "${key}"
    bundle = ws.bundle(key)
    expected = {
        "fetch": {ws.raw},
        "prepare": {ws.photos, ws.problems},
        "train": {bundle / name for name in ("card.json", "graph", "model.keras")}
        | {bundle / name for name in ("holdout_probs.csv", "history.csv")},
        "uncertain": {bundle / name for name in ("decision.json", "uncertain.csv", "uncertain.png")},
        "evaluate": {bundle / name for name in ("per_class.csv", "confusion.csv", "metrics.json")}
        | {bundle / name for name in ("confusion.png", "per_class.png", "mistakes.png")}
        | {bundle / name for name in ("reliability.png", "history.png")},
        "predict": {ws.test_probabilities(key)},
        "submission": {ws.submission(key)},
    }
    expected |= {
        f"{name}_relabelled": expected[name]
        for name in ("train", "uncertain", "evaluate", "predict", "submission")
    }
    expected |= {
        "crossval": {ws.bundle("crossval") / name for name in ("card.json", "holdout_probs.csv", "members")}
        | {ws.oof}
    }
    expected |= {"relabel": {ws.labels, ws.relabel_report}}
    outs = {
        name: {Path(p) for kind in ("outs", "metrics", "plots") for p in paths(stage.get(kind, []))}
        for name, stage in STAGES.items()
    }
    assert outs == expected


def test_every_input_is_the_output_of_a_stage_or_code():
    outs = {
        p for s in STAGES.values() for kind in ("outs", "metrics", "plots") for p in paths(s.get(kind, []))
    }
    for name, stage in STAGES.items():
        for dep in paths(stage.get("deps", [])):
            inside = any(dep == out or dep.startswith(f"{out}/") for out in outs)
            assert inside or (ROOT / dep).exists(), f"{name}: {dep}"


EXPENSIVE = {"train", "crossval", "predict"}
"""Commands that cost hours: no change of the code makes them run again."""


@pytest.mark.parametrize("stage", STAGES)
def test_only_what_is_cheap_runs_again_for_its_code(stage):
    code = {dep for dep in paths(STAGES[stage].get("deps", [])) if dep.startswith("fercomp")}
    assert bool(code) != (COMMANDS[stage] in EXPENSIVE)
    for dep in code:
        assert (ROOT / dep).is_dir() or dep.startswith(
            ("fercomp/stages/", "fercomp/core/", "fercomp/kaggle/")
        )
