import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import AugmentParams, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.data.cache import PhotoCache
from fercomp.modeling.training import loop as run
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.checkpoint import Checkpoint, Progress
from fercomp.modeling.training.ema import are_finite
from fercomp.modeling.training.fit import fingerprint, fit
from fercomp.modeling.training.loop import HISTORY_COLUMNS
from fercomp.modeling.training.network import build_network, set_trainable
from fercomp.modeling.training.phases import phases_of, time_left
from fercomp.modeling.training.training_set import training_data

TINY = TrainParams(size=32, epochs=3, batch_size=16)
EVERY_CHANGE = AugmentParams(
    perspective=0.2, hue=20, saturation=0.4, grey=0.2, low_resolution=0.5, blur=0.5, jpeg=0.5
)
pytestmark = pytest.mark.usefixtures("shallow")


@pytest.fixture(scope="module")
def photos(tiny_workspace):
    return PHOTOS.read(tiny_workspace.photos)


@pytest.fixture(scope="module")
def data(photos):
    return training_data(TINY, photos)


@pytest.fixture(scope="module")
def unbroken(shallow, tiny_workspace, data, tmp_path_factory):
    return fit(TINY, data, tiny_workspace.raw, tmp_path_factory.mktemp("run") / "state.npz")


def test_history_and_best_weights(unbroken):
    history = unbroken.history
    assert history.columns.tolist() == list(HISTORY_COLUMNS)
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert unbroken.best_epoch == history["holdout_accuracy"].idxmax() + 1


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(unbroken, tiny_workspace, data, tmp_path):
    again = fit(TINY, data, tiny_workspace.raw, tmp_path / "state.npz")
    pd.testing.assert_frame_equal(again.history, unbroken.history)
    for a, b in zip(again.model.get_weights(), unbroken.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


CHILD = """
import sys
from pathlib import Path
from fercomp.core.params import TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.backbones import compact
from fercomp.modeling.training.fit import fit
from fercomp.modeling.training.training_set import training_data
compact.BLOCKS, compact.CHANNELS = 1, {"compact": (16,)}  # as the fixture `shallow`
root = Path(sys.argv[1])
params = TrainParams(size=32, epochs=3, batch_size=16)
data = training_data(params, PHOTOS.read(root / "datasets/photos.csv"))
fit(params, data, root / "datasets/raw", Path(sys.argv[2]))
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_unbroken(unbroken, tiny_workspace, data, tmp_path, capfd):
    state = tmp_path / "state.npz"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tiny_workspace.root), str(state)], stderr=subprocess.DEVNULL
    )
    while not state.is_file() and child.poll() is None:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the run was over before it could be killed"
    resumed = fit(TINY, data, tiny_workspace.raw, state)
    assert "going on after epoch" in capfd.readouterr().err
    pd.testing.assert_frame_equal(resumed.history, unbroken.history)
    for a, b in zip(resumed.model.get_weights(), unbroken.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_on_jax_a_killed_run_goes_on_as_if_unbroken_too(tmp_path):
    words = ["-m", "pytest", "-n", "0", "-k", test_a_killed_run_goes_on_as_if_unbroken.__name__, __file__]
    # Three trainings of one network, which is compiled once.
    cache = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    env = {**os.environ, **cache, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_checkpoint_of_another_run_or_a_torn_one_is_not_used(unbroken, tmp_path, data):
    checkpoint = Checkpoint(tmp_path / "state.npz", fingerprint(TINY, data))
    assert checkpoint.load() is None
    model = unbroken.model
    model.compile("adam")
    checkpoint.save(model, model.optimizer, Progress(epoch=1), model.get_weights(), [])
    assert checkpoint.load().progress.epoch == 1
    other = fingerprint(TINY.model_copy(update={"epochs": 4}), data)
    assert Checkpoint(checkpoint.path, other).load() is None
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-200])
    assert checkpoint.load() is None
    checkpoint.path.write_bytes(b"")
    assert checkpoint.load() is None


def test_fingerprint_follows_labels_and_parameters(photos, data):
    changed = photos.copy()
    row = changed.index[changed["split"] == "train"][0]
    changed.loc[row, "emotion"] = "sad" if changed.loc[row, "emotion"] != "sad" else "happy"
    other = training_data(TINY, changed)
    prints = {fingerprint(TINY, data), fingerprint(TINY, other), fingerprint(TrainParams(), data)}
    assert len(prints) == 3


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_ends_with_advice(tiny_workspace, data, tmp_path):
    params = TINY.model_copy(update={"learning_rate": 1e30, "warmup": 0.0})
    at_its_end = params.model_copy(update={"batch_size": 1000, "epochs": 1})  # no loss is of the only step
    for each in (params, at_its_end):
        with pytest.raises(
            FercompError, match=r"not a number any more after epoch 1: lower train\.learning_rate"
        ):
            fit(each, data, tiny_workspace.raw, tmp_path / "state.npz")
        assert not (tmp_path / "state.npz").exists()


@pytest.mark.slow
def test_a_later_epoch_that_diverges_leaves_what_was_good(tiny_workspace, data, tmp_path, capfd):
    params = TINY.model_copy(update={"learning_rate": 1e30, "batch_size": 1000, "warmup": 1.0})
    fitted = fit(params, data, tiny_workspace.raw, tmp_path / "state.npz")
    assert (
        "epoch 2: the loss is not a number any more; the best weights so far are kept"
        in capfd.readouterr().err
    )
    assert fitted.best_epoch == len(fitted.history) == 1
    assert are_finite(fitted.model.weights)
    saved = Checkpoint(tmp_path / "state.npz", fingerprint(params, data)).load()
    assert len(saved.progress.rows) == 1
    assert are_finite(saved.model)
    bad = [np.full(3, np.nan)]
    fitted.model.compile("adam")
    Checkpoint(tmp_path / "state.npz", "x").save(fitted.model, fitted.model.optimizer, Progress(), bad, [])
    assert Checkpoint(tmp_path / "state.npz", "x").load() is None


def test_more_layers_than_there_are_end_it_before_the_first_epoch(tiny_workspace, data, tmp_path, capfd):
    params = TINY.model_copy(update={"unfreeze": 1000})
    with pytest.raises(FercompError, match=r"train\.unfreeze 1000: compact has \d+ layers with weights"):
        fit(params, data, tiny_workspace.raw, tmp_path / "state.npz")
    assert capfd.readouterr().err == ""
    assert list(tmp_path.iterdir()) == []


def test_an_empty_split_is_one_line(tiny_workspace, photos, tmp_path):
    for split in ("train", "holdout"):
        with pytest.raises(FercompError, match=f"no photo of split '{split}'"):
            training_data(TINY, photos[photos["split"] != split])


def test_what_is_left_of_a_run():
    phases = phases_of(TrainParams(weights="imagenet", head_epochs=2, epochs=5))
    assert time_left(phases, 0, 1, 90.0) == ", at most 2 min to fine-tuning"
    assert time_left(phases, 1, 1, 90.0) == ", at most 6 min left"
    assert time_left(phases, 1, 5, 90.0) == ""


def test_phases():
    assert [
        (p.name, p.epochs) for p in phases_of(TrainParams(weights="imagenet", head_epochs=2, epochs=5))
    ] == [
        ("head", 2),
        ("whole", 5),
    ]
    assert [p.name for p in phases_of(TrainParams(weights="none"))] == ["whole"]
    assert [p.name for p in phases_of(TrainParams(weights="imagenet", epochs=0))] == ["head"]
    with pytest.raises(FercompError, match="nothing to train"):
        phases_of(TrainParams(epochs=0))


@pytest.mark.slow
def test_head_phase_leaves_the_backbone_alone(tiny_workspace, data, tmp_path):
    start = build_network("compact", 32).get_layer("compact")
    start.save_weights(tmp_path / "start.weights.h5")
    params = TINY.model_copy(
        update={"weights": str(tmp_path / "start.weights.h5"), "head_epochs": 1, "epochs": 0}
    )
    fitted = fit(params, data, tiny_workspace.raw, tmp_path / "state.npz")
    for a, b in zip(fitted.model.get_layer("compact").get_weights(), start.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_head_first_then_the_whole_network(tiny_workspace, data, tmp_path):
    build_network("compact", 32).get_layer("compact").save_weights(tmp_path / "start.weights.h5")
    params = TINY.model_copy(
        update={"weights": str(tmp_path / "start.weights.h5"), "head_epochs": 1, "epochs": 1}
    )
    history = fit(params, data, tiny_workspace.raw, tmp_path / "state.npz").history
    assert history["phase"].tolist() == ["head", "whole"]


@pytest.mark.parametrize(("batch_norm", "kept"), [("keep", {"BatchNormalization"}), ("learn", set())])
def test_batch_normalisation_keeps_or_learns(batch_norm, kept):
    model = build_network("compact", 32)
    set_trainable(model, head_only=False, keep_batch_norm=batch_norm == "keep")
    frozen = {type(layer).__name__ for layer in model.get_layer("compact").layers if not layer.trainable}
    assert frozen == kept


def test_batches_hold_every_photo_once_and_depend_on_seed_and_epoch(
    tiny_workspace, data, tmp_path, monkeypatch
):
    taught = data.train
    kept, read = (
        FaceBatches(taught, tiny_workspace.raw, 32, batch_size=10, cache=cache, seed=1)
        for cache in (PhotoCache(tmp_path), None)
    )
    for epoch in (0, 1):
        kept.start_epoch(epoch)
        read.start_epoch(epoch)
        batches = [kept[i] for i in range(len(kept))]
        for i, (faces, labels) in enumerate(batches):
            np.testing.assert_array_equal(faces, read[i][0])
            np.testing.assert_array_equal(labels, read[i][1])
        assert sum(len(faces) for faces, _ in batches) == len(taught)
        np.testing.assert_allclose(
            sum(labels.sum(0) for _, labels in batches), taught.targets.sum(0), rtol=1e-5
        )
    first = kept[0][0].copy()
    monkeypatch.setattr("fercomp.data.inputs.read_file", None)  # no photo is read any more
    kept.start_epoch(0)
    assert (kept[0][0] != first).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "gce", "mixup": 0.3},
        {"augment": EVERY_CHANGE, "mixup": 0.3, "cutmix": 1.0},
        {"layer_decay": 0.7, "hidden": 16, "unfreeze": 3},
        {"accumulate": 2, "batch_size": 8, "balance": "class_weights"},
        {"precision": "bfloat16", "ema": 0.0},
        {"precision": "float16", "layer_decay": 0.7},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_every_recipe_goes_on_after_a_stop_as_if_unbroken(
    tiny_workspace, data, tmp_path, monkeypatch, changes
):
    params = TINY.model_copy(update=changes)
    whole = fit(params, data, tiny_workspace.raw, tmp_path / "whole.npz")

    class Stop(Exception):
        pass

    def stop_after_two(text):
        if text.startswith("epoch 2"):
            raise Stop

    with monkeypatch.context() as context, pytest.raises(Stop):
        context.setattr(run, "say", stop_after_two)
        fit(params, data, tiny_workspace.raw, tmp_path / "state.npz")
    resumed = fit(params, data, tiny_workspace.raw, tmp_path / "state.npz")
    pd.testing.assert_frame_equal(resumed.history, whole.history)
    for a, b in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_teacher_is_learned_from(tiny_workspace, photos, tmp_path):
    n = int((photos["split"] == "train").sum())
    teacher = np.zeros((n, 9), np.float32)
    teacher[:, 3] = 1
    params = TINY.model_copy(
        update={
            "teacher": "any",
            "teacher_weight": 1.0,
            "label_smoothing": 0.0,
            "epochs": 6,
            "batch_size": 4,
            "ema": 0.0,
        }
    )
    data = training_data(params, photos, teacher)
    fitted = fit(params, data, tiny_workspace.raw, tmp_path / "state.npz")
    faces = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    assert (fitted.model.predict_on_batch(faces).argmax(axis=1) == 3).all()
    assert data.fingerprint != training_data(params, photos, 1 - teacher).fingerprint


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_halved(tiny_workspace, data, tmp_path, monkeypatch, capfd):
    import tensorflow as tf

    from fercomp.modeling.backend.engine import keras

    real = keras.Model.fit

    def small_memory(self, batches, **kwargs):
        if len(next(iter(batches))[0]) > 4:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return real(self, batches, **kwargs)

    monkeypatch.setattr(keras.Model, "fit", small_memory)
    fitted = fit(TINY.model_copy(update={"epochs": 1}), data, tiny_workspace.raw, tmp_path / "state.npz")
    assert (fitted.params.batch_size, fitted.params.accumulate) == (4, 4)
    assert "going on with 4 photos, 4 batches a step" in capfd.readouterr().err


def test_a_single_photo_that_does_not_fit_is_the_end(tiny_workspace, data, tmp_path, monkeypatch):
    from fercomp.modeling.backend.engine import keras

    def no_memory(self, batches, **kwargs):
        raise MemoryError

    monkeypatch.setattr(keras.Model, "fit", no_memory)
    with pytest.raises(MemoryError):
        fit(TINY.model_copy(update={"batch_size": 2}), data, tiny_workspace.raw, tmp_path / "state.npz")


@pytest.mark.slow
def test_a_loss_that_stops_being_a_number_keeps_the_best_weights(
    tiny_workspace, data, tmp_path, monkeypatch, capfd
):
    real = FaceBatches.__getitem__

    def poisoned(self, index):
        faces, targets = real(self, index)
        spoilt = self._seed is not None and self._epoch == 1
        return faces, targets * np.float32(np.nan) if spoilt else targets

    monkeypatch.setattr(FaceBatches, "__getitem__", poisoned)
    fitted = fit(TINY, data, tiny_workspace.raw, tmp_path / "state.npz")
    assert len(fitted.history) == 1
    assert "the best weights so far are kept" in capfd.readouterr().err
    assert all(np.isfinite(weight).all() for weight in fitted.model.get_weights())
