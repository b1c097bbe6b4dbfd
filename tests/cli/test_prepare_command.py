"""`fercomp prepare`: two tables and a summary."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from fercomp.cli.prepare import prepare
from fercomp.core.errors import FercompError
from fercomp.core.tables import PHOTOS, PROBLEMS

app = typer.Typer()
app.command()(prepare)


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Path:
    """Six angry and three sad photos, one of them broken, and two test photos."""
    monkeypatch.chdir(tmp_path)
    raw = tmp_path / "datasets" / "raw"
    rng = np.random.default_rng(0)
    names = [f"train/anger/{i}.jpg" for i in range(6)] + [f"train/sad/{i}.jpg" for i in range(3)]
    for name in [*names, "test_kaggle/0.jpg", "test_kaggle/1.jpg"]:
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        noise = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        noise.resize((32, 32)).save(raw / name)
    (raw / "train/sad/0.jpg").write_bytes(b"")
    table = pd.DataFrame({"image_path": names, "emotion": [name.split("/")[1] for name in names]})
    table.to_csv(raw / "train.csv")
    sample = pd.DataFrame({"image_path": ["0.jpg", "1.jpg"], "emotion": "neutral"})
    sample.to_csv(raw / "sample_submission.csv", index=False)
    return tmp_path


def test_writes_both_tables_and_says_what_it_found(workspace):
    result = CliRunner().invoke(app, ["--set", "prepare.folds=4", "--set", "prepare.holdout=0.3"])
    assert result.exit_code == 0, result.output
    photos = PHOTOS.read(workspace / "datasets" / "photos.csv")
    problems = PROBLEMS.read(workspace / "datasets" / "problems.csv")
    assert len(photos) == 10
    assert photos["fold"].max() == 3
    assert problems["reason"].tolist() == ["empty"]
    assert "1 empty" in result.output
    assert "have none of: sad (2)\n" in result.output  # nor of classes that the competition does not have
    assert "anger" in result.output
    assert "Next: fercomp train" in result.output
    # 0.001 of these photos is none.
    result = CliRunner().invoke(app, ["--set", "prepare.holdout=0.001"])
    assert result.exit_code == 0, result.output
    assert (
        "warning: no photo is in holdout, which `fercomp train` needs: change prepare.holdout"
        in result.output
    )
    assert "Next:" not in result.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            (),
            "recompressed copies of a labelled photo: 1, and 1 of them have another label than the original "
            "(of other copies, 0 of 0); too few to tell, so their labels are used\n",
        ),
        (("--set", "prepare.recompressed=count"), "of other copies, 0 of 0); their labels are used\n"),
        (("--set", "prepare.recompressed=ignore"), "of other copies, 0 of 0); their labels are not used\n"),
    ],
)
def test_says_what_becomes_of_recompressed_copies(workspace, options, words):
    raw = workspace / "datasets" / "raw"
    assert "recompressed" not in CliRunner().invoke(app, []).output
    Image.open(raw / "train/anger/0.jpg").save(raw / "train/sad/1.jpg", quality=30)
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    assert words in result.output
    assert PHOTOS.read(workspace / "datasets" / "photos.csv")["recompressed"].sum() == ("not used" in words)


def test_ctrl_c_and_errors_leave_the_old_tables(workspace, monkeypatch):
    runner = CliRunner()
    assert runner.invoke(app, []).exit_code == 0
    old = {path: path.read_bytes() for path in (workspace / "datasets").glob("*.csv")}
    assert len(old) == 2

    def interrupted(path: Path):
        raise KeyboardInterrupt

    monkeypatch.setattr("fercomp.stages.prepare._photo", interrupted)
    assert runner.invoke(app, ["--set", "prepare.seed=5"]).exit_code == 130
    monkeypatch.undo()
    monkeypatch.chdir(workspace)
    (workspace / "datasets" / "raw" / "train.csv").unlink()
    result = runner.invoke(app, [])
    assert isinstance(result.exception, FercompError)
    assert {path: path.read_bytes() for path in (workspace / "datasets").glob("*.csv")} == old
    assert not list((workspace / "datasets").glob(".*"))
