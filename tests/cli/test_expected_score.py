"""What a model will score, as commands tell it."""

import json

import numpy as np
import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.tables import holdout_table
from fercomp.modeling.bundle.card import HOLDOUT
from fercomp.stages.expected import expected_score


def test_answers_to_the_test_photos_move_it(workspace, fercomp):
    assert fercomp("predict", "--model", "tiny")[0] == 0
    holdout = holdout_table(EMOTIONS).read(workspace.bundle("tiny") / HOLDOUT)
    said = holdout[list(EMOTIONS)].to_numpy().argmax(axis=1)
    right = holdout["emotion"].map(EMOTIONS.index).to_numpy() == said
    one = said == said[0]
    path = workspace.test_probabilities("tiny")
    table = pd.read_csv(path)
    table[list(EMOTIONS)] = np.eye(9)[said[0]]
    table.to_csv(path, index=False)
    found = expected_score(workspace.bundle("tiny"), workspace)
    assert found.shift == pytest.approx(right[one].mean() - right.mean())


def test_evaluate_and_models_say_it(workspace, fercomp, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, err = fercomp("evaluate", "--model", "tiny")
    assert code == 0, err
    assert "in 90 % of the cases" in out and "on the public 30 % of 20 test photos" in out
    code, out, err = fercomp("models")
    assert code == 0, err
    assert "in 9 of 10" in out
    rows = json.loads(fercomp("models", "--json")[1])
    assert rows[0]["private_low"] < rows[0]["accuracy"] < rows[0]["private_high"]
