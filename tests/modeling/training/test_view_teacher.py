"""Teachers that are asked about the views that their student sees."""

import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import AugmentParams, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.faces.tta import resized
from fercomp.modeling.bundle.card import CARD, OOF, Card, Member
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.training.augment import augment
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.fit import fit
from fercomp.modeling.training.training_set import TrainingSet, training_data
from fercomp.modeling.training.view_teacher import ViewTeacher
from fercomp.stages.train import teacher_of


@pytest.fixture
def teachers(write_model, tmp_path):
    return [
        write_model(tmp_path / "small", size=24, flip=True),
        write_model(tmp_path / "large", size=32, seed=1),
    ]


def test_it_is_the_mean_of_one_look_by_each_at_its_own_size(teachers):
    faces = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    small, large = [load_bundle(folder) for folder in teachers]
    looked = small.predict(resized(faces, 24), mirrored=np.zeros(5, bool))
    expected = (looked + large.predict(faces)) / 2
    teacher = ViewTeacher(teachers, EMOTIONS, dict.fromkeys("abcde", 0))
    np.testing.assert_allclose(teacher(faces, "abcde"), expected, atol=1e-6)
    assert resized(faces, 32) is faces


def test_a_batch_is_taught_what_is_said_of_its_own_views(tiny_workspace, teachers):
    photos = PHOTOS.read(tiny_workspace.photos)
    paths = photos.loc[photos["split"] == "train", "image_path"].tolist()[:8]
    given = np.eye(9, dtype=np.float32)[np.arange(8)]
    shown = TrainingSet(tuple(paths), given, None, tuple(paths))
    teacher, changes = (
        ViewTeacher(teachers, EMOTIONS, dict.fromkeys(paths, 0)),
        AugmentParams(perspective=0.3),
    )

    def batch(**asked):
        batches = FaceBatches(shown, tiny_workspace.raw, 32, 8, 1.0, 3, changes, **asked)
        batches.start_epoch(2)
        return batches[0]

    faces, targets = batch(teacher=teacher, teacher_weight=0.75)
    same, plain = batch()
    np.testing.assert_array_equal(faces, same)
    np.testing.assert_allclose(targets, 0.75 * teacher(faces, paths) + 0.25 * plain, atol=1e-6)
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)
    assert (augment(faces, changes, np.random.default_rng(0)) != faces).any()
    np.testing.assert_array_equal(given, np.eye(9)[np.arange(8)])


@pytest.mark.usefixtures("shallow")
def test_a_student_is_trained_by_it_and_the_fingerprint_names_the_teacher(workspace, teachers):
    params = TrainParams(
        size=32,
        epochs=1,
        batch_size=32,
        teacher=tuple(map(str, teachers)),
        teacher_view=True,
        teacher_weight=1.0,
    )
    photos = PHOTOS.read(workspace.photos)
    teacher = teacher_of(params, photos, workspace)
    assert isinstance(teacher, ViewTeacher)
    data = training_data(params, photos, teacher)
    fitted = fit(params, data, workspace.raw, workspace.training / "state.npz")
    assert len(fitted.history) == 1
    one = params.model_copy(update={"teacher": str(teachers[0])})
    prints = {
        training_data(params, photos).fingerprint,
        data.fingerprint,
        training_data(params, photos, teacher_of(one, photos, workspace)).fingerprint,
    }
    assert len(prints) == 3


def test_of_a_cross_validated_teacher_the_network_of_the_photos_fold_is_asked(write_model, tmp_path):
    folder = tmp_path / "cv"
    for fold in (0, 1):
        write_model(folder / "members" / f"cv-{fold}", size=32, seed=fold)
    members = tuple(Member(name=f"cv-{fold}", weight=0.5) for fold in (0, 1))
    shared = {"name": "cv", "backbone": "ensemble", "classes": EMOTIONS, "size": 32, "margin": 0.1}
    card = Card(**shared, members=members, runtime="openvino", trained={}, scores={})
    (folder / CARD).write_text(card.model_dump_json())
    (folder / OOF).write_text("")
    faces = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    said = ViewTeacher([folder], EMOTIONS, {"a": 9, "b": 1, "c": 0, "d": -1})(faces, ["b", "c", "d"])
    by_fold = [load_bundle(folder / "members" / f"cv-{fold}").predict(faces) for fold in (0, 1)]
    np.testing.assert_allclose(said[0], by_fold[1][0], atol=1e-6)
    np.testing.assert_allclose(said[1], by_fold[0][1], atol=1e-6)
    np.testing.assert_allclose(said[2], (by_fold[0][2] + by_fold[1][2]) / 2, atol=1e-6)


def test_teachers_that_cannot_be_asked_are_refused(write_model, teachers, tmp_path):
    other = write_model(tmp_path / "other", classes=EMOTIONS[:8])
    with pytest.raises(FercompError, match=r"other knows the classes anger.*name a teacher of the same"):
        ViewTeacher([teachers[0], other], EMOTIONS, {})
