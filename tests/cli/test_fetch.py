import zipfile

import pytest
from typer import Typer
from typer.testing import CliRunner

from fercomp.cli.fetch import fetch
from fercomp.core.errors import FercompError

app = Typer()
app.command()(fetch)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in (
            "train.csv",
            "sample_submission.csv",
            "train/sad/0.jpg",
            "test_kaggle/0.jpg",
            "test_kaggle/1.jpg",
        ):
            file.writestr(name, "x")
    return path


def test_source_overrides_params_and_says_what_is_next(archive):
    result = CliRunner().invoke(app, ["--source", "files.zip", "--set", "fetch.source=nowhere"])
    assert result.exit_code == 0, result.output
    assert result.output == (
        "files.zip: 1 training and 2 test photos in datasets/raw\nNext: fercomp prepare\n"
    )
    assert (archive.parent / "datasets" / "raw" / "train.csv").is_file()


def test_the_source_is_read_from_params_and_set(archive):
    (archive.parent / "params.yaml").write_text("fetch:\n  source: nowhere.zip\n")
    result = CliRunner().invoke(app, [])
    assert isinstance(result.exception, FercompError)
    assert "unknown source 'nowhere.zip'" in str(result.exception)
    assert CliRunner().invoke(app, ["--set", "fetch.source=files.zip"]).exit_code == 0


def test_an_empty_source_is_not_the_default(archive):
    result = CliRunner().invoke(app, ["--source", ""])
    assert isinstance(result.exception, FercompError)


def test_the_default_never_draws_the_demo_over_real_files(archive):
    runner = CliRunner()
    runner.invoke(app, ["--source", "files.zip"])
    result = runner.invoke(app, [])
    assert result.exit_code == 0, result.output
    assert "1 training and 2 test photos in datasets/raw\nthey are kept" in result.output
    assert not (archive.parent / "datasets/raw/README.txt").exists()


@pytest.mark.slow
def test_the_demo_by_name_takes_the_place_of_anything(archive):
    runner = CliRunner()
    runner.invoke(app, ["--source", "files.zip"])
    result = runner.invoke(app, ["--source", "demo"])
    assert "540 training and 180 test photos" in result.output
    assert "kept" not in result.output


def test_the_default_never_draws_the_demo_over_files_that_are_not_whole(archive):
    raw = archive.parent / "datasets/raw"
    (raw / "train/anger").mkdir(parents=True)
    (raw / "train/anger/mine.jpg").write_bytes(b"x")
    result = CliRunner().invoke(app, [])
    assert isinstance(result.exception, FercompError)
    assert (
        "other files than the demo's, which would take their place, and lacks train.csv, sample_sub"
        in str(result.exception)
    )
    assert [path.name for path in raw.rglob("*") if path.is_file()] == ["mine.jpg"]
