"""How long trainings take, said before they begin."""

import re

import openvino
import pytest

from fercomp.core import timing
from fercomp.core.params import InferenceParams, MachineParams, Params, Plan, TrainParams
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle import predict
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.training import forecast as measuring
from fercomp.modeling.training.forecast import forecast
from fercomp.stages import forecast as stage
from fercomp.stages.bench import bench
from fercomp.stages.crossval import cross_validate
from fercomp.stages.forecast import say_how_long
from fercomp.stages.refit import refit
from fercomp.stages.study import run_study
from fercomp.stages.train import train_experiment

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
    assert "in less time: a GPU (Kaggle lends one: --on kaggle), a smaller network" in told


def test_networks_that_are_trained_side_by_side_take_as_long_as_their_turns(workspace, monkeypatch, capsys):
    monkeypatch.setattr(stage, "FEW", 10)
    photos = PHOTOS.read(workspace.photos)
    say_how_long({"tiny": Plan(train=TINY)}, photos, 5, at_once=2, timed=lambda *_: (1200.0, True))
    assert re.search(
        r"training 5 networks on \d+ photos, 2 at once: about 1 h on these GPUs", capsys.readouterr().err
    )


def test_it_depends_on_the_work_whether_anything_is_said(workspace, monkeypatch):
    photos, asked = PHOTOS.read(workspace.photos), []

    def timed(plan, train, holdout):
        asked.append((train, holdout))
        return 0.0, False

    train, holdout, test = (int((photos["split"] == split).sum()) for split in ("train", "holdout", "test"))
    one_view = Plan(train=TINY, inference=InferenceParams(views=False, flip=False))
    monkeypatch.setattr(
        stage, "FEW", 6 * (3 * train + holdout) + 2 * holdout
    )  # three epochs, and of the head
    say_how_long({"tiny": one_view}, photos, timed=timed)
    assert asked == []
    say_how_long({"tiny": Plan(train=TINY)}, photos, timed=timed)  # nine views
    say_how_long({"tiny": one_view}, photos, networks=2, timed=timed)
    assert asked == [(train, holdout)] * 2
    with_tests = one_view.changed(teacher="tiny", test_photos=True, epochs=30)
    say_how_long({"tiny": with_tests, "few": one_view.changed(photos=9)}, photos, timed=timed)
    assert asked[2:] == [(train + test, holdout), (9, holdout)]


class Said(Exception):
    """How long it takes was said: nothing has to be trained."""


@pytest.mark.parametrize("stage_of", ["train", "refit", "crossval", "study", "bench"])
def test_whatever_trains_says_before_how_long_it_takes(stage_of, workspace, monkeypatch):
    told = []

    def say(plans, photos, networks=1):
        told.append((list(plans), set(photos["split"]), networks))
        raise Said

    monkeypatch.setattr(f"fercomp.stages.{stage_of}.say_how_long", say)
    params = Params.model_validate({"experiments": {"one": {"size": 32}, "compact": {"size": 32}}})
    trainings = {
        "train": lambda: train_experiment("one", Plan(train=TINY), workspace),
        "refit": lambda: refit(workspace.bundle("tiny"), "again", workspace, MachineParams()),
        "crossval": lambda: cross_validate("cv", Plan(train=TINY), workspace),
        "study": lambda: run_study(params, workspace),
        "bench": lambda: bench(["compact"], [], params, workspace),
    }
    with pytest.raises(Said):
        trainings[stage_of]()
    (plans, splits, networks), folds = (
        told[0],
        PHOTOS.read(workspace.photos).query("split == 'train'")["fold"],
    )
    names = {"train": ["one"], "refit": ["again"], "crossval": ["cv"], "study": ["one", "compact"]}
    assert plans == names.get(stage_of, ["bench-compact"])
    assert ("holdout" in splits) == (stage_of != "refit")
    assert networks == (folds.nunique() if stage_of == "crossval" else 1)


@pytest.mark.parametrize("many", [True, False])
def test_predictions_that_take_long_are_announced(many, workspace, monkeypatch, capfd):
    monkeypatch.setattr(predict, "BATCH", 2)
    monkeypatch.setattr(timing, "TOLD", 0.0)
    names = [f"test_kaggle/{i}.jpg" for i in range(10 if many else 4)]
    predict.predict_photos(load_bundle(workspace.bundle("tiny")), workspace.raw, names)
    told = capfd.readouterr().err
    assert told.startswith("classifying 10 photos: about ") if many else told == ""
