"""The small competition in `tests/tiny/` and the model trained on it, which nearly all rooms are tested with.

They are shipped, since a training takes ten seconds and TensorFlow twenty more. Where the code writes other
files, columns or fields than before, `tests/modeling/test_tiny.py` fails, and they are made again:

    python -m tests.make_tiny
"""

import shutil
import tempfile
from contextlib import AbstractContextManager, chdir
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.params import load_params
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, PROBLEMS

TINY = Path(__file__).parent / "tiny"
NAME = "tiny"
PARAMS = (
    *("train.size=32", "train.epochs=80", "train.patience=80", "train.batch_size=16", "train.ema=0.8"),
    *("train.learning_rate=0.02", "train.label_smoothing=0.0", "train.dropout=0.0", "train.seed=2"),
)
"""Such that the network gives different answers to different photos, though it has seen 63."""

CHANNELS = (8, 12, 16)
"""Of the network, which is `compact` with a block at each of the three sizes, so that its files are small."""


def write_competition(raw: Path, per_class: int, tests: int) -> None:
    """Writes the competition's files with drawn faces of 40 pixels."""
    from tests.drawn import draw_face

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


def small_network() -> AbstractContextManager[object]:
    """Makes `compact` the network of `tiny` inside a block."""
    from fercomp.modeling.backbones import compact

    return patch.multiple(compact, BLOCKS=1, CHANNELS={"compact": CHANNELS})


def write_tiny(workspace: Workspace, *further: str) -> None:
    """Draws the photos, indexes them, and trains the model `tiny` on them.

    Args:
        workspace: Where to.
        *further: Parameters that differ from `PARAMS`.
    """
    from fercomp.stages.prepare import prepare
    from fercomp.stages.train import train_experiment

    write_competition(workspace.raw, per_class=8, tests=20)
    params = load_params(workspace.params, (*PARAMS, *further))
    prepared = prepare(workspace.raw, params.prepare)
    PHOTOS.write(prepared.photos, workspace.photos)
    PROBLEMS.write(prepared.problems, workspace.problems)
    with small_network(), chdir(workspace.root):  # the card names the git commit of the current folder
        train_experiment(NAME, params.plan(NAME), workspace)
    shutil.rmtree(workspace.decoded)  # a cache


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        write_tiny(Workspace(Path(folder)))
        shutil.rmtree(Path(folder) / "models" / ".training")
        shutil.rmtree(TINY, ignore_errors=True)
        shutil.copytree(folder, TINY)
