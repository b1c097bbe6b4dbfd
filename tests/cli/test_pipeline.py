"""The commands as a user types them, from files to submission, and what they say when something is wrong."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

TINY = ("--set", "train.size=32", "--set", "train.epochs=2", "--set", "train.batch_size=16")
pytestmark = pytest.mark.usefixtures("shallow")


def test_from_photos_to_submission(workspace, fercomp):
    shutil.rmtree(workspace.models)
    for command in (
        ("prepare",),
        ("train", "--name", "mine", *TINY),
        ("uncertain",),
        ("evaluate",),
        ("predict",),
        ("submission",),
    ):
        code, out, err = fercomp(*command)
        assert code == 0, err
    assert out.startswith("submissions/mine.csv: 20 rows")
    submission = pd.read_csv("submissions/mine.csv")
    assert len(submission) == 20
    assert sorted(path.name for path in Path("models/mine").iterdir()) == [
        "card.json",
        "confusion.csv",
        "confusion.png",
        "decision.json",
        "graph",
        "history.csv",
        "history.png",
        "holdout_probs.csv",
        "metrics.json",
        "mistakes.png",
        "model-card.md",
        "model.keras",
        "per_class.csv",
        "per_class.png",
        "reliability.png",
        "test_probs.csv",
        "uncertain.csv",
        "uncertain.png",
    ]
    assert not list(Path("models/.training").iterdir())


@pytest.mark.slow
def test_training_again_gives_the_same_bytes(workspace, fercomp):
    assert fercomp("train", "--name", "tiny", *TINY)[0] == 0
    first = {path: path.read_bytes() for path in Path("models/tiny").rglob("*") if path.is_file()}
    assert fercomp("train", "--name", "tiny", "--force", *TINY)[0] == 0
    assert first == {path: path.read_bytes() for path in Path("models/tiny").rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            ("train", "--backbone", "convnext_xlrge"),
            "unknown backbone 'convnext_xlrge': did you mean convnext_xlarge",
        ),
        (("train", "--set", "train.epoch=3"), "unknown parameter 'train.epoch': did you mean train.epochs"),
        (
            ("train", "--set", "train.epochs=-3"),
            "parameter train.epochs: should be greater than or equal",
        ),
        (("evaluate", "--model", "tinny"), "unknown model 'tinny': did you mean tiny"),
        (("predict", "--model", "datasets"), "datasets has no card.json"),
        (("annotate", "nowhere/"), "nowhere"),
        (("fetch", "--source", "nowhere.zip"), "unknown source 'nowhere.zip'"),
    ],
)
def test_a_mistake_is_one_line(workspace, fercomp, command, message):
    code, out, err = fercomp(*command)
    assert code == 1
    assert message in err
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.parametrize("command", [("train",), ("train", "--on", "kaggle"), ("crossval", "--on", "kaggle")])
def test_a_mistyped_backbone_is_told_before_whatever_else_is_missing(tmp_path, monkeypatch, fercomp, command):
    monkeypatch.chdir(tmp_path)
    code, _, err = fercomp(*command, "--backbone", "efficientnet")
    assert (code, err.count("\n")) == (1, 1)
    assert "unknown backbone 'efficientnet'" in err


@pytest.mark.parametrize("command", ["prepare", "train", "predict", "submission", "uncertain", "evaluate"])
def test_an_empty_folder_is_one_line(tmp_path, monkeypatch, fercomp, command):
    monkeypatch.chdir(tmp_path)
    code, _, err = fercomp(command)
    assert code == 1
    assert "fercomp" in err, "the line says what to run"
    assert err.count("\n") == 1
    assert not any(path.is_file() for path in tmp_path.rglob("*")), "nothing is left behind"


@pytest.mark.slow
def test_ctrl_c_in_training_keeps_what_is_finished(workspace):
    before = {path: path.read_bytes() for path in Path("models/tiny").rglob("*") if path.is_file()}
    many = ("--set", "train.size=32", "--set", "train.epochs=500", "--set", "train.patience=500")
    command = [sys.executable, "-m", "fercomp", "train", "--name", "tiny", *many]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not Path("models/.training/tiny.npz").is_file() and run.poll() is None:
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert err.strip().splitlines()[-1].startswith("stopped; what was finished is kept")
    assert "Traceback" not in err
    assert before == {path: path.read_bytes() for path in Path("models/tiny").rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_model(workspace, fercomp):
    """The largest file a process may write stands for a full disk."""
    resource = pytest.importorskip("resource")
    before = {path: path.read_bytes() for path in Path("models/tiny").rglob("*") if path.is_file()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        code, _, err = fercomp("train", "--name", "tiny", *TINY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 1
    assert "error: the disk is full" in err
    assert "Traceback" not in err
    assert before == {path: path.read_bytes() for path in Path("models/tiny").rglob("*") if path.is_file()}


@pytest.mark.slow
def test_only_training_imports_tensorflow_and_nothing_imports_kaggle(workspace):
    code = (
        "import sys\n"
        "from fercomp.cli.app import main\n"
        "sys.argv = ['fercomp', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print({'tensorflow', 'keras', 'kaggle'} & set(sys.modules))"
    )
    annotate = ("annotate", "datasets/raw/test_kaggle", "--model", "tiny")
    for command in (("uncertain",), ("predict",), ("submission",), ("evaluate",), annotate):
        done = subprocess.run(
            [sys.executable, "-c", code, *command], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "set()", command


@pytest.mark.slow
def test_demo(tmp_path, monkeypatch, fercomp):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fercomp.stages.demo.FEW_PHOTOS", {"epochs": 1})
    code, out, err = fercomp("demo")
    assert code == 0, err
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
    records = pd.read_csv("demo/annotated/records.csv")
    assert records["status"].isin(["face", "no_face"]).all()
    assert (records["status"] == "face").sum() >= 10
    assert "Drawn faces, not photos of people" in out
