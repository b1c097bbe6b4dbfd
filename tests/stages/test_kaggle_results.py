"""What kernels leave, put in place here."""

import hashlib

import pytest

from fercomp.core.paths import Workspace
from fercomp.kaggle.kernels.outputs import OutputEntry
from fercomp.stages.kaggle_results import put_in_place


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
