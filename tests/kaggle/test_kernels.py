"""Commands at Kaggle: pushed, followed and brought here."""

import json
import re

import pytest

from fercomp.core.paths import Workspace
from tests.kaggle.kernel_host import contents, leave
from tests.make_tiny import TINY

WORDS = ("train", "--name", "mine", "--on", "kaggle", "--yes")


def bundle(name="mine"):
    """What a training leaves, without training."""
    tiny = TINY / "models" / "tiny"
    files = {f"models/{name}/{p.relative_to(tiny)}": p.read_bytes() for p in tiny.rglob("*") if p.is_file()}
    return {**files, "datasets/photos.csv": (TINY / "datasets" / "photos.csv").read_bytes()}


def test_a_training_is_pushed_followed_and_brought_here(kaggle, run, tmp_path):
    kaggle.kernels.play = lambda session: leave(session, bundle())
    code, out, err = run(*WORDS)
    assert code == 0, err
    work = tmp_path / "work"
    assert contents(work / "models" / "mine") == contents(TINY / "models" / "tiny")
    assert (work / "datasets" / "photos.csv").read_bytes() == (TINY / "datasets" / "photos.csv").read_bytes()
    assert re.search(
        "runs `fercomp train --name mine.*` with a GPU; 28.0 of 30 GPU hours are left this week", err
    )
    assert re.search(
        "models/mine: from https://www.kaggle.com/code/ada/fercomp-train-mine-[0-9a-f]{6}-1", out
    )
    ((session,),) = kaggle.kernels.sessions.values()
    assert session.body["enableGpu"] is True and session.body["machineShape"] == "NvidiaTeslaT4"
    assert session.job["steps"][-1]["words"][:3] == ["train", "--name", "mine"]
    (state,) = (work / "models" / ".kaggle").glob("*.json")
    assert json.loads(state.read_text())["pulled"] is True
    assert sorted(p.name for p in (work / "models" / ".kaggle").rglob("*") if p.is_file()) == [state.name]


@pytest.fixture
def here(workspace):
    """The tiny competition as the current folder, without its model."""
    return Workspace()


@pytest.mark.slow
def test_what_was_pushed_runs_there_as_here(kaggle, run, tmp_path):
    small = ("--set", "train.size=32", "--set", "train.epochs=1", "--set", "machine.cache_gb=0")
    code, out, err = run(*WORDS, *small)
    ((session,),) = kaggle.kernels.sessions.values()
    assert code == 0, (err, session.log)
    assert "holdout accuracy" in out
    assert kaggle.kernels.versions() == {session.slug: 1}
