"""A workspace that an earlier version has written goes on without a word."""

import json
from pathlib import Path

import pytest

from fercomp.core.csv_table import FORMER_NAMES
from fercomp.modeling.bundle.card import DECISION


def answers(fercomp):
    """What the cheap commands say and write of a model that was trained and has predicted before."""
    said = []
    for command in ("evaluate", "submission"):
        code, out, err = fercomp(command, "--model", "tiny")
        assert code == 0, err
        said += [out, err]
    files = [
        Path(path).read_bytes()
        for path in ("models/tiny/metrics.json", "models/tiny/confusion.csv", "submissions/tiny.csv")
    ]
    return said, files


@pytest.mark.slow
def test_tables_of_an_earlier_version_are_read(workspace, fercomp):
    for command in ("uncertain", "predict"):
        assert fercomp(command, "--model", "tiny")[0] == 0
    folder = workspace.bundle("tiny")
    # A bias that changes answers, so that it matters whether it is known to be fitted on the holdout.
    decision = json.loads((folder / DECISION).read_text())
    bias = [0.5, *[0.0] * 8]
    (folder / DECISION).write_text(json.dumps({**decision, "threshold": None, "bias": bias}))
    now = answers(fercomp)
    for name, former in FORMER_NAMES.items():
        (folder / name).rename(folder / former)
    text = (folder / DECISION).read_text()
    assert "holdout_probs.csv" in text
    (folder / DECISION).write_text(text.replace("holdout_probs.csv", "holdout.csv"))
    assert answers(fercomp) == now
    assert not (folder / "test_probs.csv").exists(), "nothing was renamed behind the user's back"
    code, _, err = fercomp("predict", "--model", "tiny")
    assert code == 0, err
    assert (folder / "test_probs.csv").read_bytes() == (folder / "test.csv").read_bytes()
