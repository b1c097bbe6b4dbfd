"""The recipe of the larger model that ships, on a few drawn faces: to its end, and twice the same bytes."""

import shutil
from pathlib import Path

import pytest
import yaml

from fercomp.core.params.pipeline import TRAINED
from fercomp.modeling.bundle.card import read_card

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def tiny_recipe() -> str:
    """The recipe with small networks in the place of large ones, an epoch each; all else is as it is."""
    recipe = yaml.safe_load((ROOT / "params.shipped-large.yaml").read_text())
    recipe["prepare"]["folds"] = 2
    for changes in (entry for group in TRAINED for entry in recipe[group].values()):
        changes |= {"backbone": "compact", "size": 32, "epochs": 1}
    return yaml.safe_dump(recipe, sort_keys=False)


def made() -> dict[str, bytes]:
    files = [Path("dvc.lock"), *sorted(Path("models").rglob("*"))]
    return {path.as_posix(): path.read_bytes() for path in files if path.is_file()}


def test_it_runs_to_its_end_and_again_to_the_same_bytes(clone, run, commands):
    clone(tiny_recipe())
    run("dvc", "repro", "ensemble@large")
    first = made()
    card = read_card(Path("models/large"))
    weights = {member.name: member.weight for member in card.members}
    assert weights == {"face160-refit": 0.5, "lite112-refit": 0.25, "base2-refit": 0.25}
    assert card.scores["n"] > 0
    cards = {name: read_card(Path("models/large/members") / name) for name in weights}
    assert {name: each.grey for name, each in cards.items()} == {name: name[0] == "f" for name in weights}

    shutil.rmtree("models")
    began = len(commands.words)
    run("dvc", "repro", "ensemble@large")
    again = [words[0] for words in commands.words[began:]]
    assert (again.count("train"), again.count("refit"), again.count("ensemble")) == (5, 3, 4)
    assert made() == first
    run("fercomp", "export", "large", "--model", "large", "--precision", "int8")
    assert {read_card(Path("large/members") / name).trained["precision"] for name in weights} == {"int8"}
