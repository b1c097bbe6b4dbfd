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

NO_CODE = """
from fercomp.kaggle.kernels import packing
packing.code_files = lambda: []
"""
"""A client that packs no code, where none is run."""


def test_a_training_is_pushed_followed_and_brought_here(kaggle, run, tmp_path):
    kaggle.kernels.play = lambda session: leave(session, bundle())
    code, out, err = run(*WORDS, before=NO_CODE)
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


KILLED = (
    NO_CODE
    + """
import atexit, json, os, signal, threading

events, last = [], {last}
CHANGES = ("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "socket.connect", "http.client.send")

def see(event, args):
    if threading.current_thread() is not threading.main_thread():
        return
    if event in CHANGES or (event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR)):
        if len(events) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        sent = args[1] if event == "http.client.send" else b""
        events.append(sent.split(b" HTTP/", 1)[0].decode().rpartition("/")[2] if b" HTTP/" in sent else event)

sys.addaudithook(see)
atexit.register(lambda: open("../events.json", "w").write(json.dumps(events)))
"""
)
"""A client that is killed before it changes something, on disk or at Kaggle, for the `last`th time."""

PHASES = ("push", "wait", "pull")
MOMENTS = 20
"""In each phase."""

SMALL = {name: content for name, content in bundle().items() if name.endswith((".csv", "card.json"))}
"""What a kernel leaves that does not have to be a whole model."""


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_client_leaves_one_kernel_and_the_same_command_goes_on(
    kaggle, start, run, tmp_path, monkeypatch, phase
):
    work, said, polls = tmp_path / "work", [], 12 if phase == "wait" else 1

    def status(body):
        said.append(body)
        ((session,),) = kaggle.kernels.sessions.values()
        while session.status == "QUEUED":  # each run is to ask as often as the one that was counted
            time.sleep(0.002)
        if len(said) > polls and session.status == "RUNNING":
            leave(session, SMALL)
        return {"status": session.status}

    def afresh(last):
        for folder in (work, kaggle.kernels.root):
            shutil.rmtree(folder, ignore_errors=True)
        work.mkdir()
        said.clear()
        kaggle.kernels.sessions.clear()
        return start(*WORDS, before="import sys\n" + KILLED.replace("{last}", str(last)))

    (tmp_path / "nothing").mkdir()
    kaggle.kernels.competition = (SLUG, tmp_path / "nothing")
    kaggle.kernels.play = lambda session: setattr(session, "status", "RUNNING")
    monkeypatch.setattr(kaggle.kernels, "GetKernelSessionStatus", status, raising=False)
    assert afresh(10**6).wait() == 0
    events = json.loads((tmp_path / "events.json").read_text())
    begins = [0, events.index("GetKernelSessionStatus"), events.index("ListKernelSessionOutput"), len(events)]
    begin, end = begins[PHASES.index(phase)], begins[PHASES.index(phase) + 1]
    assert end - begin >= MOMENTS
    moments = {begin + (end - begin) * n // MOMENTS for n in range(MOMENTS)}
    if phase == "push":  # before it is sent, and before it is written down that it was
        saved = events.index("SaveKernel")
        moments |= {saved, saved + 1, saved + 2}
    for last in sorted(moments):
        assert afresh(last).wait() == -signal.SIGKILL
        code, _, err = run(*WORDS, before=NO_CODE)
        at = f"{phase}, {events[last]} {last}"
        assert code == 0, (at, err)
        assert list(kaggle.kernels.versions().values()) == [1], at
        there = {
            p.relative_to(work).as_posix() for p in work.rglob("*") if p.is_file() and p.suffix != ".lock"
        }
        assert there == {*SMALL, "models/.kaggle/train-mine.json"}, at
        assert all((work / name).read_bytes() == content for name, content in SMALL.items()), at


def test_ctrl_c_ends_only_the_waiting(kaggle, start, run, tmp_path):
    def play(session):
        session.lines = ["epoch 1"]
        session.status = "RUNNING"

    kaggle.kernels.play = play
    shutil.copytree(TINY / "models", tmp_path / "work" / "models")
    process = start("predict", "--model", "tiny", "--on", "kaggle", "--yes", before=NO_CODE)
    while "  epoch 1\n" not in process.written_errors():
        time.sleep(0.02)
    streams = kaggle.calls("GetKernelSessionLogsStream")
    while kaggle.calls("GetKernelSessionLogsStream") < streams + 2:  # it must not be shown again
        time.sleep(0.02)
    asked = kaggle.calls("GetKernelSessionStatus")
    while kaggle.calls("GetKernelSessionStatus") < asked + 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    code, (_, err) = process.wait(), process.communicate()
    assert code == 130
    assert err.count("epoch 1") == 1
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
