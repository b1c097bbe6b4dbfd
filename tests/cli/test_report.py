"""`fercomp report` as a user types it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.filesize import decimal

from fercomp.report.html.dvc_status import DvcQuestion, asking_dvc

ROOT = Path(__file__).parents[2]


def test_it_says_what_it_wrote_and_what_was_damaged(workspace, fercomp):
    code, out, err = fercomp("report")
    assert (code, err) == (0, "")
    size = decimal((workspace.root / "report.html").stat().st_size)
    assert size.endswith("kB") and out.startswith(f"report.html: 1 model, {size}\n")
    (workspace.models / "half").mkdir()
    (workspace.models / "half" / "card.json").write_text('{"format"')
    code, out, err = fercomp("report", "--no-photos", "--output", "new/page.html")
    assert code == 0 and out.startswith("new/page.html: 1 model")
    assert err.startswith("not shown as it should be: models/half/card.json is damaged")
    assert "data:image" not in Path("new/page.html").read_text()
    assert "data:image" in Path("report.html").read_text()


def test_it_replaces_only_what_it_wrote(workspace, fercomp):
    page = Path("report.html")
    page.write_text("my own")
    code, out, err = fercomp("report")
    assert (code, out) == (1, "")
    assert (
        "report.html would be replaced, which report did not write: move it, choose another --output" in err
    )
    assert page.read_text() == "my own"
    assert fercomp("report", "--force")[0] == 0
    assert fercomp("report")[0] == 0
    assert page.read_text().startswith("<!doctype html>")
    page.unlink()
    page.mkdir()
    code, _, err = fercomp("report")
    assert code == 1 and "report.html is a folder, a file was expected" in err


def test_whose_mistakes(workspace, fercomp):
    code, _, err = fercomp("report", "--model", "tiney")
    assert code == 1 and "did you mean tiny" in err and not Path("report.html").exists()
    code, _, err = fercomp("report", "--model", "shipped")
    assert code == 1 and "bring no answers on a holdout" in err


def test_it_opens_a_browser_where_there_is_one(workspace, fercomp, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or len(opened) == 1)
    assert "no browser" not in fercomp("report", "--open")[1]
    assert "no browser could be opened: open report.html yourself" in fercomp("report", "--open")[1]
    assert opened == [Path("report.html").absolute().as_uri()] * 2


@pytest.mark.slow
def test_keras_is_not_needed(workspace):
    code = "import sys; from fercomp.cli.app import main\ntry: main()\n"
    code += "finally: assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, "report"], check=True, capture_output=True)


@pytest.mark.slow
def test_dvc_says_what_is_stale(workspace, fercomp):
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, name)
    shutil.copytree(ROOT / "pipelines", "pipelines")
    with asking_dvc(workspace.root) as question:
        said = question.answer(60).said
    assert said.startswith("DVC could not say what is stale: ERROR: you are not inside of a DVC repository")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], check=True)
    with asking_dvc(workspace.root) as question:
        stale = question.answer(60)
    assert stale.known and not stale.used
    assert "changed outs: models/compact/card.json (deleted)" in stale.stages["train@compact"]
    assert stale.said == f"{len(stale.stages)} stages would run again."
    question = DvcQuestion(workspace.root)
    assert question.answer(0.01).said.startswith("DVC did not answer within 0.01 seconds: type `dvc status`")
    assert question._process.poll() is not None
    Path("dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    assert fercomp("report")[0] == 0
    page = " ".join(Path("report.html").read_text().split())
    assert "Next</span> <code>dvc repro</code> makes again what is stale" in page
    assert '<th scope="row">train@compact</th>' in page
