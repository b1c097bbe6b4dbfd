"""Holdout, test photos, folds and teachers are answered by the device that is asked for."""

import numpy as np
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import MachineParams, Plan, PredictParams, TrainParams, load_params
from fercomp.core.tables import PHOTOS, holdout_table, pred_probs, prediction_table
from fercomp.data.cache import PhotoCache
from fercomp.modeling.bundle import scorer
from fercomp.modeling.bundle.card import CARD, HOLDOUT, KERAS_MODEL, MEMBERS, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.stages.crossval import cross_validate
from fercomp.stages.ensemble import build_ensemble
from fercomp.stages.opinion import opinion_of
from fercomp.stages.predicting.predict import predict_test
from fercomp.stages.refit import refit
from fercomp.stages.taught import teacher_of
from fercomp.stages.train import train_experiment

GPU = MachineParams(device="gpu")
SMALL = TrainParams(size=16, epochs=1, batch_size=32)
pytestmark = pytest.mark.usefixtures("shallow")


@pytest.fixture
def asked(monkeypatch):
    """Lets Keras answer on the processor in the place of a GPU; the list is what was asked for."""
    wanted = []

    def choose(device):
        wanted.append(device)
        return "cpu" if device == "cpu" else "gpu"

    for place in ("fercomp.modeling.bundle.scorer", "fercomp.stages.train", "fercomp.stages.crossval"):
        monkeypatch.setattr(f"{place}.choose_device", choose)
    network = scorer.keras_network
    monkeypatch.setattr(scorer, "keras_network", lambda *given: wanted.append("keras") or network(*given))
    return wanted


def test_a_missing_gpu_is_told_before_anything_is_done(workspace, fercomp_never_trains):
    plan = Plan(train=SMALL, machine=GPU)
    works = {
        "train": lambda: train_experiment("mine", plan, workspace),
        "crossval": lambda: cross_validate("mine", plan, workspace),
        "refit": lambda: refit(workspace.bundle("tiny"), "mine", workspace, GPU),
        "predict": lambda: predict_test(workspace.bundle("tiny"), workspace, PredictParams(), GPU),
    }
    for name, work in works.items():
        with pytest.raises(FercompError, match=r"machine\.device is gpu, but tensorflow sees no GPU"):
            work()
        assert not workspace.bundle("mine").exists(), name
    assert not workspace.decoded.exists()
    assert not workspace.test_probabilities("tiny").exists()


@pytest.fixture
def fercomp_never_trains(monkeypatch):
    def never(*arguments, **named):
        raise AssertionError("a network is trained")

    monkeypatch.setattr("fercomp.modeling.training.fit.fit", never)


@pytest.mark.slow
def test_test_photos_and_a_models_opinion(workspace, asked):
    folder, tables = workspace.bundle("tiny"), {}
    for device in ("cpu", "gpu"):
        bare = MachineParams(cache_gb=0, device=device)
        path = predict_test(folder, workspace, PredictParams(), bare).path
        tables[device] = pred_probs(prediction_table(EMOTIONS).read(path))
        said = opinion_of(folder, workspace, MachineParams(device=device))
        tables[f"{device} opinion"] = pred_probs(said.table)
        for kept in workspace.training.glob("*.npy"):
            kept.unlink()
    np.testing.assert_allclose(tables["cpu"], tables["gpu"], atol=1e-4)
    np.testing.assert_allclose(tables["cpu opinion"], tables["gpu opinion"], atol=1e-4)
    assert asked == ["cpu", "cpu", "gpu", "keras", "gpu", "keras"]


@pytest.mark.slow
def test_a_holdout_and_a_teacher(workspace, asked):
    params = load_params(workspace.root / "none.yaml", ["train.teacher=tiny"]).train.model_copy(
        update={"size": 16, "epochs": 1, "batch_size": 32}
    )
    photos = PHOTOS.read(workspace.photos)
    kept = teacher_of(params, photos, workspace, MachineParams(device="cpu"))
    for file in workspace.training.glob("*.npy"):
        file.unlink()
    asked.clear()
    card = train_experiment("mine", Plan(train=params, machine=GPU), workspace)
    assert asked.count("keras") == 2, "the teacher is asked, and the holdout"
    np.testing.assert_allclose(teacher_of(params, photos, workspace, GPU), kept, atol=1e-4)
    assert card.graph.photos == (photos["split"] != "test").sum()
    said = pred_probs(holdout_table(EMOTIONS).read(workspace.bundle("mine") / HOLDOUT))
    paths = photos.loc[photos["split"] == "holdout", "image_path"].tolist()
    on_processor = PhotoCache(workspace.decoded).photos(workspace.raw, paths, 16).take(np.arange(len(paths)))
    expected = load_bundle(workspace.bundle("mine")).answer(on_processor, views=9).pred_probs
    np.testing.assert_allclose(said, expected, atol=1e-4)
    # Another device is no other training.
    stamp = (workspace.bundle("mine") / CARD).stat().st_mtime_ns
    train_experiment("mine", Plan(train=params, machine=MachineParams(device="cpu")), workspace)
    assert (workspace.bundle("mine") / CARD).stat().st_mtime_ns == stamp


def test_members_of_an_ensemble_have_what_a_gpu_needs(workspace, asked, write_model):
    photos = PHOTOS.read(workspace.photos)
    tiny = workspace.bundle("tiny")
    linear = write_model(workspace.bundle("linear"), margin=read_card(tiny).margin)
    (linear / HOLDOUT).write_bytes((tiny / HOLDOUT).read_bytes())
    build_ensemble("vote", [tiny, linear], "equal", workspace)
    folder = workspace.bundle("vote")
    assert (folder / MEMBERS / "tiny" / KERAS_MODEL).read_bytes() == (tiny / KERAS_MODEL).read_bytes()
    gpu, processor = load_bundle(folder, "auto"), load_bundle(folder)
    assert gpu.device == "gpu"
    assert [member.device for member in gpu.members] == ["gpu", "cpu"]
    faces = PhotoCache(workspace.decoded).photos(workspace.raw, photos["image_path"].tolist(), 32)
    some = faces.take(np.arange(20))
    np.testing.assert_allclose(gpu.predict(some), processor.predict(some), atol=1e-4)
    assert gpu.fingerprint == processor.fingerprint
    assert read_card(folder / MEMBERS / "tiny").graph is not None
