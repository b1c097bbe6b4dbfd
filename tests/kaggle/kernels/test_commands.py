"""Commands at Kaggle: pushed, followed and brought here."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.kaggle.conftest import SLUG, no_kaggle
from tests.kaggle.kernel_host import bundle, contents, leave
from tests.make_tiny import TINY

WORDS = ("train", "--name", "mine", "--on", "kaggle", "--yes")


def test_a_training_is_pushed_followed_and_brought_here(kaggle, run, tmp_path):
    kaggle.kernels.play = lambda session: leave(session, bundle())
    code, out, err = run(*WORDS)
    assert code == 0, err
    work = tmp_path / "work"
    assert contents(work / "models" / "mine") == contents(TINY / "models" / "tiny")
    assert (work / "datasets" / "photos.csv").read_bytes() == (TINY / "datasets" / "photos.csv").read_bytes()
    assert re.search(
        "runs `fercomp train --name mine.*` with a GPU; 28.0 of 30 GPU hours are left this week", err
    )
    assert re.search(
        "models/mine: from https://www.kaggle.com/code/ada/fercomp-train-mine-[0-9a-f]{6}-1", out
    )
    ((session,),) = kaggle.kernels.sessions.values()
    assert session.body["enableGpu"] is True and session.body["machineShape"] == "NvidiaTeslaT4"
    assert session.job["steps"][-1]["words"][:3] == ["train", "--name", "mine"]
    (state,) = (work / "models" / ".kaggle").glob("*.json")
    assert json.loads(state.read_text())["pulled"] is True
    assert sorted(p.name for p in (work / "models" / ".kaggle").rglob("*") if p.is_file()) == [state.name]


MOMENTS = [
    *[("IntrospectToken", 1, ""), ("GetKernel", 1, ""), ("GetKernel", 2, "before")],
    *[("SaveKernel", 1, "before"), ("SaveKernel", 1, ""), ("SaveKernel", 1, "after")],
    *[("GetKernelSessionStatus", n, "") for n in (1, 2, 3)],
    *[("ListKernelSessionOutput", n, "") for n in (1, 3)],
    *[("GET", n, cut) for n, cut in ((1, ""), (2, "before"), (4, ""), (6, ""))],
]
"""At which question, and which of these, the client is killed; and whether Kaggle does what it asked."""


@pytest.mark.slow
@pytest.mark.parametrize(("method", "number", "drop"), MOMENTS)
def test_a_killed_client_leaves_one_kernel_and_the_same_command_goes_on(
    kaggle, start, run, tmp_path, fault, method, number, drop
):
    def play(session):
        session.status = "RUNNING"
        time.sleep(0.3)
        leave(session, bundle())

    kaggle.kernels.play = play
    children = []
    die = fault(then=lambda: children[0].kill(), drop=drop)
    kaggle.fail(method, *[fault() for _ in range(number - 1)], die)
    children.append(start(*WORDS))
    assert children[0].wait() == -signal.SIGKILL
    kaggle.faults.clear()
    code, _, err = run(*WORDS)
    assert code == 0, err
    assert set(kaggle.kernels.versions().values()) == {1} and len(kaggle.kernels.versions()) == 1
    assert contents(tmp_path / "work" / "models" / "mine") == contents(TINY / "models" / "tiny")
    left = [
        p.name for p in (tmp_path / "work" / "models").rglob("*") if p.is_file() and "mine/" not in str(p)
    ]
    assert [name for name in left if not name.endswith(".lock")] == ["train-mine.json"]


def test_ctrl_c_ends_only_the_waiting(kaggle, start, run, tmp_path):
    def play(session):
        session.lines = ["epoch 1"]
        session.status = "RUNNING"

    kaggle.kernels.play = play
    shutil.copytree(TINY / "models", tmp_path / "work" / "models")
    process = start("predict", "--model", "tiny", "--on", "kaggle", "--yes")
    while not kaggle.calls("GetKernelSessionLogsStream"):
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    code, (_, err) = process.wait(), process.communicate()
    assert code == 130
    assert "  epoch 1\n" in err and err.count("epoch 1") == 1
    assert "the kernel goes on at Kaggle; `fercomp kernels cancel predict-tiny` ends it" in err
    assert "the same command goes on from there" in err
    ((session,),) = kaggle.kernels.sessions.values()
    leave(session, {"models/tiny/test_probs.csv": b"probabilities"})
    code, out, _ = run("kernels", "pull", slug=None)
    assert code == 0 and "models/tiny/test_probs.csv: from the run predict-tiny" in out


SHALLOW = """
from pathlib import Path
from fercomp.kaggle.kernels import packing, pushing

def pack(target, files):
    compact = Path(packing.PACKAGE, "modeling/backbones/compact.py").read_bytes()
    compact += b"\\nBLOCKS, CHANNELS = 1, {'compact': (16,), 'compact_wide': (24,)}\\n"
    return packing.pack(target, {**files, "fercomp/modeling/backbones/compact.py": compact})

pushing.pack = pack
"""
"""A client that sends a network of one block: a training on few photos is mostly tracing, layer by layer."""


@pytest.mark.slow
def test_a_training_over_three_sessions_is_that_of_an_unbroken_run(kaggle, run, tmp_path):
    words = ["train", "--name", "mine", "--set", "machine.cache_gb=0", "--set", "inference.views=false"]
    words += ["--set", "train.size=32", "--set", "train.epochs=3", "--set", "train.batch_size=16"]
    kaggle.kernels.ask_to_end = [f"epoch {n} (training {n}/3): loss" for n in (1, 2)]
    code, _, err = run(*words, "--on", "kaggle", "--yes", before=SHALLOW)
    sessions = [versions[0] for versions in kaggle.kernels.sessions.values()]
    assert code == 0, (err, [session.log for session in sessions])
    assert [session.slug[-2:] for session in sessions] == ["-1", "-2", "-3"]
    assert [session.body.get("kernelDataSources", []) for session in sessions[1:]] == [
        [f"ada/{session.slug}"] for session in sessions[:-1]
    ]
    assert "going on after epoch 2 of an earlier run" in sessions[2].log
    assert err.count("came near the limit of its session: going on in the next kernel") == 2
    here = tmp_path / "here"
    with kaggle.kernels.packed(sessions[0]) as archive:
        archive.extractall(here, filter="data")
    (here / "datasets").mkdir()
    (here / "datasets" / "raw").symlink_to(TINY / "datasets" / "raw")
    shutil.copy(TINY / "datasets" / "photos.csv", here / "datasets")
    environment = {**no_kaggle(), "PYTHONPATH": str(here)}
    command = [sys.executable, "-m", "fercomp", *words, "--set", f"fetch.competition={SLUG}"]
    subprocess.run(command, cwd=here, env=environment, check=True, capture_output=True)
    for folder in ("models/mine", "datasets"):
        there = contents(tmp_path / "work" / folder)
        for name in there.keys() & {"problems.csv"}:
            del there[name]
        assert there == {
            k: v for k, v in contents(here / folder).items() if not k.startswith(("raw", ".photos"))
        }


@pytest.mark.slow
def test_repro_runs_the_pipeline_there_with_a_file_of_parameters(kaggle, run, tmp_path):
    root, work = Path(__file__).parents[3], tmp_path / "work"
    shutil.copy(root / "dvc.yaml", work)
    shutil.copy(root / ".dvcignore", work)
    shutil.copytree(root / "pipelines", work / "pipelines")
    (work / "datasets").mkdir()
    (work / "datasets" / "review.jsonl").touch()
    text = (root / "params.yaml").read_text()
    models = re.compile(r"^experiments:.*", re.MULTILINE | re.DOTALL)
    assert models.search(text)
    empty = "".join(
        f"{group}: {{}}\n" for group in ("experiments", "relabelled", "students", "ensembles", "refits")
    )
    text = models.sub(empty, text).replace("source: demo ", "source: kaggle ")
    (work / "params.none.yaml").write_text(text.replace("skillbox-computer-vision-project", SLUG))
    kaggle.kernels.ask_to_end = ["Running stage 'prepare'"]
    code, _, err = run("repro", "--on", "kaggle", "--yes", "params.none.yaml", slug=None)
    assert code == 0, (err, [v[0].log for v in kaggle.kernels.sessions.values()])
    (first,), (session,) = kaggle.kernels.sessions.values()
    assert code == 0, (err, first.log, session.log)
    assert session.job["after"] == first.slug and "Running stage 'prepare'" in session.log
    assert (work / "datasets" / "photos.csv").read_bytes() == (TINY / "datasets" / "photos.csv").read_bytes()
    assert session.slug.startswith("fercomp-repro-none-")
