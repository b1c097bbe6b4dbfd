import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling import training
from fercomp.modeling.batches import FaceBatches
from fercomp.modeling.checkpoint import Checkpoint
from fercomp.modeling.network import build_network, set_trainable
from fercomp.modeling.training import HISTORY, fingerprint, fit, one_hot, plan

TINY = TrainParams(size=32, epochs=3, batch_size=16)


@pytest.fixture(scope="module")
def photos(tiny_workspace):
    return PHOTOS.read(tiny_workspace.photos)


@pytest.fixture(scope="module")
def unbroken(tiny_workspace, photos, tmp_path_factory):
    return fit(TINY, photos, tiny_workspace.raw, tmp_path_factory.mktemp("run") / "state.npz")


def test_history_and_best_weights(unbroken):
    history = unbroken.history
    assert history.columns.tolist() == list(HISTORY)
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert unbroken.best_epoch == history["holdout_accuracy"].idxmax() + 1


def test_the_same_seed_gives_the_same_weights(unbroken, tiny_workspace, photos, tmp_path):
    again = fit(TINY, photos, tiny_workspace.raw, tmp_path / "state.npz")
    pd.testing.assert_frame_equal(again.history, unbroken.history)
    for a, b in zip(again.model.get_weights(), unbroken.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


CHILD = """
import sys
from pathlib import Path
from fercomp.core.params import TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.training import fit
root = Path(sys.argv[1])
fit(TrainParams(size=32, epochs=3, batch_size=16), PHOTOS.read(root / "datasets/photos.csv"),
    root / "datasets/raw", Path(sys.argv[2]))
"""


def test_a_killed_run_goes_on_as_if_unbroken(unbroken, tiny_workspace, photos, tmp_path, capfd):
    state = tmp_path / "state.npz"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tiny_workspace.root), str(state)], stderr=subprocess.DEVNULL
    )
    while not state.is_file() and child.poll() is None:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the run was over before it could be killed"
    resumed = fit(TINY, photos, tiny_workspace.raw, state)
    assert "going on after epoch" in capfd.readouterr().err
    pd.testing.assert_frame_equal(resumed.history, unbroken.history)
    for a, b in zip(resumed.model.get_weights(), unbroken.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_of_another_run_or_a_torn_one_is_not_used(unbroken, tmp_path, photos):
    checkpoint = Checkpoint(tmp_path / "state.npz", fingerprint(TINY, photos))
    assert checkpoint.load() is None
    model = unbroken.model
    checkpoint.save(model, training.Progress(epoch=1), model.get_weights())
    assert checkpoint.load().progress.epoch == 1
    other = fingerprint(TINY.model_copy(update={"epochs": 4}), photos)
    assert Checkpoint(checkpoint.path, other).load() is None
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:-200])
    assert checkpoint.load() is None
    checkpoint.path.write_bytes(b"")
    assert checkpoint.load() is None


def test_fingerprint_follows_labels_and_parameters(photos):
    changed = photos.copy()
    row = changed.index[changed["split"] == "train"][0]
    changed.loc[row, "emotion"] = "sad" if changed.loc[row, "emotion"] != "sad" else "happy"
    prints = {fingerprint(TINY, photos), fingerprint(TINY, changed), fingerprint(TrainParams(), photos)}
    assert len(prints) == 3


def test_a_loss_that_is_not_a_number_ends_with_advice(tiny_workspace, photos, tmp_path):
    params = TINY.model_copy(update={"learning_rate": 1e30, "warmup": 0.0})
    with pytest.raises(FercompError, match=r"not a number in epoch 1.*lower train\.learning_rate"):
        fit(params, photos, tiny_workspace.raw, tmp_path / "state.npz")


def test_an_empty_split_is_one_line(tiny_workspace, photos, tmp_path):
    with pytest.raises(FercompError, match="no photo of split 'holdout'"):
        fit(TINY, photos[photos["split"] != "holdout"], tiny_workspace.raw, tmp_path / "state.npz")


def test_phases():
    assert [(p.name, p.epochs) for p in plan(TrainParams(weights="imagenet", head_epochs=2, epochs=5))] == [
        ("head", 2),
        ("whole", 5),
    ]
    assert [p.name for p in plan(TrainParams(weights="none"))] == ["whole"]
    assert [p.name for p in plan(TrainParams(weights="imagenet", epochs=0))] == ["head"]
    with pytest.raises(FercompError, match="nothing to train"):
        plan(TrainParams(epochs=0))


def test_head_phase_leaves_the_backbone_alone(tiny_workspace, photos, tmp_path):
    start = build_network(TINY, 9).get_layer("compact")
    start.save_weights(tmp_path / "start.weights.h5")
    params = TINY.model_copy(
        update={"weights": str(tmp_path / "start.weights.h5"), "head_epochs": 1, "epochs": 0}
    )
    fitted = fit(params, photos, tiny_workspace.raw, tmp_path / "state.npz")
    for a, b in zip(fitted.model.get_layer("compact").get_weights(), start.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_head_first_then_the_whole_network(tiny_workspace, photos, tmp_path):
    build_network(TINY, 9).get_layer("compact").save_weights(tmp_path / "start.weights.h5")
    params = TINY.model_copy(
        update={"weights": str(tmp_path / "start.weights.h5"), "head_epochs": 1, "epochs": 1}
    )
    history = fit(params, photos, tiny_workspace.raw, tmp_path / "state.npz").history
    assert history["phase"].tolist() == ["head", "whole"]


def test_fine_tuning_keeps_learned_batch_statistics():
    model = build_network(TINY, 9)
    set_trainable(model, TINY.model_copy(update={"weights": "imagenet"}), head_only=False)
    frozen = {type(layer).__name__ for layer in model.get_layer("compact").layers if not layer.trainable}
    assert frozen == {"BatchNormalization"}
    set_trainable(model, TINY, head_only=False)
    assert all(layer.trainable for layer in model.get_layer("compact").layers)


def test_batches_hold_every_photo_once_and_depend_on_seed_and_epoch(tiny_workspace, photos):
    chosen = photos[photos["split"] == "train"]
    targets = one_hot(chosen["emotion"].tolist(), tuple(sorted(set(chosen["emotion"]))))
    paths = chosen["image_path"].tolist()
    make = lambda memory: FaceBatches(  # noqa: E731
        tiny_workspace.raw, paths, targets, 32, batch_size=10, memory_gb=memory, seed=1
    )
    kept, read = make(1.0), make(0.0)
    for epoch in (0, 1):
        kept.start_epoch(epoch)
        read.start_epoch(epoch)
        batches = [kept[i] for i in range(len(kept))]
        for i, (faces, labels) in enumerate(batches):
            np.testing.assert_array_equal(faces, read[i][0])
            np.testing.assert_array_equal(labels, read[i][1])
        assert sum(len(faces) for faces, _ in batches) == len(paths)
        np.testing.assert_array_equal(sum(labels.sum(0) for _, labels in batches), targets.sum(0))
    first = kept[0][0].copy()
    kept.start_epoch(0)
    assert (kept[0][0] != first).any()
