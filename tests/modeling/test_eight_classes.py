"""A network without the class `uncertain`, from training to an ensemble."""

import shutil

import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS, UNCERTAIN, class_names
from fercomp.core.errors import FercompError
from fercomp.core.params import Plan, TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, holdout_table, pred_probs
from fercomp.modeling.bundle.card import HOLDOUT, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.training.targets import photos_of
from fercomp.modeling.training.teacher import accept_teacher, kept_probs
from fercomp.stages.ensemble import build_ensemble, cross_fitted_mean
from fercomp.stages.train import train_experiment

EIGHT = class_names(8)
PARAMS = TrainParams(size=32, epochs=1, batch_size=16, classes=8)


@pytest.fixture(scope="module")
def workspace(tiny_workspace, tmp_path_factory, shallow):
    """A copy of the tiny workspace with the model `eight`; tests may add models."""
    root = tmp_path_factory.mktemp("eight")
    shutil.copytree(tiny_workspace.root, root, dirs_exist_ok=True)
    train_experiment("eight", Plan(train=PARAMS), Workspace(root))
    return Workspace(root)


@pytest.fixture
def eight(workspace):
    return workspace.bundle("eight")


@pytest.mark.slow
def test_it_learns_and_answers_eight_classes_and_is_scored_on_all_photos(eight, workspace):
    card = read_card(eight)
    photos = PHOTOS.read(workspace.photos)
    train, holdout = (photos[photos["split"] == split] for split in ("train", "holdout"))
    assert card.classes == EIGHT == EMOTIONS[:8]
    assert card.trained["photos"] == (train["emotion"] != UNCERTAIN).sum() < len(train)
    assert card.scores["n"] == len(holdout)
    table = holdout_table(EIGHT).read(eight / HOLDOUT)
    assert table["emotion"].tolist() == holdout["emotion"].tolist()
    assert UNCERTAIN in set(table["emotion"])
    probs = pred_probs(table, EIGHT)
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    right = np.array(EIGHT)[probs.argmax(axis=1)] == table["emotion"]
    assert card.scores["accuracy"] == pytest.approx(right.mean(), abs=1e-6)


@pytest.mark.slow
def test_a_teacher_of_other_classes_is_refused(eight, workspace):
    paths = photos_of(PHOTOS.read(workspace.photos), "train", EIGHT)["image_path"].tolist()
    with pytest.raises(FercompError, match=r"tiny knows the classes .* of the same classes"):
        accept_teacher(workspace.bundle("tiny"), EIGHT)
    probs = kept_probs(eight, EIGHT, workspace.raw, paths, workspace.training)
    assert probs.shape == (len(paths), 8)


@pytest.mark.slow
def test_an_ensemble_of_eight_classes(eight, workspace, write_model):
    other = write_model(workspace.bundle("other"), classes=EIGHT)
    (other / HOLDOUT).write_bytes((eight / HOLDOUT).read_bytes())
    card = build_ensemble("both", [eight, other], "fitted", workspace)
    assert card.classes == EIGHT
    assert card.scores["n"] == read_card(eight).scores["n"]
    assert np.isfinite(list(card.scores.values())).all()
    ensemble = load_bundle(workspace.bundle("both"))
    faces = [np.zeros((1, size, size, 3), np.uint8) for size, _ in ensemble.inputs]
    assert ensemble.predict(*faces).shape == (1, 8)


def test_photos_that_the_models_cannot_name_weigh_nothing():
    rng = np.random.default_rng(0)
    outputs, labels = rng.dirichlet(np.ones(4), (2, 50)), rng.integers(0, 4, 50)
    mixed = cross_fitted_mean(outputs, labels)
    assert np.isfinite(cross_fitted_mean(outputs, np.where(rng.random(50) < 0.3, 4, labels))).all()
    assert mixed.shape == (50, 4)
