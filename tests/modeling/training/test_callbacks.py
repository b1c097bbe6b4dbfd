import numpy as np
import pandas as pd
import pytest

from fercomp.core.params import InferenceParams, Plan, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle.card import read_card
from fercomp.modeling.bundle.model_card import MODEL_CARD
from fercomp.modeling.training import callbacks, loop
from fercomp.modeling.training.fit import fit
from fercomp.modeling.training.training_set import training_data
from fercomp.stages.train import train_experiment

UNLIMITED = TrainParams(size=32, epochs=3, batch_size=16)
LIMITED = UNLIMITED.model_copy(update={"minutes": 1.0})
pytestmark = pytest.mark.usefixtures("shallow")


class Clock:
    """Stands for the clock of the time limit: a time passes with each batch, and with each epoch."""

    def __init__(self, monkeypatch, batch=0.0, epoch=0.0):
        self.now = 0.0
        monkeypatch.setattr(callbacks, "monotonic", lambda: self.now)
        said, ended = loop.say, callbacks.TimeLimit.on_train_batch_end

        def say(text):
            said(text)
            if text.startswith("epoch") and "loss" in text:
                self.now += epoch

        def after_a_batch(limit, number, logs=None):
            self.now += batch
            ended(limit, number, logs)

        monkeypatch.setattr(loop, "say", say)
        monkeypatch.setattr(callbacks.TimeLimit, "on_train_batch_end", after_a_batch)


@pytest.fixture(scope="module")
def data(tiny_workspace):
    return training_data(UNLIMITED, PHOTOS.read(tiny_workspace.photos))


@pytest.fixture(scope="module")
def unlimited(shallow, tiny_workspace, data, tmp_path_factory):
    return fit(UNLIMITED, data, tiny_workspace.raw, tmp_path_factory.mktemp("run") / "state.npz")


@pytest.mark.slow
def test_it_ends_after_the_epoch_in_which_the_time_is_up_and_keeps_the_usual_course(
    unlimited, tiny_workspace, data, tmp_path, monkeypatch, capfd
):
    Clock(monkeypatch, epoch=31)
    fitted = fit(LIMITED, data, tiny_workspace.raw, tmp_path / "state.npz")
    assert fitted.cut
    pd.testing.assert_frame_equal(fitted.history, unlimited.history[:2])
    assert capfd.readouterr().err.endswith("train.minutes is up\n")
    assert not unlimited.cut


@pytest.mark.slow
def test_an_epoch_is_cut_off_and_scored(unlimited, tiny_workspace, data, tmp_path, monkeypatch, capfd):
    batches = -(-len(data.train) // 16)
    assert batches > 2
    Clock(monkeypatch, batch=60 / (batches + 0.5))
    fitted = fit(LIMITED, data, tiny_workspace.raw, tmp_path / "state.npz")
    assert f"(training 2/3): train.minutes is up after 1 of {batches} batches" in capfd.readouterr().err
    assert fitted.cut
    assert len(fitted.history) == 2
    pd.testing.assert_frame_equal(fitted.history[:1], unlimited.history[:1])
    assert fitted.history["holdout_accuracy"].notna().all()
    assert fitted.best_epoch == fitted.history["holdout_accuracy"].idxmax() + 1


@pytest.mark.slow
def test_a_run_that_goes_on_has_what_is_left(tiny_workspace, data, tmp_path, monkeypatch):
    class Stop(Exception):
        pass

    def stop_after_one(text):
        if text.startswith("epoch 1"):
            raise Stop

    state = tmp_path / "state.npz"
    with monkeypatch.context() as context, pytest.raises(Stop):
        Clock(context, batch=5)
        context.setattr(loop, "say", stop_after_one)
        fit(LIMITED, data, tiny_workspace.raw, state)
    with monkeypatch.context() as context:
        Clock(context, batch=12)
        assert len(fit(LIMITED, data, tiny_workspace.raw, state).history) == 2
    again = fit(LIMITED, data, tiny_workspace.raw, state)  # as after a kill in writing the bundle
    assert (len(again.history), again.cut) == (2, True)


@pytest.mark.slow
def test_a_known_number_of_epochs_has_no_limit(tiny_workspace, data, tmp_path):
    params = LIMITED.model_copy(update={"minutes": 1e-9})
    fitted = fit(params, data, tiny_workspace.raw, tmp_path / "state.npz", epochs={"whole": 2})
    assert (len(fitted.history), fitted.cut) == (2, False)


@pytest.mark.slow
def test_the_card_says_that_it_was_cut_off(workspace, capfd):
    params = LIMITED.model_copy(update={"minutes": 1e-9, "photos": 20})
    plan = Plan(train=params, inference=InferenceParams(margin=0.1, views=False))
    card = train_experiment("short", plan, workspace)
    assert card.trained["time_up_in_epoch"] == 1
    assert card.trained["params"]["minutes"] == 1e-9
    assert 18 <= card.trained["photos"] <= 20
    page = (workspace.bundle("short") / MODEL_CARD).read_text()
    assert "| cut off | by `train.minutes`, short in epoch 1: on another machine" in page
    weights = (workspace.bundle("short") / "model.keras").read_bytes()
    capfd.readouterr()
    assert train_experiment("short", plan, workspace) == read_card(workspace.bundle("short"))
    assert "is trained with these parameters on these photos already" in capfd.readouterr().err
    assert (workspace.bundle("short") / "model.keras").read_bytes() == weights


def test_others_are_not_said_to_be_cut_off(tiny_workspace):
    assert "cut off" not in (tiny_workspace.bundle("tiny") / MODEL_CARD).read_text()
    assert np.isinf(callbacks.TimeLimit(None)._seconds)
