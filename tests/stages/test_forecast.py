"""How long trainings take, said before they begin."""

import re

import openvino
import pytest

from fercomp.core import timing
from fercomp.core.params import InferenceParams, Plan, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle import predict
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.training import forecast as measuring
from fercomp.modeling.training.forecast import forecast
from fercomp.stages import forecast as stage
from fercomp.stages.forecast import say_how_long

TINY = TrainParams(size=32, batch_size=4, epochs=3)


def test_a_training_takes_its_epochs_and_the_views_of_its_holdout(monkeypatch, tmp_path):
    monkeypatch.setattr(measuring, "_seconds_a_photo", lambda plan: (0.5, 0.25, 0.125))
    plan = Plan(train=TINY, inference=InferenceParams(views=False))
    epochs = 3 * (100 * 0.5 + 20 * 0.25)
    assert forecast(plan, 100, 20) == (epochs + 2 * 20 * 0.125, False)
    views = plan.model_copy(update={"inference": InferenceParams()})
    assert forecast(views, 100, 20)[0] == epochs + 9 * 20 * 0.125
    weights = {"weights": str(tmp_path), "head_epochs": 1, "head_views": 2, "batch_norm": "keep"}
    assert forecast(plan.changed(**weights), 100, 20)[0] == 0.125 * 220 + epochs + 5


@pytest.mark.parametrize(
    ("precision", "capabilities", "told"),
    [
        ("bfloat16", ["FP32", "INT8"], True),
        ("bfloat16", ["FP32", "BF16"], False),
        ("float16", ["FP32", "BF16"], True),
        ("float32", ["FP32"], False),
        ("auto", ["FP32"], False),
    ],
)
def test_a_precision_that_the_processor_emulates_is_told(precision, capabilities, told, monkeypatch, capsys):
    monkeypatch.setattr(openvino.Core, "get_property", lambda core, device, name: capabilities)
    monkeypatch.setattr(measuring, "_seconds_a_photo", lambda plan: (0.5, 0.25, 0.125))
    forecast(Plan(train=TINY).changed(precision=precision), 100, 20)
    said = f"this processor emulates {precision}: train.precision=float32 takes far less time\n"
    assert capsys.readouterr().err == (said if told else "")


def test_a_batch_that_does_not_fit_is_halved(monkeypatch):
    tried = []

    def measured(plan):
        tried.append(plan.train.batch_size)
        if plan.train.batch_size > 1:
            raise MemoryError
        return 1.0, 1.0, 1.0

    monkeypatch.setattr(measuring, "_seconds_a_photo", measured)
    assert forecast(Plan(train=TINY), 10, 0)[0] == 30
    assert tried == [4, 2, 1]


@pytest.mark.slow
def test_two_batches_are_timed_and_the_whole_is_said(workspace, monkeypatch, capfd):
    photos = PHOTOS.read(workspace.photos)
    say_how_long({"tiny": Plan(train=TINY)}, photos)
    assert capfd.readouterr().err == ""  # of so few photos, nothing is
    monkeypatch.setattr(stage, "FEW", 10)
    monkeypatch.setattr(timing, "TOLD", 0.0)
    monkeypatch.setattr(timing, "LONG", 0.0)
    plans = {"tiny": Plan(train=TINY), "none": Plan(train=TINY.model_copy(update={"backbone": "no"}))}
    say_how_long(plans, photos, networks=5)
    told = capfd.readouterr().err
    assert re.search(r"^tiny: about \d", told, re.MULTILINE)
    assert "how long none takes cannot be told: " in told
    assert re.search(r"^training 5 networks on \d+ photos: about .* on this CPU$", told, re.MULTILINE)
    assert "in less time: a GPU, a smaller network" in told


def test_networks_that_are_trained_side_by_side_take_as_long_as_their_turns(workspace, monkeypatch, capsys):
    monkeypatch.setattr(stage, "FEW", 10)
    photos = PHOTOS.read(workspace.photos)
    say_how_long({"tiny": Plan(train=TINY)}, photos, 5, at_once=2, timed=lambda *_: (1200.0, True))
    assert re.search(
        r"training 5 networks on \d+ photos, 2 at once: about 1 h on these GPUs", capsys.readouterr().err
    )


@pytest.mark.parametrize("many", [True, False])
def test_predictions_that_take_long_are_announced(many, workspace, monkeypatch, capfd):
    monkeypatch.setattr(predict, "BATCH", 2)
    monkeypatch.setattr(timing, "TOLD", 0.0)
    names = [f"test_kaggle/{i}.jpg" for i in range(10 if many else 4)]
    predict.predict_photos(load_bundle(workspace.bundle("tiny")), workspace.raw, names)
    told = capfd.readouterr().err
    assert told.startswith("classifying 10 photos: about ") if many else told == ""
