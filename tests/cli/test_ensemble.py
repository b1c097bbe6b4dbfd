import shutil

import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.tables import PHOTOS, holdout_table
from fercomp.modeling.bundle.card import read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_table


@pytest.fixture
def models(workspace, write_model):
    """The experiments `tiny` and `other`."""
    holdout = PHOTOS.read(workspace.photos).query("split == 'holdout'")
    other = write_model(workspace.bundle("other"), size=24)
    table = predict_table(load_bundle(other), workspace.raw, holdout["image_path"].tolist())
    holdout_table(EMOTIONS).write(
        table.assign(emotion=holdout["emotion"].tolist()), other / "holdout_probs.csv"
    )
    return workspace


@pytest.mark.parametrize("weights", ["equal", pytest.param("fitted", marks=pytest.mark.slow)])
def test_an_ensemble_is_a_model_like_any_other(models, fercomp, weights):
    code, out, err = fercomp("ensemble", "both", "tiny", "other", "--weights", weights)
    assert code == 0, err
    assert "tiny: weight 0." in out
    assert "models/both: holdout accuracy 0." in out
    for command in ("evaluate", "predict", "submission"):  # the model made last
        code, out, err = fercomp(command)
        assert code == 0, err
    assert out.startswith("submissions/both.csv: 20 rows")
    metrics = pd.read_json("models/both/metrics.json", typ="series")
    assert metrics["accuracy"] == load_bundle(models.bundle("both")).card.scores["accuracy"]
    code, out, err = fercomp("annotate", "datasets/raw/test_kaggle", "--detector", "whole", "-m", "both")
    assert code == 0, err
    assert "20 photos: 20 faces" in out


def test_models_that_do_not_fit_are_one_line(models, fercomp):
    shutil.copytree(models.bundle("tiny"), "copy")
    for words, told in (
        (("both", "tiny", "copy"), "two of the networks are called 'tiny'"),
        (("both", "tiny"), "two models or more, got 1"),
        (("both", "tiny", "othr"), "did you mean other"),
        (("tiny", "other", "copy"), "tiny is a trained network"),
        (("a/b", "tiny", "other"), "name 'a/b'"),
    ):
        code, out, err = fercomp("ensemble", *words)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert told in err


def test_an_ensemble_is_replaced_by_force_only(models, fercomp):
    assert fercomp("ensemble", "both", "tiny", "other")[0] == 0
    before = (models.bundle("both") / "card.json").read_bytes()
    words = ("ensemble", "both", "tiny", "other", "--weights", "fitted")
    code, out, err = fercomp(*words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "models/both is an ensemble already, of tiny, other: choose another name, or --force" in err
    assert (models.bundle("both") / "card.json").read_bytes() == before
    assert fercomp(*words, "--force")[0] == 0
    assert read_card(models.bundle("both")).trained["weights"] == "fitted"


def test_an_ensemble_joins_another_model(models, fercomp, write_model):
    assert fercomp("ensemble", "both", "tiny", "other")[0] == 0
    shutil.copytree(models.bundle("other"), models.bundle("third"))
    card = models.bundle("third") / "card.json"
    card.write_text(card.read_text().replace('"other"', '"third"'))
    code, out, err = fercomp("ensemble", "three", "both", "third")
    assert code == 0, err
    assert [line.split(":")[0] for line in out.splitlines()[:3]] == ["tiny", "other", "third"]
    assert out.count("weight 0.333") == 3


def test_what_params_yaml_says_is_joined(models, fercomp):
    text = (
        "experiments: {tiny: {}, other: {}}\nensembles: {both: {members: [tiny, other], weights: fitted}}\n"
    )
    models.params.write_text(text)
    code, out, err = fercomp("ensemble", "both")
    assert code == 0, err
    assert read_card(models.bundle("both")).trained["weights"] == "fitted"
    code, out, err = fercomp("ensemble", "both", "--weights", "equal")
    assert read_card(models.bundle("both")).trained["weights"] == "equal"
    for words, told in (
        (("ensemble", "vote"), "of what is vote made? Type `fercomp ensemble vote MODEL MODEL`, or write it"),
        (("train", "--name", "both"), "both stands under ensembles in params.yaml"),
    ):
        code, out, err = fercomp(*words)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert told in err
