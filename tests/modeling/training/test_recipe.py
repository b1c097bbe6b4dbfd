"""`train.recipe` tells ways of training apart: this test sees that it is raised where weights change.

Two tiny networks are trained, and their weights compared with what `recipe.json` has of them. Where they
differ, networks of users would, too, though their parameters are the same.

`python tests/modeling/training/test_recipe.py` writes the record anew.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.params import TrainParams
from fercomp.core.params.train import RECIPE
from fercomp.modeling.backbones import compact
from fercomp.modeling.training.fit import fit
from fercomp.modeling.training.training_set import training_data

RECORD = Path(__file__).with_name("recipe.json")
SIZE, TRAIN, HOLDOUT = 32, 24, 9
TINY = {"size": SIZE, "batch_size": 4, "seed": 1, "epochs": 2, "learning_rate": 1e-2, "ema": 0.5}
RUNS = {
    "new": {},
    "from weights": {
        "head": "both",
        "head_epochs": 1,
        "head_views": 1,
        "epochs": 1,
        "mixup": 0.2,
        "loss": "sce",
        "balance": "logit_adjustment",
        "accumulate": 2,
    },
}
"""What changes in `TINY`. The second goes on from the backbone of the first."""

TOLERANCE = 1e-3
"""Largest difference of a number of the record; see `summary`."""


def write_photos(folder):
    """Writes smooth noise as photos, which depends on nothing of ours, and returns their index."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(TRAIN + HOLDOUT):
        small = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8))
        small.resize((SIZE, SIZE), Image.Resampling.BILINEAR).save(folder / f"{i}.png")
        split = "train" if i < TRAIN else "holdout"
        rows.append((f"{i}.png", split, EMOTIONS[i % 9], f"{i:040}", i // 2, 0))
    columns = ["image_path", "split", "emotion", "sha1", "duplicate_group", "recompressed"]
    points = rng.uniform(-0.7, 0.7, (len(rows), 2)).astype(np.float32)
    return pd.DataFrame(rows, columns=columns).assign(valence=points[:, 0], arousal=points[:, 1])


def train(folder):
    """Trains the networks of `RUNS`, one after the other."""
    photos, start, models = write_photos(folder), folder / "start.weights.h5", {}
    for name, changes in RUNS.items():
        weights = str(start) if start.exists() else "none"
        params = TrainParams(**{**TINY, **changes, "weights": weights})
        # Known numbers of epochs: the weights are the last ones, whatever the holdout says.
        epochs = {"head": params.head_epochs, "whole": params.epochs}
        data = training_data(params, photos, holdout=False)
        models[name] = fit(params, data, folder, folder / f"{name}.npz", epochs).model
        models[name].get_layer(params.backbone).save_weights(start)
    return models


def summary(model):
    """Returns a few numbers for each variable: its projections on four random directions, and its length.

    Another processor rounds otherwise, which moves them by 0.00002; a change of a recipe moves some by 0.1.
    """
    rows = []
    for number, weight in enumerate(model.get_weights()):
        values = weight.astype(np.float64).ravel()
        directions = np.random.default_rng(number).choice([-1.0, 1.0], (4, values.size))
        rows.append([*(directions @ values / values.size**0.5), (values @ values) ** 0.5])
    return np.round(rows, 5).tolist()


@pytest.fixture(scope="module")
def one_block():
    """Gives `compact` half of its blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "BLOCKS", 1)
        yield


@pytest.fixture(scope="module")
def trained(one_block, tmp_path_factory):
    return train(tmp_path_factory.mktemp("recipe"))


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.slow
def test_weights_come_out_as_recorded_or_the_recipe_is_raised(trained, name):
    record = json.loads(RECORD.read_text())
    assert record["recipe"] == RECIPE, (
        f"train.recipe is {RECIPE}, the record is of {record['recipe']}: run python {__file__}"
    )
    now, then = summary(trained[name]), record["weights"][name]
    same = len(now) == len(then) and np.allclose(now, then, rtol=0, atol=TOLERANCE)
    assert same, (
        f"training gives other weights than recipe {RECIPE} did. If that is meant, raise RECIPE in "
        "fercomp/core/params/train.py and train.recipe in params.yaml, so that users' networks are trained "
        f"again, and run python {__file__}; otherwise the change is a mistake"
    )


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"label_smoothing": 0.12}, {"weight_decay": 0.0}])
def test_the_record_tells_a_small_change(trained, tmp_path, one_block, changes):
    photos = write_photos(tmp_path)
    params = TrainParams(**{**TINY, **RUNS["new"], **changes})
    data = training_data(params, photos, holdout=False)
    other = fit(params, data, tmp_path, tmp_path / "state.npz", {"whole": params.epochs}).model
    assert np.abs(np.subtract(summary(other), summary(trained["new"]))).max() > 10 * TOLERANCE


if __name__ == "__main__":
    compact.BLOCKS = 1  # as the fixture `one_block`
    with tempfile.TemporaryDirectory() as scratch:
        weights = {name: summary(model) for name, model in train(Path(scratch)).items()}
    rows = {name: "[\n" + ",\n".join(map(json.dumps, found)) + "\n]" for name, found in weights.items()}
    parts = ",\n".join(f"{json.dumps(name)}: {text}" for name, text in rows.items())
    RECORD.write_text(f'{{"recipe": {RECIPE}, "weights": {{\n{parts}\n}}}}\n')
