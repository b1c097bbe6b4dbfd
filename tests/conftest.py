"""What tests of several rooms share: a tiny competition and a model trained on it, both real."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.paths import Workspace


def write_competition(raw: Path, per_class: int, tests: int) -> None:
    """Writes the competition's files with drawn faces of 40 pixels."""
    from fercomp.data.drawn import draw_face

    rng = np.random.default_rng(0)
    rows = []
    for emotion in EMOTIONS:
        (raw / "train" / emotion).mkdir(parents=True)
        for i in range(per_class):
            Image.fromarray(draw_face(emotion, rng, 40)).save(raw / "train" / emotion / f"{i}.jpg")
            rows.append((f"./train/{emotion}/{i}.jpg", emotion))
    pd.DataFrame(rows, columns=["image_path", "emotion"]).to_csv(raw / "train.csv")
    (raw / "test_kaggle").mkdir()
    for i in range(tests):
        face = draw_face(EMOTIONS[i % len(EMOTIONS)], rng, 40)
        Image.fromarray(face).save(raw / "test_kaggle" / f"{i}.jpg")
    sample = pd.DataFrame({"image_path": [f"{i}.jpg" for i in range(tests)], "emotion": "neutral"})
    sample.to_csv(raw / "sample_submission.csv", index=False)


@pytest.fixture(scope="session")
def tiny_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with raw data, index and one model `tiny`; tests must not change it."""
    from fercomp.core.params import load_params
    from fercomp.core.tables import PHOTOS, PROBLEMS
    from fercomp.data.prepare import prepare
    from fercomp.modeling.experiment import train_experiment

    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    write_competition(workspace.raw, per_class=8, tests=20)
    params = load_params(workspace.params, ["train.size=32", "train.epochs=2", "train.batch_size=16"])
    prepared = prepare(workspace.raw, params.prepare)
    PHOTOS.write(prepared.photos, workspace.photos)
    PROBLEMS.write(prepared.problems, workspace.problems)
    train_experiment("tiny", params.experiment("tiny"), workspace)
    return workspace


@pytest.fixture(scope="session")
def tiny_bundle_folder(tiny_workspace: Workspace) -> Path:
    """The bundle `tiny`: `compact` at 32 pixels; tests must not change it."""
    return tiny_workspace.bundle("tiny")


@pytest.fixture
def workspace(tiny_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of `tiny_workspace` that a test may change, as the current folder."""
    shutil.copytree(tiny_workspace.root, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Workspace()
