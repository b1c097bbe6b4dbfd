import json

import pytest

pytestmark = pytest.mark.usefixtures("shallow")


@pytest.mark.slow
def test_a_model_is_trained_once_more_and_predicts(workspace, fercomp):
    code, out, err = fercomp("refit", "tiny")
    assert code == 0, err
    assert out.startswith("models/tiny-refit: learned from 72 photos")
    assert "holdout" not in err
    assert (
        json.loads((workspace.bundle("tiny-refit") / "card.json").read_text())["trained"]["refit_of"]
        == "tiny"
    )
    assert fercomp("predict", "--model", "tiny-refit")[0] == 0
    code, out, err = fercomp("evaluate", "--model", "tiny-refit")
    assert code == 0, err
    assert "scores before `fercomp refit`" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("tine",), "did you mean tiny"),
        (("shipped",), "is an ensemble: refit its networks"),
        (("tiny", "--name", "tiny"), "would take the place"),
        (("tiny", "--name", "shipped"), "came with fercomp"),
    ],
)
def test_mistakes_are_one_line(workspace, fercomp, words, told):
    code, out, err = fercomp("refit", *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert told in err


def test_one_of_several_processes_is_told_that_it_works_alone(workspace, fercomp, monkeypatch):
    for name, value in (("JOB_ADDRESSES", "127.0.0.1:9"), ("NUM_PROCESSES", "2"), ("PROCESS_ID", "1")):
        monkeypatch.setenv(f"KERAS_DISTRIBUTION_{name}", value)
    code, _, err = fercomp("refit", "nobody")
    assert code == 1
    assert "refit does not share its work with other processes" in err
