"""`dvc.yaml` as DVC reads it: what the commands do, their parameters, their paths, the code they run."""

import shutil
from pathlib import Path

import grimp
import pytest

from fercomp.core.params import Params, load_params
from fercomp.core.params.pipeline import MADE, TRAINED
from fercomp.core.paths import Workspace

ROOT = Path(__file__).parents[1]
FILES = (ROOT / "dvc.yaml", *sorted(ROOT.glob("pipelines/*/dvc.yaml")))
MODELS = """
experiments: {one: {}, two: {seed: 1}}
relabelled: {better: {labels: weighted}}
students:
  pupil: {teacher: vote, weights: models/two/model.keras}
  other: {teacher: crossval}
ensembles:
  vote: {members: [one, two]}
  three: {members: [vote, pupil], weights: fitted}
  last: {members: [one-refit, better]}
refits: {one-refit: one, pupil-refit: pupil, better-refit: better}
"""
"""A model of each kind, and of each kind of source."""

EXPENSIVE = {"train", "crossval", "refit", "predict"}
"""Commands that cost hours: no change of the code makes them run again."""

UNWATCHED = {
    "cli": "reads, calls, writes and prints",
    "core": "all stages would run again at each change; the formats of tables and parameters seldom change",
    "modeling": "the form of models, whose readers take older ones; other weights raise `train.recipe`",
    "data.inputs": "the photos on pictures, of which no number comes",
    "report.plots": "the look of pictures",
    "media.image_formats": "the names that photos may have; `prepare` depends on all of media",
    "media.problems": "the error that a photo is damaged",
    "stages.expected": "is printed, and in no file",
    "stages.opinion": "is for `relabel --model`, which is no stage",
}
"""Modules and rooms that cheap stages run but do not depend on, and why."""

COMMON = ("uncertain", "evaluate", "predict", "submission")
"""The stages of every model after the one that makes it."""


def stages_of(folder: Path, params: str):
    """Returns the stages that DVC finds for some `params.yaml`, by name; their order is checked, too."""
    from dvc.repo import Repo

    shutil.copyfile(ROOT / "dvc.yaml", folder / "dvc.yaml")
    shutil.copytree(ROOT / "pipelines", folder / "pipelines")
    (folder / "params.yaml").write_text(params)
    repo = Repo.init(str(folder), no_scm=True)
    repo.index.check_graph()
    return {stage.name: stage for stage in repo.index.stages}


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    groups = [name for name in Params.model_fields if name not in MADE]
    text = "".join(f"{group}: {{}}\n" for group in groups) + MODELS
    return stages_of(tmp_path_factory.mktemp("dvc"), text)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    path = tmp_path_factory.mktemp("params") / "params.yaml"
    path.write_text(MODELS)
    return load_params(path)


def command_of(stage) -> str:
    return stage.cmd.split()[1]


def deps_of(stage) -> set[str]:
    return {dep.def_path for dep in stage.deps if not hasattr(dep, "params")}


def params_of(stage) -> set[str]:
    return {key for dep in stage.deps if hasattr(dep, "params") for key in dep.params}


def is_watched(module: str) -> bool:
    if module == "fercomp.modeling.bundle.holdout":  # scores come of it
        return True
    return not any(f"{module}.".startswith(f"fercomp.{name}.") for name in UNWATCHED)


def outs_of(stage) -> set[str]:
    return {out.def_path for out in stage.outs}


def test_params_yaml_holds_the_defaults():
    assert load_params(ROOT / "params.yaml") == Params()


def test_the_pipeline_is_short():
    assert sum(len(file.read_text().splitlines()) for file in FILES) < 150


def test_every_model_has_the_same_stages(stages, models):
    made = {"experiments": "train", "relabelled": "train_relabelled", "students": "train_students"}
    made |= {"ensembles": "ensemble", "refits": "refit"}
    expected = {"fetch", "prepare", "crossval", "relabel"}
    for group in MADE:
        for name in getattr(models, group):
            expected.add(f"{made[group]}@{name}")
            suffix = "" if group == "experiments" else f"_{group}"
            expected |= {f"{command}{suffix}@{name}" for command in COMMON}
    assert set(stages) == expected


def test_a_stage_runs_the_command_of_its_name_in_the_same_folder(stages):
    for name, stage in stages.items():
        assert stage.cmd.split()[:2] == ["fercomp", name.partition("@")[0].partition("_")[0]]
        assert Path(stage.wdir) == Path(stages["fetch"].wdir)


def test_commands_name_the_model(stages):
    for name, stage in stages.items():
        model = name.partition("@")[2]
        rest = {
            "train": f"--name {model}",
            "ensemble": model,
            "refit": f"{model.removesuffix('-refit')} --name {model}",
            **dict.fromkeys(COMMON, f"--model {model}"),
        }
        assert stage.cmd.split(" ", 2)[2:] == ([rest[command_of(stage)]] if model else [])


def test_paths_are_the_defaults_of_the_commands(stages):
    for name, stage in stages.items():
        ws, command, model = Workspace(), command_of(stage), name.partition("@")[2]
        bundle = ws.bundle(model)
        pictures = {bundle / f"{kind}.png" for kind in ("confusion", "per_class", "mistakes", "reliability")}
        network = {bundle / file for file in ("card.json", "graph", "model.keras")}
        trained = network | {bundle / file for file in ("holdout_probs.csv", "history.csv")}
        expected = {
            "fetch": {ws.raw},
            "prepare": {ws.photos, ws.problems, ws.overview},
            "train": trained,
            "refit": trained,
            "ensemble": {bundle / file for file in ("card.json", "holdout_probs.csv", "members")},
            "uncertain": {bundle / file for file in ("decision.json", "uncertain.csv", "uncertain.png")},
            "evaluate": {bundle / file for file in ("per_class.csv", "confusion.csv", "metrics.json")}
            | pictures
            | (
                {bundle / "history.png"} if name.startswith("evaluate") and "ensembles" not in name else set()
            ),
            "predict": {ws.test_probabilities(model)},
            "submission": {ws.submission(model)},
            "crossval": {ws.oof}
            | {ws.bundle("crossval") / file for file in ("card.json", "holdout_probs.csv", "members")},
            "relabel": {ws.labels, ws.relabel_report},
        }
        assert {Path(path) for path in outs_of(stage)} == expected[command], name


def test_what_takes_hours_or_hands_is_never_removed(stages):
    """Not by `dvc repro` (persist), nor by `dvc exp run`, which deletes what its cache does not have."""
    for name, stage in stages.items():
        kept = command_of(stage) in {*EXPENSIVE, "fetch", "ensemble", "relabel"}
        assert {(out.persist, not out.use_cache) for out in stage.outs} == {(kept, kept)}, name


def test_parameters_exist_and_cover_the_group_of_the_command(stages, models):
    for name, stage in stages.items():
        command, model = command_of(stage), name.partition("@")[2]
        keys = params_of(stage)
        if command in Params.model_fields:
            assert command in keys
        if command == "train":
            assert keys == {"train", "inference", f"{models.group_of(model)}.{model}"}
        if command in ("ensemble", "refit"):
            assert keys == {f"{models.group_of(model)}.{model}"}
        assert {key.partition(".")[0] for key in keys} <= set(Params.model_fields)


def test_a_model_comes_after_what_it_is_made_of(stages, models):
    for group in MADE:
        for name in getattr(models, group):
            makes = next(
                s for n, s in stages.items() if n.endswith(f"@{name}") and command_of(s) not in COMMON
            )
            read = {Path(dep).parts[1] for dep in deps_of(makes) if dep.startswith("models/")}
            assert read == set(models.made_of(name))
            for source in models.made_of(name):
                assert {f"models/{source}/{file}" for file in ("card.json", "holdout_probs.csv")} <= deps_of(
                    makes
                )
            if group in TRAINED:
                assert ("datasets/labels.csv" in deps_of(makes)) == (group == "relabelled")


SHIPPED = {
    *("train@base2", "train@lite-frozen", "ensemble@duo", "train_students@student", "ensemble@pair"),
    *("train_students@lite112", "refit@base2-refit", "refit@lite112-refit", "ensemble@together"),
}


@pytest.mark.parametrize(
    ("recipe", "made"),
    [
        ("params.shipped.yaml", SHIPPED),
        ("params.shipped-large.yaml", SHIPPED | {"train@face160", "refit@face160-refit", "ensemble@large"}),
    ],
)
def test_the_recipe_of_a_shipped_model_is_a_pipeline(tmp_path, recipe, made):
    found = stages_of(tmp_path, (ROOT / recipe).read_text())
    makers = {name for name, stage in found.items() if "@" in name and command_of(stage) not in COMMON}
    assert makers == made
    assert len(found) == 2 + 5 * len(makers) + 2  # fetch, prepare; crossval, relabel


def test_every_input_is_the_output_of_a_stage_or_code(stages):
    outs = {path for stage in stages.values() for path in outs_of(stage)}
    for name, stage in stages.items():
        for dep in deps_of(stage):
            inside = any(dep == out or dep.startswith(f"{out}/") for out in outs)
            assert inside or (ROOT / dep).exists(), f"{name}: {dep}"


def test_only_what_is_cheap_runs_again_for_its_code(stages):
    for name, stage in stages.items():
        code = [dep for dep in deps_of(stage) if dep.startswith("fercomp")]
        assert bool(code) != (command_of(stage) in EXPENSIVE), name


def test_what_is_cheap_runs_again_for_all_its_code(stages):
    """A stage depends on each module that its command reaches, but those of `UNWATCHED`."""
    imports = grimp.build_graph("fercomp", exclude_type_checking_imports=True, cache_dir=None)
    watched = {command: set() for command in map(command_of, stages.values()) if command not in EXPENSIVE}
    del watched["fetch"]  # what was downloaded does not change with the code
    for command, modules in watched.items():
        found = {f"fercomp.cli.{command}"}
        while found:
            reached = set().union(*map(imports.find_modules_directly_imported_by, found))
            found = {module for module in reached - modules if is_watched(module)}
            modules |= found
    assert len(watched["submission"]) > 5
    for name, stage in stages.items():
        for module in watched.get(command_of(stage), ()):
            file = Path(*module.split(".")).with_suffix(".py")
            assert deps_of(stage) & set(map(str, (file, *file.parents))), f"{name} lacks {file}"
