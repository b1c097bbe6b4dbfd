"""The recipe of the shipped model, from the first stage to the last, with networks that learn little."""

import io
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

TINY = {"size": 32, "epochs": 1, "precision": "float32"}


def tiny_recipe() -> str:
    """Returns `params.shipped.yaml` with one epoch of 32 pixels for each network."""
    recipe = YAML(typ="safe").load(ROOT / "params.shipped.yaml")
    recipe["prepare"]["folds"] = 2
    recipe["train"] |= {"batch_size": 32, "head_epochs": 1}
    recipe["inference"]["views"] = False
    for group in ("experiments", "students"):
        for changes in recipe[group].values():
            changes.update(TINY)
    text = io.StringIO()
    YAML().dump(recipe, text)
    return text.getvalue()


def locked() -> dict[str, object]:
    return YAML(typ="safe").load(Path("dvc.lock"))["stages"]


def test_it_runs_to_the_end_and_again_with_the_same_result(clone, run, commands):
    clone(tiny_recipe())
    run("dvc", "repro")
    assert Path("submissions/together.csv").is_file()
    assert Path("models/together/members/lite112-refit/graph/graph.xml").is_file()
    first = locked()
    assert len(first) == 2 + 5 * 9

    begun = len(commands.words)
    run("dvc", "repro")
    assert commands.words[begun:] == [], "nothing has changed"

    shutil.rmtree("models")
    Path("dvc.lock").unlink()
    run("dvc", "repro", "ensemble@together")
    made = {words[0] for words in commands.words[begun:]}
    assert made == {"fetch", "prepare", "train", "ensemble", "uncertain", "refit"}, "no more than it needs"
    second = locked()
    assert second == {name: first[name] for name in second}, "the same training gives the same bytes"
