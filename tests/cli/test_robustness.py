"""`fercomp robustness` as a user types it."""

from pathlib import Path

import pytest
from PIL import Image


def test_one_model_has_its_table_its_picture_and_what_costs_most(workspace, fercomp):
    code, out, err = fercomp("robustness", "--model", "tiny")
    assert code == 0, err
    lines = out.splitlines()
    assert "9 holdout photos, changed" in lines[0]
    assert sum(line.startswith(" jpeg") for line in lines) == 3
    (said,) = (line for line in lines if line.startswith("tiny: Accuracy is 0."))
    assert said.count(" with ") == 3
    assert any(line.startswith("each photo answered by one look of the network") for line in lines)
    assert lines[-1] == "models/tiny/robustness.csv and models/tiny/robustness.png"
    code, out, err = fercomp("models", "tiny")
    assert code == 0, err
    assert "## Robustness" in out and "| jpeg | quality 10 | 0." in out


@pytest.mark.slow
def test_two_models_stand_side_by_side(workspace, fercomp, write_model):
    write_model(workspace.bundle("_$other^"), name="other")
    code, out, err = fercomp(
        "robustness", "-m", "tiny", "-m", "_$other^", "-m", "models/tiny", "--photos", "4"
    )
    assert code == 0, err
    lines = out.splitlines()
    assert "4 holdout photos, changed" in lines[0]
    assert lines[2].split() == ["change", "models/tiny", "_$other^"]
    assert len(next(line for line in lines if line.startswith(" cover")).split()) == 9
    assert "other has no holdout_probs.csv and may have learned" in out
    assert "Look at models/robustness.png" in lines
    for path in ("models/robustness.png", "models/tiny/robustness.png", "models/_$other^/robustness.png"):
        with Image.open(path) as picture:
            assert picture.width > 500
    assert Path("models/_$other^/robustness.csv").is_file()


@pytest.mark.parametrize("photos", ["0", "-1", "many"])
def test_a_number_of_photos_that_is_none_is_refused(workspace, fercomp, photos):
    assert fercomp("robustness", "--photos", photos)[0] == 2
    assert not Path("models/tiny/robustness.csv").exists()


def test_a_damaged_table_is_told_and_left_out(workspace, fercomp):
    Path("models/tiny/robustness.csv").write_text("change,strength\nblur,1\n")
    code, out, err = fercomp("models", "tiny")
    assert code == 0, err
    assert "left out: models/tiny/robustness.csv lacks the columns" in err
    assert "Robustness" not in out
    assert fercomp("robustness", "--photos", "2")[0] == 0
    assert "Robustness" in fercomp("models", "tiny")[1]
