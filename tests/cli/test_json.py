"""`--json`: what programs read is JSON and nothing else, and tables fit terminals."""

import io
import json
import math
from typing import NamedTuple

import pandas as pd
import pytest
from rich.console import Console

from fercomp.cli.words import tell_json
from fercomp.core.text_table import fitting_table, numbers, texts
from fercomp.kaggle.submissions.history import HISTORY_TABLE
from fercomp.kaggle.submissions.merged import Submission
from fercomp.report.submissions import submissions_table


class Ends(NamedTuple):
    low: float
    high: float


def test_what_is_no_number_is_null_and_ranges_have_names(capsys):
    tell_json({"a": [math.nan, 1.5, math.inf], "b": Ends(0.1, math.nan), "c": ("x\x1b[2J", 3)})
    out = capsys.readouterr().out
    assert json.loads(out) == {"a": [None, 1.5, None], "b": {"low": 0.1, "high": None}, "c": ["x\x1b[2J", 3]}
    assert "\x1b" not in out


def test_evaluate(workspace, fercomp):
    code, out, _ = fercomp("evaluate", "--model", "tiny", "--json")
    known = json.loads(out)
    metrics = json.loads((workspace.bundle("tiny") / "metrics.json").read_text())
    assert code == 0
    assert known["model"] == "tiny"
    assert {name: known[name] for name in metrics} == metrics
    assert len(known["classes"]) == 9
    assert known["expected"]["holdout"]["low"] < known["accuracy"] < known["expected"]["holdout"]["high"]


def test_doctor(workspace, fercomp):
    code, out, _ = fercomp("doctor", "--json")
    found = {finding["subject"]: finding for finding in json.loads(out)}
    assert found["model tiny"]["state"] == "ok"
    assert code == any(finding["state"] == "problem" for finding in found.values())
    assert {finding["state"] for finding in found.values()} <= {"ok", "optional", "problem"}


def test_submissions(workspace, fercomp, monkeypatch):
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(workspace.root.absolute()))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(workspace.root.absolute()))
    workspace.submissions.mkdir(exist_ok=True)
    row = dict.fromkeys(HISTORY_TABLE.columns, "") | {"time": "2026-01-02T03:04:05", "public": "0.51"}
    HISTORY_TABLE.write(pd.DataFrame([row | {"file": "t.csv", "experiment": "tiny"}]), workspace.history)
    code, out, err = fercomp("submissions", "--json")
    assert code == 0, err
    (one,) = json.loads(out)
    assert (one["name"], one["public"], one["private"]) == ("tiny", "0.51", "")


@pytest.mark.parametrize("width", [200, 80, 50, 40])
def test_a_table_of_submissions_breaks_no_name(width):
    name, long = "study-relabelled-teacher", "m" * 50
    one = Submission(
        "1", "2026-01-02T03:04:05", name, "someone", "0.61", "0.601", "0.602", "complete", "m" * 50
    )
    console = Console(width=width, file=io.StringIO())
    console.print(submissions_table([one], console))
    lines = console.file.getvalue().splitlines()
    assert name in lines[-2]
    assert len(lines[-2].rstrip()) <= width
    assert (long in lines[-2]) == (width == 200)


def test_columns_go_one_by_one_and_the_rest_is_kept():
    columns, row = texts("name") | numbers("first", "second"), ("n" * 20, "1" * 20, "2" * 20)
    for width, shown in ((100, 3), (50, 2), (25, 1), (10, 1)):
        console = Console(width=width, file=io.StringIO())
        assert len(fitting_table(columns, [row], ("second", "first"), console).columns) == shown
