"""What kernels leave, put in place here, and whether it can be."""

import hashlib
import shutil
from pathlib import Path

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import Params, load_params
from fercomp.core.paths import Workspace
from fercomp.kaggle.kernels.outputs import OutputEntry
from fercomp.stages.at_kaggle.jobs import crossval_job, predict_job, repro_job, submission_job, train_job
from fercomp.stages.at_kaggle.remote import run_remote
from fercomp.stages.at_kaggle.results import put_in_place
from tests.make_tiny import TINY


@pytest.fixture
def left(tmp_path):
    """Makes entries of files that lie in a folder, each called by its SHA-256."""
    (tmp_path / "files").mkdir()

    def make(*paths):
        entries = []
        for path in paths:
            digest = hashlib.sha256(path.encode()).hexdigest()
            (tmp_path / "files" / digest).write_text(path)
            entries.append(OutputEntry(path=path, stored=path, sha256=digest, bytes=len(path)))
        return entries

    return make


@pytest.mark.parametrize("name", ["history.csv", "HISTORY.csv"])
def test_the_own_record_of_submissions_stays(tmp_path, left, name):
    workspace = Workspace(tmp_path / "work")
    workspace.submissions.mkdir(parents=True)
    workspace.history.write_text("mine")
    placed = put_in_place(left("submissions/a.csv", f"submissions/{name}"), tmp_path / "files", workspace)
    assert placed == [workspace.root / "submissions" / "a.csv"]
    assert workspace.history.read_text() == "mine"
    assert sorted(path.name for path in workspace.submissions.iterdir()) == ["a.csv", "history.csv"]


def file(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("somebody's")


def folder(path):
    path.mkdir(parents=True)


def link(path):
    """To a place where nothing can be written, not even by root."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        path.rename(path.with_name("away"))
    path.symlink_to("/proc", target_is_directory=True)


BLOCKED = [
    ("train", "models/mine", file),
    ("train", "models", file),
    ("train", "models", link),
    ("train", "models/.kaggle", file),
    ("train", "models/.kaggle/files", file),
    ("train", "datasets", file),
    ("train", "datasets/photos.csv", folder),
    ("crossval", "models/mine", file),
    ("crossval", "models/.training", file),
    ("crossval", "models/.training/folds/mine-4", file),
    ("predict", "models/shipped/test_probs.csv", folder),
    ("predict", "models/shipped", file),
    ("predict", "models/shipped", link),
    ("submit", "submissions/tiny.csv", folder),
    ("submit", "submissions", file),
    ("submit", "models/tiny/test_probs.csv", folder),
    ("repro", "models/compact", file),
    ("repro", "submissions", file),
    ("repro", "submissions", link),
    ("repro", "datasets/labels.csv", folder),
]


def job_of(kind, workspace, params):
    if kind == "train":
        return train_job("mine", None, (), params, workspace)
    if kind == "crossval":
        return crossval_job("mine", None, (), params, workspace)
    if kind == "predict":
        return predict_job("shipped", (), params, workspace)
    if kind == "submit":
        return submission_job(workspace.bundle("tiny"), params, workspace)
    return repro_job(workspace.params, params, workspace)


@pytest.mark.parametrize("kind", ["train", "crossval", "repro"])
def test_a_network_of_kerashub_is_refused_before_kaggle_is_asked(kind, workspace):
    (workspace.root / "dvc.yaml").touch()
    params = Params.model_validate(
        {"fetch": {"source": "kaggle"}, "experiments": {"mine": {"backbone": "dinov2_base"}}}
    )
    workspace.params.write_text("fetch: {source: kaggle}\n")
    with pytest.raises(FercompError, match="dinov2_base is a network of KerasHub, which fercomp does not"):
        job_of(kind, workspace, params)


@pytest.mark.parametrize(("kind", "place", "block"), BLOCKED)
def test_where_results_cannot_be_put_is_told_before_kaggle_is_asked(
    tmp_path, monkeypatch, kind, place, block
):
    if block is link and not Path("/proc/self").exists():
        pytest.skip("needs /proc")
    asked = "fercomp.stages.at_kaggle.remote.connect"
    monkeypatch.setattr(asked, lambda slug: pytest.fail("Kaggle is asked"))
    monkeypatch.setattr("fercomp.stages.at_kaggle.jobs.vendored_files", lambda openvino: {})
    monkeypatch.chdir(tmp_path)
    workspace = Workspace()
    workspace.params.write_text("fetch: {source: kaggle}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    if kind == "submit":
        shutil.copytree(TINY / "models" / "tiny", workspace.bundle("tiny"))
    job = job_of(kind, workspace, load_params(workspace.params))
    block(tmp_path / place)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FercompError) as error:
        run_remote(job, workspace, lambda: pytest.fail("asked"))
    assert Path(place).name in str(error.value) or str(error.value).startswith("cannot write /proc")
    assert "\n" not in str(error.value)
    assert sorted(tmp_path.rglob("*")) == before
