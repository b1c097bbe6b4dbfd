"""What somebody made by hand is there after `dvc exp run` and `dvc repro`, to the last byte."""

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

PARAMS = """
fetch: {source: demo}
prepare: {folds: 2}
train: {size: 32, epochs: 2, batch_size: 32}
inference: {views: false}
machine: {}
relabel: {}
uncertain: {score: probability}
predict: {}
experiments: {compact: {backbone: compact}}
relabelled: {}
students: {}
ensembles: {}
refits: {}
"""


def contents(*folders):
    return {
        path: path.read_bytes()
        for folder in folders
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def edit_docstring(path):
    text = Path(path).read_text()
    assert text.startswith('"""')
    Path(path).write_text('"""Said in other words. ' + text[3:])


def test_work_of_hours_and_hands_survives(clone, run, commands):
    clone(PARAMS)
    for words in (("prepare",), ("train", "--name", "compact"), ("crossval",), ("relabel",)):
        run("fercomp", *words)
    by_hand = contents("models/compact", "models/crossval", "datasets/relabel")
    by_hand[Path("datasets/labels.csv")] = Path("datasets/labels.csv").read_bytes()
    assert len(by_hand) > 12

    def lost():
        return [
            path for path, content in by_hand.items() if not path.is_file() or path.read_bytes() != content
        ]

    run("dvc", "exp", "run", "-S", "uncertain.score=margin")  # dvc.lock knows of nothing
    assert lost() == []
    run("dvc", "repro")
    assert lost() == []

    run("dvc", "plots", "show")
    page = Path("dvc_plots/index.html").read_text()
    assert "models/compact/history.png" in page
    assert "<script" not in page and "http" not in page, "it needs no network"

    # What costs hours runs again for none of the code, what is cheap for that of its rooms.
    edit_docstring("fercomp/modeling/training/fit.py")
    edit_docstring("fercomp/stages/train.py")
    edit_docstring("fercomp/stages/predicting/predict.py")
    assert json.loads(run("dvc", "status", "--json", "dvc.yaml")) == {}
    edit_docstring("fercomp/decisions/metrics.py")
    changed = json.loads(run("dvc", "status", "--json", "dvc.yaml"))
    assert set(changed) == {f"{name}@compact" for name in ("uncertain", "evaluate", "submission")}

    run("dvc", "exp", "run", "-S", "train.epochs=1")
    anew = {path for path in by_hand if path.parts[:2] == ("models", "compact")}
    assert set(lost()) <= anew, "what the experiment trains by its own parameters is its own"
    Path("params.yaml").write_text(PARAMS)
    run("dvc", "repro")
    assert lost() == [], "the same parameters give the same bytes"

    # A stage that never ran is told that what was made by hand is its result.
    stage = "pipelines/labels/dvc.yaml:crossval"
    assert stage in json.loads(run("dvc", "status", "--json", stage))
    run("dvc", "commit", "--force", stage)
    assert json.loads(run("dvc", "status", "--json", stage)) == {}
    assert lost() == []
