"""The script that a kernel runs, executed, with a program in fercomp's place that takes no time to import."""

import re
import time
from pathlib import Path

import pytest

from fercomp.kaggle.kernels import script
from fercomp.kaggle.kernels.work import KernelJob
from tests.kaggle.kernel_host import contents
from tests.make_tiny import TINY

PROGRAM = """
import shutil, sys, time
from pathlib import Path

command, state = sys.argv[1], Path("models/.training/mine.npz")
print("running", *sys.argv[1:], flush=True)
if command == "prepare":
    Path("datasets").mkdir()
    shutil.copy({index!r}, "datasets")
elif command == "train":
    state.parent.mkdir(parents=True, exist_ok=True)
    done = int(state.read_text()) if state.exists() else 0
    while done < {epochs}:
        time.sleep({pause})
        done += 1
        state.write_text(str(done))
        print("epoch", done, flush=True)
    shutil.copytree({model!r}, "models/mine")
"""


def sent(epochs=1, pause=0.0, program=PROGRAM):
    """A client that sends this program, with sessions of twenty seconds."""
    index, model = TINY / "datasets" / "photos.csv", TINY / "models" / "tiny"
    filled = program.format(index=str(index), model=str(model), epochs=epochs, pause=pause)
    return (
        "from fercomp.kaggle.kernels import packing, pushing\n"
        f"changed = {{'fercomp/__main__.py': {filled.encode()!r}}}\n"
        "pushing.pack = lambda target, files: packing.pack(target, {**files, **changed})\n"
        "pushing.SESSION = 20\n"
        "some = [p for room in ('', 'core/**/', 'kaggle/**/') for p in packing.PACKAGE.glob(f'{room}*.py')]\n"
        "packing.code_files = lambda: some\n"
    )


@pytest.mark.slow
def test_a_run_ends_itself_before_the_limit_and_the_next_kernel_goes_on(kaggle, run, tmp_path):
    begun = time.monotonic()
    code, _, err = run("train", "--name", "mine", "--on", "kaggle", "-y", before=sent(150, 0.1))
    sessions = [versions[0] for versions in kaggle.kernels.sessions.values()]
    assert code == 0, (err, [session.log for session in sessions])
    assert len(sessions) > 1 and time.monotonic() - begun > 15
    assert contents(tmp_path / "work/models/mine") == contents(TINY / "models" / "tiny")
    assert [session.body["sessionTimeoutSeconds"] for session in sessions] == [20] * len(sessions)
    assert all("the session comes near its limit: saving" in session.log for session in sessions[:-1])
    assert "running prepare" in sessions[0].log and "running prepare" not in sessions[1].log
    assert "  epoch " in err  # of the log, while it ran


@pytest.mark.slow
def test_a_command_that_fails_there_is_told_with_its_last_lines(kaggle, run, tmp_path):
    program = "import sys; print('the last words'); sys.exit(3)"
    code, _, err = run("train", "--name", "mine", "--on", "kaggle", "-y", before=sent(program=program))
    assert code == 1
    assert "  the last words\n" in err
    assert "`fetch --source kaggle --set fetch.competition=faces-in-the-test` ended with exit code 3" in err
    assert "error: the kernel failed, its last lines are above" in err
    assert not (tmp_path / "work/models/mine").exists()


def test_the_script_reads_what_a_kernel_is_told_and_nothing_else():
    read = set(re.findall(r'JOB\["(\w+)"\]', Path(script.__file__).read_text()))
    assert read | {"done", "cut"} == KernelJob.model_fields.keys()


@pytest.mark.slow
def test_a_session_without_a_gpu_is_told(kaggle, run):
    kaggle.kernels.gpu = False
    code, _, err = run("train", "--name", "mine", "--on", "kaggle", "-y", before=sent())
    assert code == 1
    assert "this session has no GPU: verify a phone number" in err


@pytest.mark.slow
def test_packages_that_cannot_be_installed_are_told_in_the_words_of_pip(kaggle, run):
    before = sent() + "pushing.needed_packages = lambda everything: ['no-such-package-of-ours>=1']\n"
    code, _, err = run("train", "--name", "mine", "--on", "kaggle", "-y", before=before)
    assert code == 1
    assert re.search("packages cannot be installed: .*(no-such-package-of-ours|No module named pip)", err)


@pytest.mark.slow
def test_what_is_too_large_for_the_text_is_a_private_dataset(kaggle, run, tmp_path):
    before = sent() + "packing.LARGEST_TEXT = 50_000\n"
    code, _, err = run("train", "--name", "mine", "--on", "kaggle", "-y", before=before)
    assert code == 0, err
    ((slug, files),) = kaggle.kernels.datasets.items()
    assert list(files) == [f"{slug}.bin"]
    ((session,),) = kaggle.kernels.sessions.values()
    assert session.body["datasetDataSources"] == [f"ada/{slug}"] and len(session.body["text"]) < 20_000
    assert contents(tmp_path / "work/models/mine") == contents(TINY / "models" / "tiny")
    code, _, err = run("kernels", "cancel", slug=None)
    assert (code, kaggle.kernels.datasets, kaggle.kernels.sessions) == (0, {}, {})
    assert not list((tmp_path / "work/models/.kaggle").glob("[!.]*.json"))
