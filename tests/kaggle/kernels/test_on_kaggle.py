"""The client of a run at Kaggle: what it sends once, what it takes, and what it says when that goes wrong."""

import hashlib
import json
import re
import shutil
import time
import zipfile
from contextlib import nullcontext
from fnmatch import fnmatchcase
from types import SimpleNamespace

import pytest

from fercomp.core import polling
from fercomp.core.errors import FercompError
from fercomp.core.params import load_params
from fercomp.core.paths import Workspace
from fercomp.kaggle.client import receive
from fercomp.kaggle.kernels import following, outputs, packing
from fercomp.kaggle.kernels.calls import KernelStatus
from fercomp.kaggle.kernels.runs import read_run, run_names
from fercomp.stages.at_kaggle import control
from fercomp.stages.at_kaggle.control import bring_run, cancel_run, show_run
from fercomp.stages.at_kaggle.jobs import crossval_job, predict_job, repro_job, train_job
from fercomp.stages.at_kaggle.remote import run_remote
from tests.kaggle.conftest import SLUG, TOKEN
from tests.kaggle.kernel_host import CUT_OFF, bundle, contents, fail, leave
from tests.make_tiny import TINY

SET = [f"fetch.competition={SLUG}"]
NAME = "train-mine"
CODE_FILES = packing.code_files


@pytest.fixture
def here(signed_in, tmp_path, monkeypatch):
    """An empty folder of somebody who is signed in; kernels leave what a training leaves."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    signed_in.kernels.play = lambda session: leave(session, bundle())
    monkeypatch.setattr(packing, "code_files", lambda: [packing.PACKAGE / "__main__.py"])
    return Workspace()


def train(*set_, name="mine", agree=lambda: True, **options):
    """`fercomp train --on kaggle`."""
    params = load_params(Workspace().params, (*SET, *set_))
    return run_remote(
        train_job(name, None, [*SET, *set_], params, Workspace()), Workspace(), agree, **options
    )


def refused(words, *set_, **options):
    """The error line of a training at Kaggle that cannot be."""
    with pytest.raises(FercompError) as error:
        train(*set_, **options)
    assert re.search(words, str(error.value)), error.value
    return str(error.value)


def slug():
    """The last kernel of the run."""
    return read_run(NAME, Workspace()).parts[-1].slug


# -- what is sent ------------------------------------------------------------------------------------


def test_nothing_is_sent_unless_one_agrees_and_one_is_asked_once(here, signed_in):
    refused("nothing was sent", agree=lambda: False)
    assert signed_in.calls("SaveKernel") == 0 and not list(here.root.iterdir())
    train()
    train("train.seed=1", agree=lambda: pytest.fail("asked again"))
    assert signed_in.calls("SaveKernel") == 2


def test_no_credential_is_in_what_is_sent_or_kept(here, signed_in, monkeypatch, capfd):
    monkeypatch.setenv("SOME_SECRET", "hunter2")
    train()
    said = "".join(capfd.readouterr())
    kept = [p.read_bytes() for p in here.models.rglob("*") if p.is_file()]
    ((session,),) = signed_in.kernels.sessions.values()
    with signed_in.kernels.packed(session) as archive:
        packed = [archive.extractfile(member).read() for member in archive if member.isfile()]
    for secret in (TOKEN, "hunter2", "signature=secret"):
        assert not any(secret.encode() in content for content in (*kept, *packed)), secret
        assert secret not in said and secret not in session.body["text"]


def test_what_travels_is_the_code_and_what_is_learned_from(here, signed_in, monkeypatch):
    monkeypatch.setattr(packing, "code_files", CODE_FILES)
    shutil.copytree(TINY / "models" / "tiny", "models/tiny")
    here.params.write_text("train: {teacher: tiny, labels: relabelled, epochs: 7}\n")
    here.labels.parent.mkdir()
    here.labels.write_text("labels")
    here.training.mkdir()
    (here.training / "mine.npz").write_bytes(b"checkpoint")
    train("machine.device=cpu")
    ((session,),) = signed_in.kernels.sessions.values()
    with signed_in.kernels.packed(session) as archive:
        names = set(archive.getnames())
    assert {"fercomp/cli/app.py", "fercomp/core/hub_presets.json", "params.yaml"} <= names
    assert {"datasets/labels.csv", "models/.training/mine.npz", "models/tiny/card.json"} <= names
    assert not [name for name in names if "shipped" in name or "__pycache__" in name or "drawn.zip" in name]
    assert session.body.get("enableGpu", False) is False and "machineShape" not in session.body
    assert session.job["steps"][0]["words"] == [
        "fetch",
        "--source",
        "kaggle",
        "--set",
        SET[0],
        "--set",
        "machine.device=cpu",
    ]


def test_keys_that_lie_among_the_code_do_not_travel(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "PACKAGE", tmp_path)
    (tmp_path / "kaggle").mkdir()
    for name in ("kaggle.json", "access_token", "access_token.txt", "credentials.json", ".env", "account.py"):
        (tmp_path / "kaggle" / name).write_text("hunter2")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id").write_text("hunter2")
    assert CODE_FILES() == [tmp_path / "kaggle" / "account.py"]


def test_what_is_missing_here_is_told_before_anything_is_sent(here, signed_in):
    here.params.write_text("train: {labels: relabelled}\n")
    refused(
        "datasets/labels.csv is not in this folder, and the training learns from it: run `fercomp relabel`"
    )
    refused("no model 'nobody'|unknown model", "train.teacher=nobody", "train.labels=given")
    refused("train.weights is a file of this folder", "train.weights=../w.weights.h5", "train.labels=given")
    assert signed_in.log == []


def test_a_model_with_a_link_to_something_else_is_not_sent(here, signed_in, tmp_path):
    shutil.copytree(TINY / "models" / "tiny", "models/tiny")
    (tmp_path / "secret").write_text("hunter2")
    (here.bundle("tiny") / "graph" / "graph.bin").unlink()
    (here.bundle("tiny") / "graph" / "graph.bin").symlink_to(tmp_path / "secret")
    refused("graph.bin is a link out of its model's folder", "train.teacher=tiny")
    assert signed_in.log == []


def test_a_lost_answer_makes_no_second_kernel(here, signed_in, fault, capfd):
    signed_in.fail("SaveKernel", fault(drop="after"))
    train()
    assert signed_in.kernels.versions() == {slug(): 1}
    signed_in.fail("SaveKernel", fault(status=502), fault(drop="before"))
    refused("Kaggle does not take the kernel .*: the same command tries again", "train.seed=1")
    train("train.seed=1")
    assert sorted(signed_in.kernels.versions().values()) == [1, 1]
    assert "the answer was lost" in capfd.readouterr().err


def test_a_kernel_made_by_hand_is_never_overwritten(here, signed_in):
    train(wait=False)
    name = slug()
    shutil.rmtree(here.models)
    signed_in.kernels.by_hand(name, "print('mine')")
    refused(f"{name} is there, and was not made by this command: it is not overwritten; rename or delete")
    assert signed_in.kernels.sessions[name][0].body["text"] == "print('mine')"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"error": "Phone verification is required to use a GPU."},
            "verify a phone number at https://www.kaggle",
        ),
        ({"error": "You have exceeded your weekly GPU quota."}, "no GPU hours left for this account"),
        ({"error": "Something else"}, "Kaggle does not take the kernel: Something else"),
        ({"invalidCompetitionSources": [SLUG]}, f"accept its rules at .*{SLUG}/rules"),
        ({"invalidDatasetSources": ["ada/x\x1b[31m"]}, r"does not know ada/x \[31m, which the kernel reads"),
    ],
)
def test_a_refusal_in_the_clothes_of_a_success_is_one(here, signed_in, answer, words):
    signed_in.kernels.error = answer.get("error", "")
    signed_in.kernels.invalid = answer
    refused(words)
    assert not list(here.root.iterdir()), "a kernel is waited for that is not there"
    signed_in.kernels.error, signed_in.kernels.invalid = "", {}
    assert train().files


def test_without_gpu_hours_no_kernel_is_started(here, signed_in):
    signed_in.kernels.quota = (29.9, 30.0)
    refused("0.1 of 30 GPU hours are left this week: wait .* --set machine.device=cpu")
    assert signed_in.calls("SaveKernel") == 0
    assert train("machine.device=cpu").files
    signed_in.kernels.quota = (26.0, 30.0)
    train("train.seed=1")
    assert [v[0].body["sessionTimeoutSeconds"] for v in signed_in.kernels.sessions.values()] == [31500, 14400]


def test_a_quota_that_is_not_told_stops_nothing(here, signed_in, fault):
    signed_in.fail("GetAcceleratorQuotaStatistics", *[fault(status=403, body={})] * 2)
    assert train().files


# -- how it is found again ---------------------------------------------------------------------------


def test_the_same_command_finds_the_kernel_again(here, signed_in, capfd):
    outcome = train(wait=False)
    assert outcome.files is None
    refused("train-mine runs at Kaggle already, .*`fercomp kernels cancel train-mine`", "train.seed=1")
    sessions = [versions[-1] for versions in signed_in.kernels.sessions.values()]
    while any(session.status != "COMPLETE" for session in sessions):
        time.sleep(0.01)
    assert train(wait=False).files and train().files
    shutil.rmtree(here.models / ".kaggle")  # as on another machine
    assert train(agree=lambda: pytest.fail("asked for a kernel that is there")).files
    assert signed_in.calls("SaveKernel") == 1
    train(anew=True)
    assert signed_in.calls("SaveKernel") == 2 and len(signed_in.kernels.sessions) == 2


def test_other_lines_of_the_parameters_do_not_hide_a_run(here, signed_in):
    here.params.write_text("train: {epochs: 7}\n")
    train(wait=False)
    here.params.write_text("# a remark\ntrain: {epochs: 7}\nexperiments: {other: {epochs: 9}}\n")
    assert train().files and signed_in.calls("SaveKernel") == 1


def test_only_what_a_model_answers_by_tells_a_run(here):
    """Of an ensemble that teaches and predicts: not what was made with it later, or lies beside it."""
    card = json.loads((TINY / "models" / "tiny" / "card.json").read_text())
    folder = here.bundle("both")
    for place in (folder, folder / "members" / "tiny", folder / "members" / "stale"):
        shutil.copytree(TINY / "models" / "tiny", place)
    card |= {"members": [{"name": "tiny", "weight": 1.0}], "files": {}}
    (folder / "card.json").write_text(json.dumps(card))
    params = load_params(here.params, (*SET, "train.teacher=both"))

    def jobs():
        return train_job("mine", None, (), params, here), predict_job("both", (), params, here)

    def told():
        return [job.fingerprint for job in jobs()]

    before = told()
    names = ("card.json", "graph/graph.bin", "graph/graph.xml", "model.keras")
    expected = [f"models/both/{place}{name}" for place in ("", "members/tiny/") for name in names]
    assert [sorted(job.work.files) for job in jobs()] == [sorted(expected)] * 2
    for place in (folder, folder / "members" / "tiny"):
        for name in ("metrics.json", "robustness.csv", "model-card.md", ".part.card.json", "test_probs.csv"):
            (place / name).write_text("made later")
    assert told() == before
    (folder / "oof.csv").write_text("other answers of the teacher")
    assert [a == b for a, b in zip(told(), before, strict=True)] == [False, True]
    (folder / "members" / "tiny" / "graph" / "graph.bin").write_bytes(b"another network")
    assert not {*told()} & {*before}


def test_a_kernel_that_was_deleted_at_kaggle_is_told_and_forgotten(here, signed_in):
    train()
    signed_in.kernels.sessions.clear()
    shutil.rmtree(signed_in.kernels.root)
    told = r"does not show .*fercomp-train-mine-\w+-1 \(403 .*\): was it deleted\? `fercomp kernels cancel`"
    for wait in (True, False):
        refused(told, wait=wait)
    for act in (show_run, bring_run):
        with pytest.raises(FercompError, match=told):
            act(NAME, here)
    assert cancel_run(NAME, here) == []
    assert not (here.models / ".kaggle").exists()
    assert train().files


def test_after_a_failure_the_same_command_starts_another_kernel_that_goes_on(here, signed_in, capfd):
    def play(session):
        number = int(session.slug[-1])
        if number == 1:
            leave(session, {"models/.training/mine.npz": b"1"}, "cut")
        elif number == 2:
            fail(session, "one", "two", failure=CUT_OFF)
        else:
            leave(session, bundle())

    signed_in.kernels.play = play
    refused(r"the kernel failed \(Your notebook was stopped because .*\), its last lines are above")
    assert "  one\n  two\n" in capfd.readouterr().err
    assert train().files
    sessions = [v[0] for v in signed_in.kernels.sessions.values()]
    first = sessions[0].slug
    assert [s.job["after"] for s in sessions] == ["", first, first]


def test_a_run_that_gets_no_further_ends(here, signed_in):
    signed_in.kernels.play = lambda session: leave(session, {"models/.training/mine.npz": b"1"}, "cut")
    refused("got no further in its session than the one before: what it saves after, an epoch or 10,000")
    assert len(signed_in.kernels.sessions) == 2
    signed_in.kernels.play = lambda session: leave(session, {}, "cut")
    refused("got no further", name="other")


def test_questions_without_an_answer_are_asked_again(here, signed_in, fault):
    signed_in.fail("GetKernelSessionStatus", *[fault(status=500)] * 12, fault(status=403, body={}))
    assert train().files
    signed_in.fail("GetKernelSessionStatus", *[fault(status=403, body={})] * 3)
    assert train(wait=False).files


def test_it_is_asked_often_again_when_the_state_has_changed(monkeypatch):
    pauses = []
    clock = SimpleNamespace(sleep=pauses.append, monotonic=lambda: sum(pauses))
    states = iter([*["queued"] * 6, *["running"] * 3, "complete"])
    monkeypatch.setattr(polling, "time", clock)
    monkeypatch.setattr(
        following, "LogTail", lambda kaggle, slug: nullcontext(SimpleNamespace(new_lines=list))
    )
    monkeypatch.setattr(following, "kernel_status", lambda kaggle, slug: KernelStatus(next(states), ""))
    assert following._wait("mine", None).state == "complete"
    assert pauses == pytest.approx([10, 15, 22.5, 33.75, 50.625, 60, 10, 15, 22.5])


# -- what is taken -----------------------------------------------------------------------------------


def entry(path, content=b"x", stored=None):
    digest = hashlib.sha256(content).hexdigest()
    return {"path": path, "stored": stored or path, "sha256": digest, "bytes": len(content)}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([entry("models/mine/../../../x")], "is not a plain path"),
        ([entry("/etc/passwd")], "is not a plain path"),
        ([entry("models\\mine\\x")], "is not a plain path"),
        ([entry("C:/x")], "is not a plain path"),
        ([entry("models/mine/a\nb")], "is not a plain path"),
        ([entry("models/mine/.")], "is not a plain path"),
        ([entry("models/mine//x")], "is not a plain path"),
        ([entry("models/mine/x", stored="../x")], "is not a plain path"),
        ([entry("models/other/card.json")], "left models/other/card.json, which this command does not write"),
        ([entry(".git/hooks/pre-commit")], "which this command does not write"),
        ([entry("models/mine/x"), entry("models/mine/x")], "names a file twice"),
        ([{**entry("models/mine/x"), "bytes": -1}], "files.0.bytes"),
        ([{**entry("models/mine/x"), "bytes": 10**12}], "files.0.bytes"),
        (
            [{**entry(f"models/mine/{i}"), "bytes": 15 * 10**9} for i in (1, 2)],
            "more than 20,000,000,000 bytes",
        ),
        ([{**entry("models/mine/x"), "sha256": "../x"}], "files.0.sha256"),
        ("x", "is not one of fercomp's"),
    ],
)
def test_a_manifest_of_a_stranger_takes_nothing_along(here, signed_in, files, words):
    signed_in.kernels.play = lambda session: leave(session, {}, files=files)
    before = contents(here.root)
    refused(words)
    after = {name: v for name, v in contents(here.root).items() if not name.startswith("models/.kaggle/")}
    assert after == before


def test_a_manifest_of_another_run_or_none_is_told(here, signed_in):
    signed_in.kernels.play = lambda session: leave(session, {}, run="0" * 64)
    refused("is that of another run: nothing was taken")
    signed_in.kernels.play = lambda session: setattr(session, "status", "COMPLETE")
    refused("the kernel has ended and left no fercomp/manifest.json", name="other")


def test_bytes_that_are_not_those_of_the_manifest_are_not_taken(here, signed_in, monkeypatch):
    monkeypatch.setattr(receive, "PAUSE", 0.0)

    def spoil(session):
        leave(session, bundle())
        card = session.working / "fercomp/models/mine/card.json"
        card.write_bytes(card.read_bytes()[:-2] + b" }")

    signed_in.kernels.play = spoil
    refused("fercomp/models/mine/card.json .* is not what its manifest says")
    assert not here.bundle("mine").exists()

    def grow(session):
        leave(session, bundle("other"))
        with (session.working / "fercomp/models/other/card.json").open("ab") as file:
            file.write(b" " * 1000)

    signed_in.kernels.play = grow
    refused("the download has more than [0-9,]+ bytes: look at https", name="other")


def test_addresses_that_expire_and_connections_that_break_cost_nothing(here, signed_in, fault):
    signed_in.kernels.expired = 3
    signed_in.fail("GET", fault(cut=10), fault(status=500), fault(drop="before"))
    train()
    assert contents(here.bundle("mine")) == contents(TINY / "models" / "tiny")


def test_what_is_in_the_place_of_a_file_that_is_brought_is_told_or_mended(here, signed_in, tmp_path):
    train(wait=False)
    card = bundle()["models/mine/card.json"]
    name, own = hashlib.sha256(card).hexdigest(), tmp_path / "own"
    own.write_bytes(card)
    files = here.models / ".kaggle" / "files"
    files.mkdir()
    for place in (name, f"{name}.part", f"{name}.part.json", f"{slug()}.manifest.json"):
        (files / place).mkdir()
        refused(f"files/{place} is a folder, a file was expected: move it away")
        (files / place).rmdir()
        (files / place).symlink_to(own)
        assert train().files
        assert not (here.bundle("mine") / "card.json").is_symlink()
        assert contents(here.bundle("mine")) == contents(TINY / "models" / "tiny") and not files.exists()
        files.mkdir()
    assert own.read_bytes() == card and own.stat().st_nlink == 1
    assert signed_in.calls("SaveKernel") == 1


def test_five_hundred_files_on_many_pages(here, signed_in, monkeypatch):
    many = {**bundle(), **{f"models/mine/{i}.txt": b"%d" % (i // 100) for i in range(500)}}
    signed_in.kernels.play, signed_in.kernels.page = lambda session: leave(session, many), 200
    train()
    assert len(contents(here.bundle("mine"))) == len(many) - 1
    assert signed_in.calls("GET") < 40, "equal files are brought once"


def test_output_over_what_kaggle_keeps_or_the_disk_has_is_not_begun(here, signed_in, monkeypatch):
    monkeypatch.setattr(outputs, "MOST_BYTES", 1000)
    refused("says that it left more than 1,000 bytes")
    monkeypatch.undo()


def test_tables_that_are_here_stay(here, signed_in, capfd):
    here.photos.parent.mkdir()
    here.photos.write_text("mine")
    train()
    assert here.photos.read_text() == "mine"
    assert "photos.csv is kept; at Kaggle it came out otherwise" in capfd.readouterr().err


def test_a_model_that_was_here_is_replaced_as_a_whole(here, signed_in):
    shutil.copytree(TINY / "models" / "tiny", here.bundle("mine"))
    (here.bundle("mine") / "old.txt").write_text("old")
    train()
    assert contents(here.bundle("mine")) == contents(TINY / "models" / "tiny")


# -- other commands ----------------------------------------------------------------------------------


def test_predict_sends_the_model_and_brings_its_table(here, signed_in):
    shutil.copytree(TINY / "models" / "tiny", "models/tiny")
    (here.bundle("tiny") / "test_probs.csv").write_text("old")
    before = contents(here.bundle("tiny"))
    signed_in.kernels.play = lambda session: leave(session, {"models/tiny/test_probs.csv": b"new"})
    params = load_params(here.params, SET)
    assert run_remote(predict_job(None, SET, params, here), here, lambda: True).files
    changed = {name for name, digest in contents(here.bundle("tiny")).items() if digest != before[name]}
    assert changed == {"test_probs.csv"}
    ((session,),) = signed_in.kernels.sessions.values()
    with signed_in.kernels.packed(session) as archive:
        names = archive.getnames()
        least = archive.extractfile("vendored/keras/least").read().decode()
    assert "models/tiny/card.json" in names and "models/tiny/test_probs.csv" not in names
    with zipfile.ZipFile(here.bundle("tiny") / "model.keras") as network:
        assert least == json.loads(network.read("metadata.json"))["keras_version"]


def test_a_predict_that_is_cut_off_goes_on_from_its_parts(here, signed_in):
    shutil.copytree(TINY / "models" / "tiny", "models/tiny")
    part, whole = (f"models/tiny/test_probs{tag}.csv" for tag in (".part-1-of-2", ""))

    def play(session):
        if session.job["after"]:
            leave(session, {whole: b"all"})
        elif any(fnmatchcase(part, pattern) for pattern in session.job["cut"]):
            leave(session, {part: b"half"}, "cut")

    signed_in.kernels.play = play
    job = predict_job("tiny", SET, load_params(here.params, SET), here)
    (table, *_) = run_remote(job, here, lambda: True).files
    assert table.read_bytes() == b"all"
    assert len(signed_in.kernels.sessions) == 2


def test_crossval_brings_the_folds_it_goes_on_from(here, signed_in):
    folds = {name.replace("models/mine", "models/.training/folds/mine-0"): c for name, c in bundle().items()}
    signed_in.kernels.play = lambda session: leave(session, {**bundle(), **folds})
    params = load_params(here.params, SET)
    run_remote(crossval_job("mine", None, SET, params, here), here, lambda: True)
    assert contents(here.training / "folds" / "mine-0") == contents(here.bundle("mine"))


def test_repro_needs_a_pipeline_and_the_competition(here):
    file = here.root / "params.mine.yaml"
    file.write_text("fetch: {source: demo}\n")
    with pytest.raises(FercompError, match=r"fetch\.source demo, which is not at Kaggle: set it to kaggle"):
        repro_job(file, load_params(file), here)
    file.write_text("fetch: {source: kaggle}\n")
    with pytest.raises(FercompError, match=r"dvc\.yaml is not here: run this in a clone"):
        repro_job(file, load_params(file), here)


def test_a_pipeline_with_a_link_to_something_else_is_not_sent(here, tmp_path):
    file = here.root / "params.mine.yaml"
    file.write_text("fetch: {source: kaggle}\n")
    (here.root / "dvc.yaml").write_text("stages: {}\n")
    (here.root / "pipelines").mkdir()
    (here.root / "pipelines" / "mine.yaml").symlink_to("../dvc.yaml")
    (here.models / ".training").parent.mkdir()
    (here.models / ".training").symlink_to(tmp_path, target_is_directory=True)
    assert "pipelines/mine.yaml" in repro_job(file, load_params(file), here).work.files
    (tmp_path / "secret").write_text("hunter2")
    (here.root / "pipelines" / "notes").symlink_to(tmp_path / "secret")
    with pytest.raises(FercompError, match="pipelines/notes is a link out of this folder"):
        repro_job(file, load_params(file), here)


def test_runs_are_shown_brought_and_cancelled(here, signed_in, monkeypatch):
    signed_in.kernels.play = lambda session: setattr(session, "status", "RUNNING")
    train(wait=False)
    ((session,),) = signed_in.kernels.sessions.values()
    while session.status == "QUEUED":
        time.sleep(0.01)
    session.lines = ["epoch 1"]
    monkeypatch.setattr(control, "LISTEN", 0.3)
    state, page, lines = show_run(NAME, here)
    assert (state, lines) == ("running", ["epoch 1"]) and page.endswith(session.slug)
    with pytest.raises(FercompError, match="train-mine is running: try again later"):
        bring_run(NAME, here)
    leave(session, bundle())
    here.bundle("mine").write_text("mine")
    with pytest.raises(FercompError, match="models/mine is a file, a folder was expected"):
        bring_run(NAME, here)
    assert signed_in.calls("GET") == 0
    here.bundle("mine").unlink()
    assert here.bundle("mine").resolve() in [path.resolve() for path in bring_run(NAME, here)]
    assert not (here.models / ".kaggle" / "files").exists()
    cancel_run(NAME, here)
    assert signed_in.kernels.sessions == {} and read_run(NAME, here) is None
    with pytest.raises(FercompError, match="'train-mine'"):
        show_run(NAME, here)


def test_a_run_that_was_cut_says_how_it_goes_on(here, signed_in):
    signed_in.kernels.play = lambda session: leave(session, bundle(), state="cut")
    train(wait=False)
    ((session,),) = signed_in.kernels.sessions.values()
    while session.status != "COMPLETE":
        time.sleep(0.01)
    with pytest.raises(FercompError, match=f"type `fercomp train --name mine --set {SET[0]} --on kaggle`"):
        bring_run(NAME, here)
    run = read_run(NAME, here).model_copy(update={"words": ("submit", "--kernel", "--model", "mine")})
    assert run.typed == "fercomp submit --kernel --model mine"


def test_a_run_of_another_account_is_neither_ended_nor_forgotten(here, signed_in):
    train()
    path = here.models / ".kaggle" / f"{NAME}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "owner": "bob"}))
    for act in (show_run, bring_run, cancel_run):
        with pytest.raises(FercompError, match="for bob, and these credentials are those of ada: sign in as"):
            act(NAME, here)
    assert path.is_file() and len(signed_in.kernels.sessions) == 1


def test_a_damaged_record_is_told(here, signed_in):
    train()
    signed_in.kernels.play = lambda session: leave(session, bundle("other"))
    train(name="other")
    path = here.models / ".kaggle" / f"{NAME}.json"
    path.write_text(
        json.dumps({**json.loads(path.read_text()), "parts": [{"slug": "../x", "state": "done"}]})
    )
    refused("train-mine.json is damaged: look at https://www.kaggle.com/code")
    assert show_run("train-other", here)[0] == "complete"
    assert len(cancel_run("train-other", here)) == 1
    assert run_names(here) == [NAME]
