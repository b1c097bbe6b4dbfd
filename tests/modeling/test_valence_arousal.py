"""Networks that give valence and arousal, from training to what is drawn of them."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.annotate.face_emotions import FaceEmotionsModel
from fercomp.annotate.options import Options
from fercomp.annotate.recognise.clip_recogniser import ClipRecogniser
from fercomp.annotate.recognise.recogniser import Recogniser
from fercomp.annotate.records.rows import columns, face_rows
from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import Plan, PredictParams, TrainParams
from fercomp.core.tables import AXES, PHOTOS, TARGETS, holdout_table, prediction_table
from fercomp.data.inputs import read_faces
from fercomp.decisions.calibration import apply_temperature
from fercomp.decisions.circumplex import decode, decoded_probs
from fercomp.decisions.metrics import agreement
from fercomp.faces.detect import make_detector
from fercomp.faces.tta import VIEWS
from fercomp.kaggle.submissions.csv_file import write_submission
from fercomp.media.clips import Frame
from fercomp.modeling.bundle.card import HOLDOUT, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.training import loop as run
from fercomp.modeling.training.fit import fit
from fercomp.modeling.training.network import build_network, in_float32
from fercomp.modeling.training.points import with_points
from fercomp.modeling.training.teacher import accept_teacher
from fercomp.modeling.training.training_set import training_data
from fercomp.stages.crossval import cross_validate
from fercomp.stages.ensemble import build_ensemble
from fercomp.stages.evaluate import evaluate_model
from fercomp.stages.predicting.predict import predict_test
from fercomp.stages.train import is_trained, train_experiment
from fercomp.web.live import _faces

TINY = TrainParams(size=32, epochs=1, batch_size=16)
PARAMS = {head: TINY.model_copy(update={"head": head}) for head in ("both", "valence_arousal")}


@pytest.fixture(scope="module")
def point(affect_workspace, shallow):
    """The workspace with the model `valence_arousal`."""
    train_experiment("valence_arousal", Plan(train=PARAMS["valence_arousal"]), affect_workspace)
    return affect_workspace


@pytest.fixture(scope="module")
def trained(point):
    """The workspace with a model of either head, named after it."""
    train_experiment("both", Plan(train=PARAMS["both"]), point)
    return point


def faces_of(bundle, n=5):
    size = bundle.card.size
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def test_the_head_decides_what_comes_out(shallow):
    for head, width in (("emotion", 9), ("both", 11), ("valence_arousal", 2)):
        model = build_network("compact", 32, head=head)
        outputs = model.predict_on_batch(np.zeros((2, 32, 32, 3), np.uint8))
        assert outputs.shape == (2, width)
        if head != "valence_arousal":
            np.testing.assert_allclose(outputs[:, :9].sum(axis=1), 1, atol=1e-5)
        assert in_float32(model, lambda: None) is model


@pytest.mark.slow
@pytest.mark.parametrize("head", PARAMS)
def test_a_bundle_says_what_its_network_says(trained, head):
    folder = trained.bundle(head)
    bundle, card = load_bundle(folder), read_card(folder)
    assert (card.head, card.classes, card.runtime) == (head, EMOTIONS, "openvino")
    answer = bundle.answer(faces_of(bundle))
    np.testing.assert_allclose(answer.pred_probs.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(bundle.predict(faces_of(bundle)), answer.pred_probs)
    assert answer.points.shape == (5, 2)
    assert (np.abs(answer.points) <= 1).all()
    mirrored = bundle.answer(faces_of(bundle)[:, :, ::-1])
    np.testing.assert_allclose(mirrored.points, answer.points, atol=1e-5)
    nothing = bundle.answer(faces_of(bundle, 0))
    assert (nothing.pred_probs.shape, nothing.points.shape) == ((0, 9), (0, 2))
    if head == "valence_arousal":
        expected = apply_temperature(decoded_probs(answer.points, EMOTIONS), card.temperature)
        np.testing.assert_allclose(answer.pred_probs, expected, atol=1e-5)
        assert [EMOTIONS[i] for i in answer.pred_probs.argmax(1)] == decode(answer.points)[0].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("head", PARAMS)
def test_scores_are_those_of_the_tables(trained, head):
    folder = trained.bundle(head)
    table = holdout_table(EMOTIONS, points=True).read(folder / HOLDOUT)
    bundle = load_bundle(folder)
    said = bundle.answer(read_faces(trained.raw, table["image_path"].tolist(), 32), views=len(VIEWS)).points
    np.testing.assert_allclose(said, table[list(AXES)], atol=1e-5)
    photos = with_points(PHOTOS.read(trained.photos), PARAMS[head], trained)
    meant = photos.set_index("image_path").loc[table["image_path"], list(AXES)]
    np.testing.assert_allclose(table[list(TARGETS)], meant, atol=1e-5)
    scores = read_card(folder).scores
    expected = agreement(said, meant.to_numpy())
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=1e-4)
    evaluate_model(folder, trained.raw)
    with Image.open(folder / "valence_arousal.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


@pytest.mark.slow
@pytest.mark.parametrize("head", PARAMS)
def test_the_test_photos_and_a_submission(trained, head):
    done = predict_test(trained.bundle(head), trained, PredictParams())
    path, n = done.path, done.photos
    table = prediction_table(EMOTIONS, points=True).read(path)
    assert n == len(table) == 20
    lines = pd.read_csv(write_submission(trained.bundle(head), trained).path)
    assert set(lines["emotion"]) <= set(EMOTIONS)
    if head == "valence_arousal":
        assert lines["emotion"].tolist() == decode(table[list(AXES)].to_numpy())[0].tolist()


@pytest.fixture
def placing(affect_workspace, write_model, tmp_path):
    """A model that gives both, not trained."""
    return write_model(tmp_path / "placing", head="both", flip=True)


def test_photos_show_their_points(affect_workspace, placing):
    bundle = load_bundle(placing)
    image = np.asarray(Image.open(affect_workspace.raw / "train/happy/0.jpg"))
    recogniser = Recogniser(bundle, lambda: make_detector("whole"))
    both = recogniser.name([recogniser.look(image), recogniser.look(image[:, ::-1].copy())])
    one, two = (picture.faces for picture in both)
    assert one.valence_arousal.shape == two.valence_arousal.shape == (1, 2)
    (row,) = face_rows("x.jpg", one)
    assert set(row) <= set(columns(EMOTIONS))
    assert float(row["valence"]) == pytest.approx(one.valence_arousal[0, 0], abs=1e-5)
    emotion, *point, confidence = FaceEmotionsModel(va=True, model=placing).predict(image)
    assert (emotion, confidence) == FaceEmotionsModel(model=placing).predict(image)
    np.testing.assert_allclose(point, one.valence_arousal[0], atol=1e-5)
    with pytest.raises(FercompError, match=r"tiny names emotions.*leave va out"):
        FaceEmotionsModel(va=True, model=affect_workspace.bundle("tiny"))


def test_points_of_a_clip_are_smoothed_and_reach_the_page(affect_workspace, placing):
    bundle = load_bundle(placing)
    picture = np.asarray(Image.open(affect_workspace.raw / "train/happy/0.jpg"))
    recogniser = ClipRecogniser(bundle, Options(detector="whole").make_detector, every=2)
    named = []
    for i in range(3):
        frame = Frame(i, i / 25, i, picture)
        named.append(recogniser.look(frame).faces)
    points = [faces.valence_arousal for faces in named]
    faces = read_faces(affect_workspace.raw, ["train/happy/0.jpg"] * 2, 32)
    alone = bundle.answer(faces, mirrored=np.array([False, True])).points  # frames take turns
    np.testing.assert_allclose(points[0][0], alone[0], atol=1e-5)
    np.testing.assert_array_equal(points[1], points[0])  # not classified: it keeps its point
    low, high = np.minimum(*alone), np.maximum(*alone)
    assert ((points[2][0] >= low - 1e-5) & (points[2][0] <= high + 1e-5)).all()
    assert (points[2] != points[0]).any()
    (face,) = _faces(named[0])
    assert face["point"] == pytest.approx(points[0][0].tolist(), abs=1e-4)


@pytest.mark.slow
def test_a_stopped_run_goes_on_as_if_unbroken(affect_workspace, tmp_path, monkeypatch, shallow):
    params = TINY.model_copy(update={"head": "both", "mixup": 0.3, "epochs": 2})
    photos = with_points(PHOTOS.read(affect_workspace.photos), params, affect_workspace)
    data = training_data(params, photos)
    whole = fit(params, data, affect_workspace.raw, tmp_path / "whole.npz")

    class Stop(Exception):
        pass

    def stop_after_one(text):
        if text.startswith("epoch 1"):
            raise Stop

    with monkeypatch.context() as context, pytest.raises(Stop):
        context.setattr(run, "say", stop_after_one)
        fit(params, data, affect_workspace.raw, tmp_path / "state.npz")
    resumed = fit(params, data, affect_workspace.raw, tmp_path / "state.npz")
    pd.testing.assert_frame_equal(resumed.history, whole.history)
    for a, b in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_other_points_are_another_run(trained):
    photos = with_points(PHOTOS.read(trained.photos), PARAMS["both"], trained)
    moved = photos.assign(valence=-photos["valence"])
    prints = [training_data(PARAMS["both"], table).fingerprint for table in (photos, moved)]
    assert prints[0] != prints[1]
    index = PHOTOS.read(trained.photos)
    assert is_trained(trained.bundle("both"), Plan(train=PARAMS["both"]), index, trained)
    assert not is_trained(trained.bundle("both"), Plan(train=PARAMS["valence_arousal"]), index, trained)


@pytest.mark.slow
def test_what_has_no_probabilities_of_its_own_is_refused(trained):
    folder = trained.bundle("valence_arousal")
    with pytest.raises(FercompError, match="gives points, not probabilities"):
        accept_teacher(folder, EMOTIONS)
    with pytest.raises(FercompError, match="gives points, not emotions"):
        build_ensemble("vote", [trained.bundle("tiny"), folder], "equal", trained)
    with pytest.raises(FercompError, match="use `both`"):
        cross_validate("folds", Plan(train=PARAMS["valence_arousal"]), trained)


@pytest.mark.slow
def test_the_emotions_of_both_join_an_ensemble(trained, tmp_path):
    card = build_ensemble("vote", [trained.bundle("tiny"), trained.bundle("both")], "equal", trained)
    assert card.head == "emotion"
    bundle = load_bundle(trained.bundle("vote"))
    faces = faces_of(bundle)
    parts = [load_bundle(trained.bundle(name)).predict(faces) for name in ("tiny", "both")]
    np.testing.assert_allclose(
        bundle.predict(faces), apply_temperature(np.mean(parts, axis=0), card.temperature), atol=1e-5
    )
    assert bundle.answer(faces).points is None
    shutil.rmtree(trained.bundle("vote"))
