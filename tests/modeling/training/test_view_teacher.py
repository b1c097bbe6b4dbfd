"""Teachers that are asked about the views that their student sees."""

import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import AugmentParams, MachineParams, TrainParams
from fercomp.core.params.group import validated
from fercomp.core.tables import PHOTOS
from fercomp.faces.tta import resized
from fercomp.modeling.bundle.card import CARD, OOF, Card, Member
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.fit import fit
from fercomp.modeling.training.training_set import TrainingSet
from fercomp.modeling.training.view_teacher import ViewTeacher
from fercomp.stages.taught import what_is_taught

STUDENT = TrainParams(size=32, epochs=1, batch_size=32, teacher=("small", "large"), teacher_view=True)


@pytest.fixture
def teachers(write_model, workspace):
    return [
        write_model(workspace.bundle("small"), size=24, flip=True),
        write_model(workspace.bundle("large"), size=32, seed=1),
    ]


@pytest.fixture
def faces():
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def taught(workspace, **changes):
    params = STUDENT.model_copy(update=changes)
    return what_is_taught(params, PHOTOS.read(workspace.photos), workspace, MachineParams())[1]


def test_it_is_the_mean_of_one_look_by_each_at_its_own_size(teachers, faces):
    small, large = (load_bundle(folder) for folder in teachers)
    looked = small.predict(resized(faces, 24), mirrored=np.zeros(5, bool))
    expected = (looked + large.predict(faces)) / 2
    teacher = ViewTeacher(teachers, EMOTIONS, {}, 1, 0)
    np.testing.assert_allclose(teacher.answers(faces, "abcde"), expected, atol=1e-6)
    assert resized(faces, 32) is faces


def test_a_batch_is_taught_what_is_said_of_its_own_views(workspace, teachers):
    photos = PHOTOS.read(workspace.photos)
    paths = photos.loc[photos["split"] == "train", "image_path"].tolist()[:8]
    given = np.concatenate([np.eye(9)[:8], np.full((8, 2), 0.25)], axis=1).astype(np.float32)
    shown = TrainingSet(tuple(paths), given[:, :9], given[:, 9:], tuple(paths))
    teacher = ViewTeacher(teachers, EMOTIONS, dict.fromkeys(paths[:6], 0), 0.75, 0.1)

    def batch(teacher):
        changes = AugmentParams(perspective=0.3)
        batches = FaceBatches(shown, workspace.raw, 32, 8, seed=3, augmentation=changes, teacher=teacher)
        batches.start_epoch(2)
        return (*batches[0], [paths[row] for row in batches._order])

    (views, targets, order), (same, plain, _) = batch(teacher), batch(None)
    np.testing.assert_array_equal(views, same)
    said = 0.9 * teacher.answers(views, order) + 0.1 / 9
    # The last two are no labelled photos: what the teachers say is all that is known of them.
    share = np.array([[1.0 if path in paths[6:] else 0.75] for path in order])
    np.testing.assert_allclose(targets[:, :9], share * said + (1 - share) * plain[:, :9], atol=1e-6)
    np.testing.assert_array_equal(targets[:, 9:], 0.25)
    np.testing.assert_array_equal(shown.targets, given[:, :9])


@pytest.mark.usefixtures("shallow")
@pytest.mark.slow
def test_a_student_is_trained_by_it_and_the_fingerprint_names_the_teacher(workspace, teachers):
    data = taught(workspace, test_photos=True)
    assert data.tests > 0
    fitted = fit(STUDENT, data, workspace.raw, workspace.training / "state.npz")
    assert len(fitted.history) == 1
    others = ({}, {"teacher": "small"}, {"teacher_view": False}, {"teacher": None})
    prints = {data.fingerprint, *(taught(workspace, **changes).fingerprint for changes in others)}
    assert len(prints) == 5
    np.testing.assert_array_equal(
        taught(workspace).train.targets, taught(workspace, teacher=None).train.targets
    )


def test_of_a_cross_validated_teacher_the_network_of_the_photos_fold_is_asked(write_model, tmp_path, faces):
    folder = tmp_path / "cv"
    for fold in (0, 1):
        write_model(folder / "members" / f"cv-{fold}", size=32, seed=fold)
    members = tuple(Member(name=f"cv-{fold}", weight=0.5) for fold in (0, 1))
    shared = {"name": "cv", "backbone": "ensemble", "classes": EMOTIONS, "size": 32, "margin": 0.1}
    card = Card(**shared, members=members, runtime="openvino", trained={}, scores={})
    (folder / CARD).write_text(card.model_dump_json())
    (folder / OOF).write_text("")
    teacher = ViewTeacher([folder], EMOTIONS, {"a": 9, "b": 1, "c": 0, "d": -1}, 1, 0)
    said = teacher.answers(faces[:4], ["b", "c", "d", "none of these"])
    zero, one = (load_bundle(folder / "members" / f"cv-{fold}").predict(faces) for fold in (0, 1))
    expected = [one[0], zero[1], (zero[2] + one[2]) / 2, (zero[3] + one[3]) / 2]
    np.testing.assert_allclose(said, expected, atol=1e-6)


def test_teachers_that_cannot_be_asked_are_refused(write_model, teachers, tmp_path):
    other = write_model(tmp_path / "other", classes=EMOTIONS[:8])
    with pytest.raises(FercompError, match=r"other knows the classes anger.*name a model of the same"):
        ViewTeacher([teachers[0], other], EMOTIONS, {}, 1, 0)
    with pytest.raises(FercompError, match=r"nobody is asked about views: name a model as train\.teacher"):
        validated(TrainParams, {"teacher_view": True}, "train.")
