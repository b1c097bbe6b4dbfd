"""What is taught: some of the photos, and test photos as a teacher names them."""

import json

import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import InferenceParams, MachineParams, Plan, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle.card import CARD, OOF
from fercomp.modeling.bundle.card_keys import REFIT_OF
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.model_card import MODEL_CARD
from fercomp.modeling.bundle.predict import predict_photos
from fercomp.stages.checks import check_training
from fercomp.stages.crossval import cross_validate
from fercomp.stages.taught import read_photos, what_is_taught
from fercomp.stages.train import is_trained, train_experiment

STUDENT = TrainParams(
    size=32, epochs=1, batch_size=16, teacher="teacher", test_photos=True, label_smoothing=0.0
)
PLAN = Plan(train=STUDENT, inference=InferenceParams(margin=0.1, views=False))
pytestmark = pytest.mark.usefixtures("shallow")


@pytest.fixture
def teacher(workspace, write_model):
    return write_model(workspace.bundle("teacher"))


@pytest.fixture
def taught(workspace):
    """What a student learns, of changed parameters."""

    def teach(**changes):
        params = STUDENT.model_copy(update=changes)
        return what_is_taught(params, read_photos(params, workspace), workspace, MachineParams())

    return teach


def paths_of_tests(workspace):
    return PHOTOS.read(workspace.photos).query("split == 'test'")["image_path"].tolist()


def test_a_second_round_learns_the_test_photos_too(workspace, teacher, taught):
    tests = paths_of_tests(workspace)
    _, data = taught()
    assert data.tests == len(tests) > 0
    assert data.train.paths[-len(tests) :] == tuple(tests)
    said = predict_photos(load_bundle(teacher), workspace.raw, tests)
    np.testing.assert_allclose(data.train.targets[-len(tests) :], said, atol=1e-6)
    assert not set(data.holdout.paths) & set(data.train.paths)
    assert taught(test_photos=False)[1].tests == 0


def test_the_holdout_is_scored_as_if_there_were_no_test_photos(workspace, teacher, taught):
    photos = PHOTOS.read(workspace.photos)
    held_out = photos[photos["split"] == "holdout"].iloc[0]
    copy = photos.index[photos["split"] == "test"][0]
    photos.loc[copy, "duplicate_group"] = held_out["duplicate_group"]
    PHOTOS.write(photos, workspace.photos)
    _, data = taught()
    assert photos.loc[copy, "image_path"] not in data.train.paths
    assert data.tests == len(paths_of_tests(workspace)) - 1
    np.testing.assert_array_equal(data.holdout.targets, taught(test_photos=False)[1].holdout.targets)


@pytest.mark.parametrize("cut", [True, False])
def test_a_cross_validated_teacher_asks_its_networks_about_test_photos(workspace, teacher, taught, cut):
    photos = PHOTOS.read(workspace.photos).query("split != 'test'")
    oof = photos[["image_path", "emotion"]].assign(**dict.fromkeys(EMOTIONS, 1 / 9))
    (oof[3:] if cut else oof).to_csv(teacher / OOF, index=False)
    if cut:
        with pytest.raises(FercompError, match="lacks"):
            taught()
        return
    _, data = taught(teacher_weight=1.0)
    labelled = len(data.train) - data.tests
    np.testing.assert_allclose(data.train.targets[:labelled], 1 / 9, atol=1e-6)
    said = predict_photos(load_bundle(teacher), workspace.raw, paths_of_tests(workspace))
    np.testing.assert_allclose(data.train.targets[labelled:], said, atol=1e-6)


def test_a_teacher_that_has_learned_the_holdout_is_refused(workspace, teacher, taught):
    card = json.loads((teacher / CARD).read_text())
    card["trained"][REFIT_OF] = "something"
    (teacher / CARD).write_text(json.dumps(card))
    told = r"has learned from the holdout.*name the model that it repeats, or set train\.test_photos to false"
    with pytest.raises(FercompError, match=told):
        taught()
    with pytest.raises(FercompError, match=told):
        check_training(STUDENT, workspace)
    assert taught(test_photos=False)[1].tests == 0


def test_what_is_missing_is_told_before_a_teacher_is_asked(workspace, teacher, monkeypatch):
    monkeypatch.setattr("fercomp.stages.taught.kept_probs", lambda *_: pytest.fail("the teacher was asked"))
    plan = PLAN.changed(weights=str(workspace.root / "none.weights.h5"))
    with pytest.raises(FercompError, match=r"weights file .* not found"):
        train_experiment("student", plan, workspace)
    photos = PHOTOS.read(workspace.photos)
    assert not is_trained(workspace.bundle("student"), plan, photos, workspace)


@pytest.mark.slow
def test_the_card_tells_both_kinds_of_photos_apart_and_another_teacher_trains_anew(
    workspace, teacher, write_model
):
    card = train_experiment("second", PLAN, workspace)
    photos = PHOTOS.read(workspace.photos)
    split = photos["split"].value_counts()
    assert (card.trained["photos"], card.trained["test_photos"]) == (split["train"], split["test"])
    page = (workspace.bundle("second") / MODEL_CARD).read_text()
    assert f"; {split['test']} test photos, each as a teacher named it" in page
    assert is_trained(workspace.bundle("second"), PLAN, photos, workspace)
    without = PLAN.changed(test_photos=False)
    assert not is_trained(workspace.bundle("second"), without, photos, workspace)
    write_model(workspace.bundle("other"), seed=1)
    assert not is_trained(workspace.bundle("second"), PLAN.changed(teacher="other"), photos, workspace)


@pytest.mark.slow
def test_cross_validation_does_without_test_photos(workspace, teacher):
    photos = PHOTOS.read(workspace.photos)
    photos["fold"] = photos["fold"].where(photos["fold"] < 0, photos["fold"] % 2)
    PHOTOS.write(photos, workspace.photos)
    cross_validate("cv", PLAN.changed(size=16), workspace)
    card = json.loads((workspace.bundle("cv") / "members/cv-0" / CARD).read_text())
    assert card["trained"]["params"]["test_photos"] is False
    assert "test_photos" not in card["trained"]
