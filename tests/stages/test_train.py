"""What is trained already stays, whatever is done with it and whatever machine it is trained on."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import InferenceParams, MachineParams, Plan, TrainParams, load_params
from fercomp.core.tables import PHOTOS, holdout_table, pred_probs
from fercomp.modeling.bundle.card import (
    CARD,
    DECISION,
    GRAPH_WEIGHTS,
    HISTORY_FILE,
    HOLDOUT,
    KERAS_MODEL,
    read_card,
)
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.model_card import MODEL_CARD
from fercomp.modeling.bundle.predict import predict_photos
from fercomp.modeling.training import fit as fitting
from fercomp.modeling.training import loop
from fercomp.stages.refit import refit
from fercomp.stages.train import alone, is_trained, train_experiment
from tests.make_tiny import PARAMS

TRAIN = load_params(Path("no params.yaml"), PARAMS).train  # as the model `tiny` was trained
ANOTHER_USE = InferenceParams(margin=0.2, flip=False, views=False, precision="float16")
ANOTHER_MACHINE = MachineParams(cache_gb=0.0, workers=1)
pytestmark = pytest.mark.usefixtures("shallow")


@pytest.fixture
def untrained(monkeypatch):
    """Lets every training fail."""

    def never(*arguments, **named):
        raise AssertionError("a network is trained")

    monkeypatch.setattr(fitting, "fit", never)


def contents(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def changed_files(folder, before):
    after = contents(folder)
    return {path for path in before if after[path] != before[path]}


def said_of(card):
    """What a card says of its network, whatever version wrote it, and whatever processor rounded."""
    said = card.model_dump(exclude={"format", "files"})
    return {**said, "graph": {**said["graph"], "largest": pytest.approx(said["graph"]["largest"], abs=1e-5)}}


def as_before(folder):
    """Writes a bundle as the first version of fercomp did."""
    card = json.loads((folder / CARD).read_text())
    used, params = card["trained"].pop("inference"), card["trained"]["params"]
    del params["recipe"]
    params |= {
        "margin": used["margin"],
        "flip_average": used["flip"],
        "view_average": used["views"],
        "compress": used["precision"] == "float16",
        "memory_gb": 2.0,
    }
    (folder / CARD).write_text(json.dumps(card))
    (folder / HOLDOUT).rename(folder / "holdout.csv")


@pytest.mark.slow
def test_a_checkpoint_goes_on_on_another_machine_and_for_another_use(workspace, monkeypatch, capfd):
    class Stop(Exception):
        pass

    def stop_after_one(text):
        if text.startswith("epoch 1"):
            raise Stop

    plan = Plan(train=TrainParams(size=32, epochs=2, batch_size=16))
    with monkeypatch.context() as context, pytest.raises(Stop):
        context.setattr(loop, "say", stop_after_one)
        train_experiment("mine", plan, workspace)
    assert (workspace.training / "mine.npz").is_file()
    changed = Plan(train=plan.train, inference=ANOTHER_USE, machine=ANOTHER_MACHINE)
    card = train_experiment("mine", changed, workspace)
    said = capfd.readouterr().err
    assert "going on after epoch 1 of an earlier run" in said
    assert "epoch 2 (training 2/2)" in said
    assert re.search(r"holdout 0\.\d{3} \((the best so far|best 0\.\d{3} in epoch 1)\), \d+ s\n", said)
    assert "epoch 1 (training 1/2): loss" not in said
    assert (card.margin, card.flip, card.views) == (0.2, False, False)
    assert not (workspace.training / "mine.npz").exists()


def test_a_second_process_that_trains_the_same_is_told(workspace):
    told = pytest.raises(FercompError, match="another process trains new: wait for its end")
    with alone("new", workspace), told:
        train_experiment("new", Plan(train=TRAIN), workspace)
    assert not workspace.bundle("new").exists()
    assert list(workspace.training.iterdir()) == []


def test_what_is_trained_is_not_trained_again(workspace, untrained, capfd):
    folder = workspace.bundle("tiny")
    before = contents(folder)
    card = train_experiment("tiny", Plan(train=TRAIN, machine=ANOTHER_MACHINE), workspace)
    assert card == read_card(folder)
    assert contents(folder) == before
    assert "trained with these parameters on these photos already" in capfd.readouterr().err


@pytest.mark.slow
def test_another_use_of_a_network_is_exported_calibrated_and_scored(workspace, untrained, capfd):
    folder, raw = workspace.bundle("tiny"), workspace.raw
    before, old = contents(folder), read_card(folder)
    (folder / DECISION).write_text('{"fitted_on": "holdout_probs.csv", "scores": {"accuracy": 0.5}}')
    card = train_experiment("tiny", Plan(train=TRAIN, inference=ANOTHER_USE), workspace)
    assert "exporting, calibrating and scoring it anew" in capfd.readouterr().err
    assert card == read_card(folder)
    assert (card.margin, card.flip, card.views) == (0.2, False, False)
    assert card.trained == {**old.trained, "inference": ANOTHER_USE.model_dump()}
    changed = changed_files(folder, before)
    assert changed >= {CARD, HOLDOUT, GRAPH_WEIGHTS}
    assert not changed & {KERAS_MODEL, HISTORY_FILE}
    assert (folder / GRAPH_WEIGHTS).stat().st_size < 0.6 * len(before[GRAPH_WEIGHTS])
    # The decision was fitted on what the network said before.
    assert not (folder / DECISION).exists()
    table = holdout_table(card.classes).read(folder / HOLDOUT)
    said = predict_photos(load_bundle(folder), raw, table["image_path"].tolist())
    np.testing.assert_allclose(pred_probs(table), said, atol=1e-5)
    # Back again, and all is as it was.
    assert said_of(train_experiment("tiny", Plan(train=TRAIN), workspace)) == said_of(old)
    assert changed_files(folder, before) <= {CARD, "model-card.md"}  # the same card in prose


def test_by_force_or_with_other_parameters_it_is_trained(workspace, monkeypatch):
    trained = []
    monkeypatch.setattr("fercomp.stages.train.Training.fit", lambda training: training.target.name)
    monkeypatch.setattr("fercomp.stages.train.Training.write", lambda _, name: trained.append(name))
    train_experiment("tiny", Plan(train=TRAIN), workspace, anew=True)
    train_experiment("tiny", Plan(train=TRAIN).changed(recipe=TRAIN.recipe + 1), workspace)
    train_experiment("tiny", Plan(train=TRAIN).changed(seed=1), workspace)
    (workspace.bundle("tiny") / KERAS_MODEL).unlink()  # nothing to export another use from
    train_experiment("tiny", Plan(train=TRAIN), workspace)
    assert trained == ["tiny"] * 4


def test_a_bundle_of_the_first_version_counts_as_trained(workspace, untrained):
    folder = workspace.bundle("tiny")
    before, card = contents(folder), read_card(folder)
    as_before(folder)
    assert is_trained(folder, Plan(train=TRAIN), PHOTOS.read(workspace.photos), workspace)
    assert said_of(train_experiment("tiny", Plan(train=TRAIN), workspace)) == said_of(card)
    assert contents(folder).keys() == before.keys() | {
        MODEL_CARD
    }  # its table of the holdout has today's name
    assert changed_files(folder, before) == {CARD}


@pytest.mark.slow
def test_a_refit_of_the_first_version_and_its_repetition(workspace, monkeypatch, capfd):
    folder, target = workspace.bundle("tiny"), workspace.bundle("all")
    shutil.copytree(folder, workspace.bundle("first"))
    as_before(workspace.bundle("first"))
    machine = MachineParams()
    card = refit(workspace.bundle("first"), "all", workspace, machine)
    assert card.trained["params"] == read_card(folder).trained["params"]
    assert len(pd.read_csv(target / HISTORY_FILE)) == sum(card.trained["epochs"].values())
    before = contents(target)

    def never(*arguments, **named):
        raise AssertionError("a network is trained")

    monkeypatch.setattr(fitting, "fit", never)
    assert refit(workspace.bundle("first"), "all", workspace, machine) == card
    assert contents(target) == before
    assert "trained with these parameters on these photos already" in capfd.readouterr().err
    # The network that it repeats is decided in another way: the refit takes that over without training.
    decision = {"bias": [0.1] * 9, "fitted_on": HOLDOUT, "scores": {"accuracy": 0.5}}
    (workspace.bundle("first") / DECISION).write_text(json.dumps(decision))
    assert refit(workspace.bundle("first"), "all", workspace, machine).bias == (0.1,) * 9
    assert changed_files(target, before) == {CARD, MODEL_CARD}
    with pytest.raises(AssertionError, match="a network is trained"):
        refit(workspace.bundle("first"), "all", workspace, machine, anew=True)
