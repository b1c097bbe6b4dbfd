"""The study: what it trains, what it does not train again, and its table."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.files import write_json
from fercomp.core.params import load_params
from fercomp.core.paths import Workspace
from fercomp.core.tables import LABELS, PHOTOS, holdout_table, pred_probs
from fercomp.modeling.bundle.card import CARD, HISTORY_FILE, HOLDOUT, KERAS_MODEL, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_table
from fercomp.stages import study
from fercomp.stages import train as experiment
from fercomp.stages.study import run_study

ROOT = Path(__file__).parents[2]
FILE = """
train: {size: 32, epochs: 2, batch_size: 16}
experiments:
  given: {}
  eight: {classes: 8}
  relabelled: {labels: relabelled}
"""


@pytest.fixture
def trained(monkeypatch, write_model):
    """Replaces training, which other tests look at, by models made at once; lists what was trained."""
    names = []

    def train(training, _):
        target, photos, workspace = training.target, training.photos, training.workspace
        params = training.plan.train
        names.append(training.name)
        shutil.rmtree(target, ignore_errors=True)
        folder = write_model(target, classes=params.class_names)
        rows = photos[photos["split"] == "holdout"]
        table = predict_table(load_bundle(folder), workspace.raw, rows["image_path"].tolist())
        table.insert(1, "emotion", rows["emotion"].to_numpy())
        holdout_table(params.class_names).write(table, folder / HOLDOUT)
        for file in (KERAS_MODEL, HISTORY_FILE):
            (folder / file).touch()
        card = json.loads((folder / CARD).read_text())
        used = {"params": params.model_dump(), "inference": training.plan.inference.model_dump()}
        write_json(folder / CARD, {**card, "trained": used | experiment.card_entries(photos, training.data)})

    monkeypatch.setattr(experiment.Training, "fit", lambda _: None)
    monkeypatch.setattr(experiment.Training, "write", train)
    return names


def write_labels(workspace, wrong):
    """Writes suggestions that contradict the given label of each photo whose number is in `wrong`."""
    photos = PHOTOS.read(workspace.photos).query("split != 'test'")
    suggested = [
        EMOTIONS[(EMOTIONS.index(label) + 1) % 9] if i in wrong else label
        for i, label in enumerate(photos["emotion"])
    ]
    shares = dict.fromkeys(EMOTIONS, 1 / 9)
    LABELS.write(photos.assign(suggested=suggested, quality=0.5, reason="", **shares), workspace.labels)
    return photos["image_path"].iloc[list(wrong)].tolist()


@pytest.mark.slow
def test_every_experiment_has_a_row_and_is_trained_once(workspace, trained):
    workspace.study_params.write_text(FILE)
    doubted = write_labels(workspace, range(0, 72, 3))
    params = load_params(workspace.study_params)
    rows = run_study(params, workspace)
    assert [row.experiment for row in rows] == ["given", "eight", "relabelled"]
    assert trained == ["study-given", "study-eight", "study-relabelled"]
    assert not [row.problem for row in rows if row.problem]
    assert run_study(params, workspace) == rows
    assert len(trained) == 3
    for row in rows:
        folder = workspace.bundle(f"study-{row.experiment}")
        classes = read_card(folder).classes
        table = holdout_table(classes).read(folder / HOLDOUT)
        agreed = ~table["image_path"].isin(doubted)
        assert row.agreed_n == agreed.sum()
        assert len(pd.read_csv(row.submission)) == 20
        if classes == EMOTIONS:
            right = np.array(EMOTIONS)[pred_probs(table).argmax(axis=1)] == table["emotion"]
            assert row.accuracy == right.mean()
            assert row.agreed == right[agreed].mean()
    assert (workspace.bundle("study-eight") / "decision.json").is_file()
    assert not (workspace.bundle("study-given") / "decision.json").exists()
    written = pd.read_csv(workspace.models / "study.csv")
    assert written["accuracy"].tolist() == pytest.approx([row.accuracy for row in rows], abs=1e-6)
    with Image.open(workspace.models / "study.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


@pytest.mark.slow
def test_other_labels_or_parameters_train_again(workspace, trained):
    workspace.study_params.write_text(FILE)
    write_labels(workspace, range(0, 72, 3))
    run_study(load_params(workspace.study_params), workspace)
    write_labels(workspace, range(0, 72, 4))
    run_study(load_params(workspace.study_params), workspace)
    assert trained[3:] == ["study-relabelled"]
    run_study(load_params(workspace.study_params, ["train.epochs=3"]), workspace)
    assert len(trained) == 7


def test_votes_of_copies_are_counted_anew(workspace, trained):
    workspace.study_params.write_text("experiments: {given: {}}")
    photos = PHOTOS.read(workspace.photos)
    test = photos.index[photos["split"] == "test"][0]
    label = photos.index[photos["split"] == "train"][0]
    photos.loc[test, "duplicate_group"] = photos.loc[label, "duplicate_group"]
    PHOTOS.write(photos, workspace.photos)
    answers = []
    for votes in ("predict.network_votes=null", "predict.network_votes=0.01"):
        run_study(load_params(workspace.study_params, [votes]), workspace)
        table = pd.read_csv(workspace.test_probabilities("study-given")).set_index("image_path")
        answers.append(table.loc[photos.loc[test, "image_path"], photos.loc[label, "emotion"]])
    assert answers[1] > answers[0] + 0.2
    assert len(trained) == 1


def test_what_is_missing_is_said_first_and_costs_a_row_not_the_study(workspace, trained, fercomp):
    workspace.study_params.write_text(FILE + "  pupil: {teacher: nobody}\n  warm: {weights: no.weights.h5}\n")
    code, out, err = fercomp("study")
    assert code == 1
    said = [line for line in err.splitlines() if "cannot run" in line or line.startswith("1/5")]
    assert [line.split(":")[0] for line in said] == [
        "relabelled cannot run and is left out",
        "pupil cannot run and is left out",
        "warm cannot run and is left out",
        "1/5 given",
    ]
    assert "unknown model 'nobody'" in said[1]
    assert "no.weights.h5 not found" in said[2]
    assert trained == ["study-given", "study-eight"]
    assert "no scores on agreed labels: datasets/labels.csv not found" in err
    assert "relabelled failed: datasets/labels.csv not found: run `fercomp crossval`" in out
    rows = pd.read_csv("models/study.csv").set_index("experiment")
    assert rows.loc[["given", "eight"], "accuracy"].notna().all()
    assert rows["agreed"].isna().all()
    assert "run `fercomp crossval`" in rows.loc["relabelled", "problem"]


def test_all_well_is_exit_code_0_and_no_index_is_one_line(workspace, trained, fercomp):
    workspace.study_params.write_text("experiments: {given: {}}")
    assert fercomp("study")[0] == 0
    workspace.photos.unlink()
    code, out, err = fercomp("study")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "run `fercomp prepare`" in err


def test_scores_of_what_was_sent_are_shown(workspace, trained, monkeypatch):
    workspace.study_params.write_text("experiments: {given: {}}")
    monkeypatch.setattr(study, "kaggle_scores", lambda workspace: {"study-given": (0.6, math.nan)})
    (row,) = run_study(load_params(workspace.study_params), workspace)
    assert row.kaggle_public == 0.6
    assert math.isnan(row.kaggle_private)


def test_without_a_list_of_experiments_there_is_no_study(workspace, fercomp):
    code, _, err = fercomp("study")
    assert code == 1
    assert "params.study.yaml not found" in err
    assert err.count("\n") == 1


def test_the_list_that_comes_with_fercomp_is_valid():
    params = load_params(Workspace(ROOT).study_params)
    plans = {name: params.plan(name).train for name in params.experiments}
    assert plans["eight"].classes == 8
    assert (plans["given"].duplicate_labels, plans["copies"].duplicate_labels) == ("given", "soft")
    assert {plan.labels for plan in plans.values()} == {"given", "relabelled", "weighted"}
    assert {plan.head for plan in plans.values()} == {"emotion", "valence_arousal", "both"}
