"""The list of models: what it says, in which order, and what it leaves out."""

import io
import json
import math
import os
import time
from functools import partial

import pytest
from rich.console import Console

from fercomp.core import terminal
from fercomp.core.paths import Workspace
from fercomp.decisions.metrics import wilson_interval
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.report.model_table import ModelRow, models_table
from fercomp.stages.models import list_models


@pytest.fixture
def two(tmp_path, write_model, monkeypatch):
    """A workspace with the models `older` and `newer`, the current folder."""
    workspace = Workspace(tmp_path)
    scores = {"n": 200, "accuracy": 0.5, "macro_f1": 0.4}
    for age, name in ((100, "older"), (50, "newer")):
        folder = write_model(workspace.bundle(name), backbone="compact", scores=scores)
        os.utime(folder / "card.json", (time.time() - age,) * 2)
    monkeypatch.chdir(tmp_path)
    return Workspace()


def write_csv(workspace, name, age=0):
    workspace.submissions.mkdir(exist_ok=True)
    workspace.submission(name).write_text("image_path,emotion\n")
    os.utime(workspace.submission(name), (time.time() - age,) * 2)


def row_of(workspace, name):
    return next(row for row in list_models(workspace) if row.model == name)


def test_the_newest_comes_first_and_the_shipped_ones_last(two):
    rows = list_models(two)
    assert [row.model for row in rows] == ["newer", "older", "shipped", "shipped-large"]
    row, shipped = rows[0], rows[2]
    assert (row.accuracy, row.macro_f1, row.photos, row.backbone) == (0.5, 0.4, 200, "compact")
    assert (row.accuracy_low, row.accuracy_high) == wilson_interval(0.5, 200)
    size = sum(path.stat().st_size for path in (two.bundle("newer") / "graph").iterdir())
    assert row.megabytes == size / 1e6
    assert (row.csv, row.before_refit, shipped.before_refit) == ("", False, True)
    graphs = sum(path.stat().st_size for path in CAME_ALONG["shipped"].rglob("graph.*"))
    assert shipped.megabytes == graphs / 1e6


def test_a_range_at_kaggle_is_told_of_models_scored_on_its_photos_alone(two, monkeypatch):
    monkeypatch.setattr("fercomp.stages.models._tests", lambda workspace: 100)
    assert 0.3 < row_of(two, "newer").private_low < 0.5 < row_of(two, "newer").private_high < 0.7
    shipped = row_of(two, "shipped")
    assert shipped.accuracy > 0.5
    assert math.isnan(shipped.private_low)


def test_a_csv_is_there_or_older_than_its_model(two):
    write_csv(two, "newer")
    write_csv(two, "older", age=200)
    assert [row.csv for row in list_models(two)] == ["yes", "old", "", ""]


def test_speed_is_what_bench_measured_of_this_very_model(two):
    header = "model,backbone,runtime,parameters,megabytes,accuracy,macro_f1,kaggle_public,kaggle_private,"
    header += "ms_per_face,images_per_second,keeps_25_fps,problem\n"
    lines = "newer,,,,,,,,,1.25,,,\nolder,,,,,,,,,3,,,\ngone,,,,,,,,,,,,failed\n"
    (two.models / "bench.csv").write_text(header + lines)
    assert row_of(two, "newer").ms_per_face == 1.25
    os.utime(two.models / "bench.csv", (time.time() - 75,) * 2)
    assert row_of(two, "older").ms_per_face == 3
    assert math.isnan(row_of(two, "newer").ms_per_face)


def test_the_best_public_score_is_shown(two, fercomp):
    two.submissions.mkdir()
    two.history.write_text("experiment,public,private\nnewer,0.51,\nnewer,0.53,0.49\n")
    assert row_of(two, "newer").public == 0.53
    code, out, err = fercomp("models")
    assert (code, err) == (0, "")
    assert "0.53000" in out


def test_what_is_damaged_is_told_and_left_out(two, fercomp):
    (two.bundle("older") / "card.json").write_text("{")
    (two.bundle("newer") / "graph" / "graph.bin").unlink()
    code, out, err = fercomp("models", "--json")
    assert code == 0
    assert err.count("\n") == 1 and "left out: models/older/card.json is damaged" in err
    rows = json.loads(out)
    assert [row["model"] for row in rows] == ["newer", "shipped", "shipped-large"]
    assert rows[0]["megabytes"] is None


def test_json_has_all_and_the_table_says_what_marks_mean(two, fercomp, write_model):
    write_csv(two, "older", age=200)
    rows = json.loads(fercomp("models", "--json")[1])
    assert rows[1]["made"] < rows[0]["made"]
    assert rows[1]["csv"] == "old" and rows[1]["accuracy_low"] == pytest.approx(0.4314, abs=1e-4)
    write_model(two.bundle("bare"))
    code, out, err = fercomp("models")
    assert (code, err) == (0, "")
    assert "0.5962*" in out and "0.579-0.613" in out
    assert "* scored before its last training, which used the holdout too" in out
    assert "never scored on a holdout: bare\n" in out
    assert "old: the CSV is older than the model" in out


def test_a_name_shows_the_model_card(two, fercomp, monkeypatch):
    code, out, err = fercomp("models", "newer")
    assert (code, err) == (0, "")
    assert out.startswith("# newer\n") and "| holdout accuracy | 0.5000 (95 % interval 0.431 to 0.569" in out
    screen = partial(Console, force_terminal=True, color_system=None, width=70)
    monkeypatch.setattr(terminal, "console", screen)
    code, out, err = fercomp("models", "newer")
    assert (code, err) == (0, "")
    assert "newer" in out and "holdout accuracy" in out and "# newer" not in out and "| holdout" not in out
    assert max(map(len, out.splitlines())) <= 70
    code, out, err = fercomp("models", "newr")
    assert (code, out, err.count("\n")) == (1, "", 1) and "did you mean newer" in err


def test_without_a_model_of_ones_own(tmp_path, monkeypatch, fercomp):
    monkeypatch.chdir(tmp_path)
    code, out, err = fercomp("models")
    assert (code, err) == (0, "")
    assert out.endswith("none of your own in models yet\nNext: fercomp train\n")


@pytest.mark.parametrize(
    ("width", "left_out"),
    [
        (200, ""),
        (85, "11.6"),
        (80, "11.6 7.3"),
        (60, "11.6 7.3 efficientnet_lite0"),
        (45, "11.6 7.3 efficientnet_lite0 0.4682 yes"),
        (35, "11.6 7.3 efficientnet_lite0 0.4682 yes 0.60123"),
    ],
)
def test_the_table_fits_by_leaving_out_columns(width, left_out):
    scores = (0.5962, 0.579, 0.613, 3088, 0.4682)
    row = ModelRow("my-model", "efficientnet_lite0", "2026", *scores, 11.6, 7.3, "yes", 0.60123)
    console = Console(width=width, file=io.StringIO())
    console.print(models_table([row], console))
    lines = console.file.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    cells = ("my-model", row.backbone, "0.5962", "0.579-0.613", "0.4682", "11.6", "7.3", "yes", "0.60123")
    assert lines[-2].split() == [cell for cell in cells if cell not in left_out.split()]
