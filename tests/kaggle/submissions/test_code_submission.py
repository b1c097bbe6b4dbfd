"""`submit --kernel`: one kernel that predicts without internet, and one submission, whatever breaks."""

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.params import UncertainParams, load_params
from fercomp.core.paths import Workspace
from fercomp.kaggle.kernels import packing, vendored
from fercomp.kaggle.kernels.packages import PYTHON, install, lacks, take_along
from fercomp.kaggle.submissions.history import read_history
from fercomp.stages.at_kaggle.code_submission import submit_by_kernel
from fercomp.stages.at_kaggle.jobs import submission_job
from fercomp.stages.evaluate import evaluate_model
from fercomp.stages.uncertain import settle_uncertain
from tests.kaggle.kernel_host import leave
from tests.make_tiny import TINY

SLUG, TOKEN = "faces-in-the-test", "KGAT_0123456789abcdef"  # as in conftest.py
CSV = b"image_path,emotion\n0.jpg,happy\n1.jpg,sad\n"
WORDS = ("submit", "--kernel", "--model", "mine", "--yes")
LITTLE = """
from fercomp.kaggle.kernels import packing, vendored
vendored.LIGHT, packing.code_files = (), lambda: []
"""


def play(session, csv=CSV):
    """What the kernel leaves, without running it."""
    leave(session, {"submissions/mine.csv": csv})
    (session.working / "submission.csv").write_bytes(csv)


@pytest.fixture(autouse=True)
def code_competition(kaggle):
    kaggle.competition = {"isKernelsSubmissionsOnly": True}
    kaggle.kernels.play = play


@pytest.fixture
def little(monkeypatch):
    """Kernels that are not run need no code: packing it takes a second."""
    monkeypatch.setattr(vendored, "LIGHT", ())
    monkeypatch.setattr(packing, "code_files", list)


@pytest.fixture
def work(tmp_path, write_model, monkeypatch):
    """A folder with nothing but a model."""
    write_model(tmp_path / "work" / "models" / "mine", scores={"accuracy": 0.60342})
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr("fercomp.stages.at_kaggle.jobs.needs_hub", lambda path: False)
    (tmp_path / "work" / "models" / "mine" / "model.keras").write_bytes(b"never opened here")
    return Workspace()


def send(work, **options):
    params = load_params(work.params, (f"fetch.competition={SLUG}",))
    return submit_by_kernel(work.bundle("mine"), work, params, lambda: True, **options)


def rows(work):
    return read_history(work).to_dict("records")


def pushed(kaggle):
    ((session,),) = kaggle.kernels.sessions.values()
    return session


def test_a_kernel_without_internet_predicts_and_is_submitted_once(signed_in, little, work):
    outcome = send(work, message="first try")
    session = pushed(signed_in)
    assert session.body["enableInternet"] is False
    assert [step["words"][0] for step in session.job["steps"]] == [
        "fetch",
        "prepare",
        "predict",
        "submission",
    ]
    assert (session.job["submits"], session.job["submits_as"]) == ("submissions/mine.csv", "submission.csv")
    (sent,) = signed_in.submissions
    assert sent["content"] == CSV == work.submission("mine").read_bytes()
    (row,) = rows(work)
    assert (row["ref"], row["status"], row["public"]) == ("1000", "complete", "0.61234")
    assert (row["experiment"], row["holdout_accuracy"]) == ("mine", "0.6034")
    assert sent["description"] == row["message"] == f"first try [sha256:{row['sha256'][:12]}]"
    assert (outcome.ref, outcome.left, outcome.resumed) == (1000, 5, False)
    with pytest.raises(FercompError, match="was sent before"):
        send(work)
    assert signed_in.kernels.versions() == {session.slug: 1} and len(signed_in.submissions) == 1
    assert send(work, force=True).ref == 1001  # the same kernel once more
    assert signed_in.kernels.versions() == {session.slug: 1}
    told = [session.body["text"], session.log, *map(str, signed_in.uploads.values())]
    told += [path.read_text(errors="replace") for path in work.root.rglob("*") if path.is_file()]
    assert not [text for text in told if TOKEN in text]


def test_another_model_or_other_votes_make_another_kernel(signed_in, little, work, write_model):
    send(work)
    (work.root / "params.yaml").write_text("predict: {network_votes: null}\n")
    assert send(work).ref == 1001
    (work.root / "params.yaml").write_text("predict: {network_votes: null}\ntrain: {epochs: 3}\n")
    with pytest.raises(FercompError, match="was sent before"):  # says nothing of what was predicted
        send(work)
    shutil.rmtree(work.bundle("mine"))
    write_model(work.bundle("mine"), seed=1)
    (work.bundle("mine") / "model.keras").write_bytes(b"never opened here")
    assert send(work).ref == 1002
    assert len(signed_in.kernels.sessions) == 3


def test_what_says_what_a_model_is_worth_makes_no_other_kernel(signed_in, little, work, monkeypatch):
    """`evaluate` and an `uncertain` that changes nothing; one that changes the answers does."""
    folder = work.bundle("mine")
    shutil.rmtree(folder)
    shutil.copytree(TINY / "models" / "tiny", folder)
    for place in ("evaluate._show_mistakes", "evaluate.plot_history", "uncertain.plot_sweep"):
        monkeypatch.setattr(f"fercomp.stages.{place}", lambda *_: None)
    for plot in ("confusion", "per_class", "reliability"):
        monkeypatch.setattr(f"fercomp.stages.evaluate.plot_{plot}", lambda *_: None)
    monkeypatch.setattr("fercomp.stages.uncertain.pays", lambda *_: False)
    send(work, wait=False)
    evaluate_model(folder, work.raw)
    assert not settle_uncertain(folder, UncertainParams()).used
    (folder / ".part.test_probs.csv").write_text("half of a table")
    while pushed(signed_in).status != "COMPLETE":
        time.sleep(0.01)
    assert send(work).ref == 1000
    with pytest.raises(FercompError, match="was sent before"):
        send(work)
    monkeypatch.setattr("fercomp.stages.uncertain.pays", lambda *_: True)
    assert settle_uncertain(folder, UncertainParams()).used
    assert send(work).ref == 1001 and len(signed_in.kernels.sessions) == 2


def test_the_dataset_of_a_kernel_that_failed_is_used_again(signed_in, little, work):
    (work.bundle("mine") / "model.keras").write_bytes(os.urandom(700_000))  # too much for a kernel's text

    def fail_once(session):
        signed_in.kernels.play = play
        session.log, session.failure, session.status = "MemoryError\n", "out of memory", "ERROR"

    signed_in.kernels.play = fail_once
    with pytest.raises(FercompError, match=r"the kernel failed \(out of memory\)"):
        send(work)
    assert signed_in.submissions == [] and rows(work) == []
    assert send(work).ref == 1000
    (dataset,) = signed_in.kernels.datasets
    assert signed_in.calls("StartBlobUpload") == signed_in.calls("CreateDataset") == 1
    for (session,) in signed_in.kernels.sessions.values():
        assert session.body["datasetDataSources"] == [f"ada/{dataset}"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({}, "is no code competition, it takes a CSV: run `fercomp submission`, then `fercomp submit`"),
        ({"isKernelsSubmissionsOnly": True, "submissionsDisabled": True}, "takes no submissions: https"),
        ({"isKernelsSubmissionsOnly": True, "userHasEntered": False}, "has not joined faces-in-the-test"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_forbids_it_is_told_before_anything_is_uploaded(signed_in, little, work, answer, told, dry_run):
    signed_in.competition = answer
    with pytest.raises(FercompError, match=told):
        send(work, dry_run=dry_run)
    assert signed_in.calls("StartBlobUpload") == signed_in.calls("SaveKernel") == 0


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"error": "Maximum weekly GPU quota of 30.00 hours reached."}, "no GPU hours left for this account"),
        ({"error": "Phone verification is required"}, "verify a phone number"),
        ({"invalid": {"invalidCompetitionSources": [SLUG]}}, "join the competition and accept its rules"),
    ],
)
def test_a_kernel_that_kaggle_does_not_take(signed_in, little, work, answer, told):
    vars(signed_in.kernels).update(answer)
    with pytest.raises(FercompError, match=told):
        send(work)
    vars(signed_in.kernels).update(error="", invalid={})
    assert send(work).ref == 1000


def test_a_kernel_of_that_name_by_hand_is_left_alone(signed_in, little, work):
    send(work)
    slug = pushed(signed_in).slug
    shutil.rmtree(work.models / ".kaggle")
    work.history.unlink()
    signed_in.submissions.clear()
    signed_in.kernels.by_hand(slug, "print('mine')")
    with pytest.raises(FercompError, match="is there, and was not made by this command"):
        send(work)
    assert signed_in.submissions == [] and signed_in.kernels.versions() == {slug: 1}


def test_no_slot_and_a_dry_run_push_nothing(signed_in, little, work):
    assert send(work, dry_run=True).ref is None
    assert signed_in.calls("SaveKernel") == 0
    send(work)
    signed_in.quota = 0
    (work.root / "params.yaml").write_text("predict: {network_votes: null}\n")
    with pytest.raises(FercompError, match="no submission is left for today"):
        send(work)
    assert signed_in.calls("SaveKernel") == 1


def test_a_kaggle_that_says_nothing_of_the_competition_stops_nothing(signed_in, little, work, fault):
    signed_in.fail("GetCompetition", *[fault(status=404)] * 9)
    assert send(work).ref == 1000


@pytest.mark.parametrize("call", ["SaveKernel", "CreateCodeSubmission"])
@pytest.mark.parametrize("how", [{"drop": "before"}, {"drop": "after"}, {"status": 503}])
def test_lost_answers_make_one_kernel_and_one_submission(signed_in, little, work, fault, call, how):
    signed_in.fail(call, fault(**how))
    assert send(work).ref == 1000
    assert signed_in.kernels.versions() == {pushed(signed_in).slug: 1}
    assert len(signed_in.submissions) == 1 and len(rows(work)) == 1
    assert not work.sending.exists()


def test_what_kaggle_says_of_the_kernel_is_said(signed_in, little, work, fault):
    answer = {"error": {"code": 400, "message": "Your Notebook must have internet disabled"}}
    signed_in.fail("CreateCodeSubmission", fault(status=400, body=answer))
    with pytest.raises(FercompError, match=r"take submission\.csv of the kernel .*internet disabled"):
        send(work)
    assert send(work).ref == 1000
    assert len(signed_in.kernels.sessions) == 1


def test_a_kernel_that_leaves_something_else_is_not_submitted(signed_in, little, work):
    signed_in.kernels.play = lambda session: leave(session, {"models/other/card.json": b"{}"})
    with pytest.raises(FercompError, match="which this command does not write"):
        send(work)
    assert signed_in.submissions == []


@pytest.mark.slow
def test_the_command_and_its_words(run, work, kaggle):
    code, out, err = run(*WORDS, before=LITTLE)
    assert (code, out) == (
        0,
        "5 submissions were left at Kaggle\npublic score 0.61234, private score not shown yet\n",
    ), err
    assert "runs `fercomp submit --kernel --model mine` with a GPU" in err
    for words in (("submit", "--kernel", "x.csv"), ("submit", "--model", "mine")):
        code, _, err = run(*words, before=LITTLE)
        assert code == 1 and "--kernel" in err


def test_without_waiting_the_same_command_submits_what_the_kernel_left_once(signed_in, little, work, run):
    signed_in.kernels.play = lambda session: setattr(session, "status", "RUNNING")
    code, out, err = run(*WORDS, "--no-wait", before=LITTLE)
    session = pushed(signed_in)
    page = f"https://www.kaggle.com/code/ada/{session.slug}"
    assert (code, out.splitlines()[0]) == (0, f"the kernel runs at Kaggle, nothing is submitted yet: {page}")
    assert "Next: the same command" in out, err
    outcome = send(work, wait=False)
    assert (outcome.ref, outcome.page, signed_in.submissions) == (None, page, [])
    play(session)
    assert send(work, wait=False).ref == 1000
    with pytest.raises(FercompError, match=r"was sent before \(at .*, public score 0\.61234"):
        send(work, wait=False)
    assert signed_in.kernels.versions() == {session.slug: 1} and len(signed_in.submissions) == 1
    assert [row["ref"] for row in rows(work)] == ["1000"]


MOMENTS = {
    "pushing": lambda kaggle, work: kaggle.calls("SaveKernel") == 1,
    "waiting": lambda kaggle, work: kaggle.calls("GetKernelSessionStatus") > 1,
    "pulling": lambda kaggle, work: kaggle.calls("GET") > 0,
    "pulled": lambda kaggle, work: work.submission("mine").exists(),
    "note": lambda kaggle, work: work.sending.exists(),
    "submitting": lambda kaggle, work: kaggle.calls("CreateCodeSubmission") == 1,
    "submitted": lambda kaggle, work: len(kaggle.submissions) == 1,
    "written": lambda kaggle, work: work.history.is_file(),
}


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_command_and_the_same_again_make_one_of_each(start, run, kaggle, work, moment):
    kaggle.polls = 4

    def slowly(session):
        time.sleep(0.3)
        play(session)

    kaggle.kernels.play = slowly
    process = start(*WORDS, before=LITTLE)
    end = time.monotonic() + 240
    while not MOMENTS[moment](kaggle, work):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    code, out, err = run(*WORDS, before=LITTLE)
    assert code == 0, (out, err)
    assert out.endswith("public score 0.61234, private score not shown yet\n")
    assert set(kaggle.kernels.versions().values()) == {1} and len(kaggle.kernels.sessions) == 1
    assert len(kaggle.submissions) == 1
    (row,) = rows(work)
    assert (row["ref"], row["status"]) == ("1000", "complete")
    assert not work.sending.exists()


# -- what travels -----------------------------------------------------------------------------------


def test_packages_that_came_along_are_taken_where_the_image_lacks_them(tmp_path):
    for name, entry in vendored.vendored_files(openvino=False).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry if isinstance(entry, bytes) else entry.read_bytes())
    assert take_along(["rich>=14", "numpy>=2.1"], tmp_path, pytest.fail) == []
    wanted = [f"{name}>=999" for name in vendored.LIGHT if name != "keras"]
    paths = take_along([*wanted, "pandas>=999"], tmp_path, pytest.fail)
    assert [Path(path).name for path in paths] == ["filelock", "rich", "ruamel-yaml", "tqdm", "typer"]
    lines = (
        "import filelock, rich.table, tqdm; from ruamel.yaml import YAML\n"
        "print(YAML(typ='safe').load('a: 1e-3'))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", lines],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "{'a': 0.001}\n", done.stderr


def test_an_older_keras_is_not_used_for_what_a_newer_one_wrote(tmp_path):
    folder = tmp_path / "vendored" / "keras"
    folder.mkdir(parents=True)
    (folder / "least").write_text("3.0")
    assert take_along(["keras>=3.12"], tmp_path, pytest.fail) == []
    (folder / "least").write_text("999")
    assert take_along(["keras>=3.12"], tmp_path, pytest.fail) == [str(folder)]


@pytest.mark.parametrize("least, installed", [(None, []), ("3.0", []), ("999", ["keras>=999"])])
def test_with_internet_keras_is_only_replaced_where_a_newer_one_saved_what_travels(
    tmp_path, monkeypatch, least, installed
):
    calls = []
    monkeypatch.setattr(
        "fercomp.kaggle.kernels.packages.subprocess.run",
        lambda words, **_: calls.append(words) or subprocess.CompletedProcess(words, 0, ""),
    )
    if least is not None:
        (tmp_path / "vendored" / "keras").mkdir(parents=True)
        (tmp_path / "vendored" / "keras" / "least").write_text(least)
    install(["keras>=998", "numpy>=2"], tmp_path, pytest.fail)
    assert [words[-1:] for words in calls] == ([installed] if installed else [])
    fixed = (tmp_path / "constraints.txt").read_text()
    assert "numpy==" in fixed and ("keras==" in fixed) == (not installed)


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"no zip",
        {},
        {"metadata.json": "[]"},
        {"metadata.json": '{"keras_version": "3.1; x @ file:///"}'},
    ],
)
def test_a_network_that_does_not_say_what_saved_it_asks_for_nothing(tmp_path, content):
    network = tmp_path / "model.keras"
    if isinstance(content, bytes):
        network.write_bytes(content)
    elif content is not None:
        with zipfile.ZipFile(network, "w") as archive:
            for name, text in content.items():
                archive.writestr(name, text)
    assert vendored.least_keras({"models/mine/model.keras": network, "params.yaml": b""}) == {}


def test_tensorflow_under_another_name_is_not_installed_again(monkeypatch):
    def version(name):
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr("importlib.metadata.version", version)
    assert not lacks("tensorflow>=2.20")
    assert lacks("filelock>=3")


def test_what_neither_the_image_has_nor_came_along_is_told(tmp_path):
    def fail(why):
        raise FercompError(why)

    assert take_along(["pi-heif>=999", "tensorflow>=999"], tmp_path, fail) == []
    with pytest.raises(FercompError, match="lacks nowhere-to-be-found"):
        take_along(["nowhere-to-be-found>=1"], tmp_path, fail)
    assert lacks("nowhere-to-be-found>=1")
    (tmp_path / "vendored" / "openvino").mkdir(parents=True)
    (tmp_path / "vendored" / "openvino" / PYTHON).write_text("2.7")
    with pytest.raises(FercompError, match=r"for Python 2\.7, this is 3"):
        take_along(["openvino>=9999"], tmp_path, fail)


def test_openvino_travels_where_a_network_has_no_keras_model(work, monkeypatch):
    params = load_params(work.params, (f"fetch.competition={SLUG}",))
    with_keras = submission_job(work.bundle("mine"), params, work)
    assert with_keras.gpu and "vendored/openvino/python" not in with_keras.work.further
    assert with_keras.work.cut == (), "Kaggle runs it again on other photos"
    (work.bundle("mine") / "model.keras").unlink()
    job = submission_job(work.bundle("mine"), params, work)
    assert not job.gpu  # it has nothing to do there
    files = job.work.further
    assert "vendored/openvino/openvino/__init__.py" in files
    assert files["vendored/openvino/python"] == f"{sys.version_info[0]}.{sys.version_info[1]}".encode()
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with pytest.raises(FercompError, match=r"needs OpenVINO.*does not run at Kaggle"):
        vendored.vendored_files(openvino=True)


def bare_image(folder: Path, lacking: tuple[str, ...]) -> str:
    """Makes a Python that lacks some packages, as Kaggle's image does; returns its path."""
    venv.create(folder, symlinks=True, with_pip=False)
    place = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith((*lacking, "fercomp", "_editable")) and entry.name != "__pycache__":
            (place / entry.name).symlink_to(entry)
    return str(folder / "bin" / "python")


@pytest.mark.slow
def test_what_was_pushed_predicts_without_internet_and_openvino(kaggle, run, tmp_path):
    """Keras answers there, OpenVINO here; the CSV is the same."""
    lacking = ("openvino", "ruamel", "filelock", "keras", "typer", "pi_heif", "kaggle", "dvc")
    kaggle.kernels.play, kaggle.kernels.python = None, bare_image(tmp_path / "image", lacking)
    work = tmp_path / "work"
    shutil.copytree(TINY, work, dirs_exist_ok=True)
    (work / "models" / "tiny").rename(work / "models" / "mine")
    code, out, err = run(*WORDS)
    session = pushed(kaggle)
    assert code == 0, (out, err, session.log)
    log = "".join(line["data"] for line in json.loads(session.log))
    assert "fercomp: filelock came along" in log and "fercomp: keras came along" in log
    assert "installing" not in log
    assert "OpenVINO is not installed: Keras answers for tiny" in log
    kernels_csv = (work / "submissions" / "mine.csv").read_bytes()
    assert kaggle.submissions[0]["content"] == kernels_csv
    for words in (("predict", "--model", "mine"), ("submission", "--model", "mine")):
        code, out, err = run(*words, slug=None)
        assert code == 0, err
    assert (work / "submissions" / "mine.csv").read_bytes() == kernels_csv
    assert pd.read_csv(work / "submissions" / "mine.csv")["emotion"].nunique() > 1
