"""Submissions to the loopback server: each slot is spent once, whatever breaks."""

import json
import os
import signal
import time
from pathlib import Path

import pandas as pd
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256, write_json
from fercomp.core.paths import Workspace
from fercomp.kaggle.client import transport
from fercomp.kaggle.submissions import pending
from fercomp.kaggle.submissions import submit as module
from fercomp.kaggle.submissions.candidate import LONGEST_MESSAGE, choose, tag_of
from fercomp.kaggle.submissions.history import HISTORY_TABLE, kaggle_scores, read_history
from fercomp.kaggle.submissions.refresh import refresh
from fercomp.kaggle.submissions.submit import submit
from fercomp.modeling.bundle.card import CARD, Card

SLUG = "faces-in-the-test"  # as in conftest.py
CSV = "image_path,emotion\n0.jpg,happy\n1.jpg,sad\n"
USED_UP = "Submission not allowed: Your team has used its daily Submission allowance (5) today."


def fill(root: Path) -> Workspace:
    """Writes a sample, a model's card, and its CSV."""
    workspace = Workspace(root)
    workspace.raw.mkdir(parents=True)
    workspace.sample_submission.write_text("image_path,emotion\n0.jpg,neutral\n1.jpg,neutral\n")
    workspace.bundle("mine").mkdir(parents=True)
    card = Card(
        name="mine",
        backbone="compact",
        classes=("happy", "sad"),
        size=48,
        margin=0.1,
        runtime="openvino",
        trained={"params": {"epochs": 3}},
        scores={"accuracy": 0.60342},
    )
    write_json(workspace.bundle("mine") / CARD, card.model_dump())
    workspace.submission("mine").parent.mkdir()
    workspace.submission("mine").write_text(CSV)
    return workspace


@pytest.fixture
def work(tmp_path, monkeypatch):
    workspace = fill(tmp_path / "work")
    monkeypatch.chdir(workspace.root)
    return Workspace()


def send(work, csv=None, message=None, **options):
    return submit(choose(csv, message, work), work, SLUG, **options)


def rows(work):
    return read_history(work).to_dict("records")


# -- the ordinary way -------------------------------------------------------------------------------


def test_the_newest_models_csv_is_sent_and_written_down(signed_in, work):
    outcome = send(work, message="first try")
    (sent,) = signed_in.submissions
    digest = sha256(work.submission("mine"))
    assert sent["content"] == CSV.encode()
    assert sent["description"] == f"first try [sha256:{digest[:12]}]"
    assert (outcome.ref, outcome.left, outcome.resumed) == (1000, 5, False)
    assert (outcome.score.public, outcome.score.private) == ("0.61234", "")
    (row,) = rows(work)
    assert list(row) == list(HISTORY_TABLE.columns)
    assert row["file"] == "submissions/mine.csv"
    assert (row["sha256"], row["message"]) == (digest, sent["description"])
    assert (row["experiment"], json.loads(row["params"])) == ("mine", {"epochs": 3, "recipe": 1})
    assert (row["holdout_accuracy"], row["public"], row["private"]) == ("0.6034", "0.61234", "")
    assert (row["ref"], row["status"]) == ("1000", "complete")
    assert pd.Timestamp(row["time"]).tzinfo is not None
    assert not work.sending.exists()


@pytest.mark.parametrize(
    ("column", "value"),
    [("ref", "x"), ("ref", "1.0"), ("ref", "-3"), ("ref", "9" * 19)]
    + [(column, value) for column in ("public", "private") for value in ("inf", "nan", "high", ".", "0,5")],
)
def test_a_record_with_other_numbers_is_not_read(signed_in, work, column, value):
    send(work, wait=False)
    HISTORY_TABLE.write(read_history(work).assign(**{column: value}), work.history)
    with pytest.raises(FercompError, match=rf"history\.csv, line 2 has '{value}' as {column}: "):
        send(work)
    if column != "ref":
        best = kaggle_scores(work)["mine"][column == "private"]
        assert str(best) == "nan"


@pytest.mark.parametrize(
    "score", ["nan", "NaN", "inf", "-Infinity", "1e999", "9" * 400, "0,5", "1_0", "\u0661", "soon"]
)
def test_a_score_that_is_no_finite_number_is_not_written_down(signed_in, work, score):
    """It would make a record that the next command refuses."""
    signed_in.score = score
    assert send(work).score.public == ""
    assert (rows(work)[0]["status"], rows(work)[0]["public"]) == ("complete", "")
    signed_in.score = "-1.5e-3"
    refresh(work, SLUG)
    assert rows(work)[0]["public"] in ("", "-1.5e-3")


def test_a_row_without_kaggles_number_is_looked_for_at_kaggle(signed_in, work):
    send(work, wait=False)
    HISTORY_TABLE.write(read_history(work).assign(ref=""), work.history)
    with pytest.raises(FercompError, match="was sent before"):
        send(work)
    signed_in.submissions.clear()
    assert send(work).ref == 1000


def test_the_backbone_table_reads_the_scores(signed_in, work):
    send(work)
    assert kaggle_scores(work)["mine"][0] == 0.61234


def test_the_message_is_the_models_by_default(signed_in, work):
    assert choose(None, None, work).message.startswith("mine, holdout accuracy 0.6034 [sha256:")
    other = work.root / "by hand.csv"
    other.write_text(CSV)
    assert choose(other, None, work).message.startswith("by hand.csv [sha256:")
    assert choose(other, None, work).origin.experiment == ""


def test_without_a_name_the_csv_written_last_is_sent(signed_in, work):
    for age, name in enumerate(("study-weighted", "bench-compact", "by hand", "mine", ".mine.x")):
        work.submission(name).write_text(CSV)
        os.utime(work.submission(name), (time.time() - 10 * age,) * 2)
    assert choose(None, None, work).path == work.submission("by hand")
    os.utime(work.submission("mine"), (time.time() + 10,) * 2)
    assert choose(None, None, work).path == work.submission("mine")
    work.history.write_text("time\n")
    for name in ("mine", "by hand"):
        work.submission(name).unlink()
    with pytest.raises(FercompError, match=r"no CSV in submissions: run `fercomp predict` and"):
        choose(None, None, work)


def test_a_dry_run_sends_nothing(signed_in, work):
    outcome = send(work, dry_run=True)
    assert (outcome.ref, outcome.left) == (None, 5)
    assert signed_in.calls("StartSubmissionUpload") == 0
    assert not work.history.exists()


def test_a_slow_score_is_waited_for(signed_in, work):
    signed_in.polls = 4
    assert send(work).score.public == "0.61234"
    assert signed_in.calls("GetSubmission") == 5


def test_a_score_that_does_not_come_is_left_for_later(signed_in, work, monkeypatch):
    signed_in.polls = 10**6
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    assert send(work).score is None
    assert rows(work)[0]["status"] == "pending"
    signed_in.polls = 0
    refresh(work, SLUG)
    assert (rows(work)[0]["status"], rows(work)[0]["public"]) == ("complete", "0.61234")


def test_trouble_while_waiting_does_not_lose_the_submission(signed_in, work, fault, capsys):
    signed_in.polls = 1
    signed_in.fail("GetSubmission", *[fault(status=503)] * 20)
    assert send(work).score is None
    assert "the file is with Kaggle" in capsys.readouterr().err
    signed_in.faults.clear()
    assert send(work).resumed
    assert len(signed_in.submissions) == 1
    assert rows(work)[0]["public"] == "0.61234"


@pytest.mark.parametrize("status", [403, 404])
def test_a_score_that_is_refused_for_a_moment_is_waited_for(signed_in, work, fault, status):
    signed_in.fail("GetSubmission", fault(status=status), fault(status=status))
    assert send(work).score.public == "0.61234"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_score_that_is_refused_does_not_lose_the_submission(signed_in, work, fault, capsys, status):
    signed_in.fail("GetSubmission", *[fault(status=status)] * 20)
    assert send(work).score is None
    told = capsys.readouterr().err
    assert f"{status} " in told and "the file is with Kaggle as 1000" in told
    assert "no competition" not in told
    signed_in.faults.clear()
    refresh(work, SLUG)
    assert rows(work)[0]["public"] == "0.61234"


def test_a_score_that_is_a_number(signed_in, work):
    signed_in.score = 0.61
    assert send(work).score.public == "0.61"


def test_a_csv_that_kaggle_rejects(signed_in, work):
    signed_in.rejected = "Row 2: label 'happy' is not known"
    with pytest.raises(FercompError, match=r"rejected submissions/mine\.csv: Row 2: label 'happy' is not"):
        send(work)
    assert rows(work)[0]["status"] == "error"


# -- what is refused before anything is sent --------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("image_path,emotion\n0.jpg,happy\n", "1 rows, 2 were expected"),
        ("image_path,emotion\n1.jpg,happy\n0.jpg,sad\n", "the right ids in another order"),
        ("image_path,emotion\n0.jpg,joy\n1.jpg,sad\n", "unknown classes"),
        ("id,emotion\n0.jpg,sad\n1.jpg,sad\n", "lacks the columns"),
        ("", "not a CSV table"),
        (
            ",image_path,emotion\n0,0.jpg,happy\n1,1.jpg,sad\n",
            r"columns \['', 'image_path', 'emotion'\]",
        ),
        ("Unnamed: 0,image_path,emotion\n0,0.jpg,happy\n1,1.jpg,sad\n", "has the columns"),
        ("image_path,emotion,\n0.jpg,happy,\n1.jpg,sad,\n", "has the columns"),
        ("image_path,emotion,score\n0.jpg,happy,1\n1.jpg,sad,1\n", "has the columns"),
        ("emotion,image_path\nhappy,0.jpg\nsad,1.jpg\n", "sample_submission.csv has"),
        ("image_path,emotion,emotion\n0.jpg,happy,sad\n1.jpg,happy,sad\n", "more than once"),
        ("image_path,emotion,image_path\n0.jpg,happy,0.jpg\n1.jpg,sad,1.jpg\n", "more than once"),
        ("image_path,emotion,emotion.1\n0.jpg,happy,sad\n1.jpg,happy,sad\n", "has the columns"),
        ("image_path,emotion\n0.jpg,happy,\n1.jpg,sad,\n", "more values than columns"),
        ("image_path,emotion\n0.jpg,happy\n1.jpg,sad,\n", "not a CSV table"),
        ("image_path,emotion\n0.jpg,happy\n1.jpg\n", "unknown classes"),
        ("image_path;emotion\n0.jpg;happy\n1.jpg;sad\n", "lacks the columns"),
        ("0.jpg,happy\n1.jpg,sad\n", "lacks the columns"),
    ],
)
def test_a_csv_that_does_not_fit_the_sample(signed_in, work, text, told):
    work.submission("mine").write_text(text)
    with pytest.raises(FercompError, match=told):
        send(work)
    assert signed_in.log == []


@pytest.mark.parametrize("text", ["\ufeff{}", "{}\n\n", "\n{}"])
def test_what_pandas_reads_alike_is_sent(signed_in, work, text):
    work.submission("mine").write_text(text.format(CSV), encoding="utf-8")
    assert send(work).ref is not None


def test_a_csv_older_than_its_model(signed_in, work):
    card = work.bundle("mine") / CARD
    os.utime(card, (time.time() + 10,) * 2)
    with pytest.raises(FercompError, match=r"is older than the model mine.*fercomp submission --model mine"):
        send(work)


def test_a_missing_csv_and_a_long_message(signed_in, work):
    with pytest.raises(FercompError, match=r"no\.csv not found: run"):
        choose(Path("no.csv"), None, work)
    with pytest.raises(FercompError, match=f"has 301 characters: at most {LONGEST_MESSAGE}"):
        choose(None, "x" * 301, work)


def test_the_same_bytes_are_not_sent_twice(signed_in, work):
    send(work)
    copy = work.root / "copy.csv"
    copy.write_text(CSV)
    for csv in (None, copy):
        with pytest.raises(FercompError, match=r"was sent before \(at 2026-11-24.*0\.61234.*--force"):
            send(work, csv, "again")
        with pytest.raises(FercompError, match="was sent before"):
            send(work, csv, dry_run=True)
    work.history.unlink()  # Kaggle's list is the witness, not ours
    with pytest.raises(FercompError, match="was sent before"):
        send(work)
    assert len(signed_in.submissions) == 1
    assert send(work, force=True).ref == 1001
    assert len(signed_in.submissions) == 2


def test_bytes_without_a_score_yet_are_not_sent_again_even_by_force(signed_in, work):
    signed_in.polls = 10**6
    assert send(work, wait=False).score is None
    for force in (False, True):
        with pytest.raises(FercompError, match="was sent before"):
            send(work, wait=False, force=force)
    signed_in.polls = 0
    outcome = send(work, force=True)
    assert (outcome.resumed, outcome.ref, outcome.score.public) == (True, 1000, "0.61234")
    assert len(signed_in.submissions) == 1


def test_the_same_bytes_are_known_by_the_record_where_the_message_was_edited(signed_in, work):
    send(work)
    signed_in.submissions[0]["description"] = "edited at Kaggle"
    with pytest.raises(FercompError, match=r"was sent before \(at 2026-11-24.*0\.61234.*--force"):
        send(work)
    assert len(signed_in.submissions) == 1
    assert send(work, force=True).ref == 1001


def test_other_bytes_may_follow(signed_in, work):
    send(work)
    work.submission("mine").write_text(CSV.replace("sad", "fear"))
    assert send(work).ref == 1001
    assert [row["ref"] for row in rows(work)] == ["1000", "1001"]


def test_no_slot_left(signed_in, work):
    send(work)
    signed_in.quota = 0
    work.submission("mine").write_text(CSV.replace("sad", "fear"))
    told = r"no submission is left for today \(1 sent\): .* at 00:00 UTC, in \d+\.\d hours"
    with pytest.raises(FercompError, match=told):
        send(work)
    assert signed_in.calls("StartSubmissionUpload") == 1


def test_before_the_first_submission_kaggle_may_not_know_the_quota(signed_in, work, fault):
    signed_in.fail("GetSubmissionLimits", fault(status=200, body={}))
    assert send(work).left is None


@pytest.mark.parametrize("status", [403, 404, 501, 503])
@pytest.mark.parametrize("question", ["GetSubmissionLimits", "GetCompetition"])
def test_a_question_that_kaggle_does_not_answer_stops_nothing(
    signed_in, work, fault, capsys, question, status
):
    signed_in.fail(question, *[fault(status=status)] * 9)
    outcome = send(work)
    assert (outcome.ref, outcome.score.public) == (1000, "0.61234")
    assert outcome.left is None or question == "GetCompetition"
    told = capsys.readouterr().err
    assert told.startswith("Kaggle does not say ") and f"{status} " in told and "no competition" not in told


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            {"isKernelsSubmissionsOnly": True},
            "is a code competition, which takes notebooks and no CSV: run `fercomp submit --kernel`",
        ),
        ({"submissionsDisabled": True}, "faces-in-the-test takes no submissions: https"),
        ({"userHasEntered": False}, r"has not joined faces-in-the-test: accept its rules at https.*/rules"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_forbids_a_submission_is_told_before_anything_is_uploaded(
    signed_in, work, answer, told, dry_run
):
    signed_in.competition = answer
    with pytest.raises(FercompError, match=told) as error:
        send(work, dry_run=dry_run)
    assert "\n" not in str(error.value)
    assert signed_in.calls("StartSubmissionUpload") == 0


def test_a_team_that_has_submitted_is_in_whatever_kaggle_says_of_the_account(signed_in, work):
    send(work)
    signed_in.competition = {"userHasEntered": False}
    work.submission("mine").write_text(CSV.replace("sad", "fear"))
    assert send(work).ref == 1001


def test_after_the_deadline_a_submission_is_late(signed_in, work, capsys):
    signed_in.competition = {"deadline": "2020-01-31T23:59:00Z"}
    assert send(work).ref == 1000
    assert "the deadline was 2020-01-31 23:59 UTC: this one is late" in capsys.readouterr().err


def test_an_answer_about_the_competition_that_makes_no_sense(signed_in, work, capsys):
    signed_in.competition = {"deadline": "soon", "teamCount": "many"}
    assert send(work).ref == 1000
    assert "Kaggle does not say what the competition is like" in capsys.readouterr().err


def test_the_quota_may_be_used_up_by_a_team_mate_meanwhile(signed_in, work, fault):
    answer = {"error": {"code": 400, "message": USED_UP}}
    signed_in.fail("CreateSubmission", fault(status=400, body=answer))
    with pytest.raises(FercompError, match=r"no submission is left.*in \d+\.\d hours"):
        send(work)
    assert not work.sending.exists()
    assert rows(work) == []


def test_a_code_competition(signed_in, work, fault):
    answer = {"code": 400, "message": "Submission not allowed: this competition only accepts Notebooks."}
    signed_in.fail("StartSubmissionUpload", fault(status=400, body=answer))
    with pytest.raises(FercompError, match="is a code competition, which takes notebooks"):
        send(work)


def test_what_kaggle_says_of_a_csv_is_said(signed_in, work, fault):
    answer = {"error": {"code": 400, "message": "Evaluation exception: wrong columns"}}
    signed_in.fail("CreateSubmission", fault(status=400, body=answer))
    with pytest.raises(FercompError, match=r"refuses \(400\): Evaluation exception: wrong columns"):
        send(work)
    assert send(work).ref == 1000  # it may be tried again


def test_two_at_once(signed_in, work):
    from fercomp.core.locks import exclusive

    with exclusive(work.submissions, "mine"), pytest.raises(FercompError, match="another fercomp is sending"):
        send(work)


# -- lost answers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("listed_after", [0.0, 0.3])
def test_a_lost_answer_is_looked_for_and_found(signed_in, work, fault, listed_after):
    signed_in.delay_listing = listed_after
    signed_in.fail("CreateSubmission", fault(drop="after"))
    outcome = send(work)
    assert (outcome.ref, outcome.score.public) == (1000, "0.61234")
    assert len(signed_in.submissions) == 1
    assert [row["status"] for row in rows(work)] == ["complete"]


@pytest.mark.parametrize("how", [{"drop": "before"}, {"status": 503}, {"status": 200, "body": b"<html>"}])
def test_a_request_that_never_arrived_is_sent_again_once_kaggle_would_list_it(signed_in, work, fault, how):
    signed_in.fail("CreateSubmission", fault(**how))
    begun = time.monotonic()
    assert send(work).ref == 1000
    assert time.monotonic() - begun >= pending.SETTLE
    assert len(signed_in.submissions) == 1
    assert signed_in.calls("CreateSubmission") == 2


def test_an_answer_that_is_lost_twice(signed_in, work, fault):
    signed_in.fail("CreateSubmission", fault(drop="before"), fault(drop="before"))
    with pytest.raises(FercompError, match="lost twice, and Kaggle does not list the file"):
        send(work)
    assert signed_in.submissions == []


def test_a_lost_answer_and_no_kaggle_to_look_at(signed_in, work, fault):
    signed_in.fail("CreateSubmission", fault(drop="after"))
    signed_in.fail("ListSubmissions", fault(), *[fault(status=503)] * 20)
    with pytest.raises(FercompError, match="in trouble"):
        send(work)
    assert work.sending.exists()
    signed_in.faults.clear()
    outcome = send(work)
    assert (outcome.resumed, outcome.ref) == (True, 1000)
    assert len(signed_in.submissions) == 1


def test_an_answer_without_a_number(signed_in, work, fault):
    signed_in.fail("CreateSubmission", fault(status=200, body={"message": "Successfully submitted"}))
    with pytest.raises(FercompError, match="took the file but does not list it"):
        send(work)
    with pytest.raises(FercompError, match=r"took the file.*remove submissions/\.sending\.json if it is not"):
        send(work)
    assert signed_in.calls("CreateSubmission") == 1


def test_a_request_that_timed_out_is_looked_for_from_then_on(signed_in, work, fault, monkeypatch):
    monkeypatch.setattr(transport, "READ_SECONDS", 0.7)  # longer than SETTLE
    signed_in.fail("CreateSubmission", fault(delay=1.0))
    assert send(work).ref == 1000
    assert len(signed_in.submissions) == 1


@pytest.mark.parametrize("jump", [-(10**6), 10**6])
def test_a_clock_that_jumps_while_an_answer_is_lost_costs_no_submission(
    signed_in, work, fault, monkeypatch, jump
):
    """What Kaggle lists late was looked for once, where the clock said that it was sent long ago."""
    now = time.time

    def jumps():
        monkeypatch.setattr(time, "time", lambda: now() + jump)

    signed_in.delay_listing = 0.3
    signed_in.fail("CreateSubmission", fault(drop="after", then=jumps))
    assert send(work).ref == 1000
    assert len(signed_in.submissions) == 1


def test_a_note_of_an_earlier_version_has_a_time(signed_in, work, fault):
    signed_in.fail("CreateSubmission", fault(drop="before"))
    signed_in.fail("ListSubmissions", fault(), *[fault(status=503)] * 20)
    with pytest.raises(FercompError):
        send(work)
    signed_in.faults.clear()
    note = json.loads(work.sending.read_text())
    write_json(work.sending, {**note, "sent_at": 1e9})
    assert send(work).ref == 1000


def test_a_submission_that_is_too_many_is_sent_again_after_a_while(signed_in, work, fault):
    signed_in.fail("CreateSubmission", fault(status=429))
    begun = time.monotonic()
    assert send(work).ref == 1000
    assert time.monotonic() - begun >= pending.SETTLE
    assert len(signed_in.submissions) == 1


def test_a_submission_that_is_too_many_twice_is_told(signed_in, work, fault):
    signed_in.fail("CreateSubmission", *[fault(status=429, headers={"Retry-After": "3600"})] * 2)
    with pytest.raises(FercompError, match=r"too many requests .*try again in 3600 seconds"):
        send(work)
    assert not work.sending.exists()
    assert send(work).ref == 1000


def test_a_forced_submission_whose_answer_is_lost_is_not_taken_for_the_earlier_one(signed_in, work, fault):
    send(work)
    signed_in.fail("CreateSubmission", fault(drop="after"))
    assert send(work, force=True).ref == 1001
    assert len(signed_in.submissions) == 2


def test_another_file_first_settles_what_a_killed_run_left(signed_in, work, fault):
    signed_in.fail("CreateSubmission", fault(drop="after"))
    signed_in.fail("ListSubmissions", fault(), *[fault(status=503)] * 20)
    with pytest.raises(FercompError):
        send(work)
    signed_in.faults.clear()
    work.submission("mine").write_text(CSV.replace("sad", "fear"))
    assert send(work).ref == 1001
    assert [row["ref"] for row in rows(work)] == ["1000", "1001"]
    assert rows(work)[0]["sha256"] != rows(work)[1]["sha256"]


def test_a_damaged_note_is_told(signed_in, work):
    work.sending.write_text("{")
    with pytest.raises(FercompError, match=r"\.sending\.json is damaged: look at https.*then remove it"):
        send(work)


# -- kills ------------------------------------------------------------------------------------------

MOMENTS = {
    "signing in": lambda kaggle, work: kaggle.calls("IntrospectToken"),
    "looking": lambda kaggle, work: kaggle.calls("ListSubmissions"),
    "quota": lambda kaggle, work: kaggle.calls("GetSubmissionLimits"),
    "upload": lambda kaggle, work: kaggle.calls("PUT"),
    "note": lambda kaggle, work: work.sending.is_file(),
    "submitting": lambda kaggle, work: kaggle.calls("CreateSubmission"),
    "submitted": lambda kaggle, work: kaggle.submissions,
    "on record": lambda kaggle, work: work.history.is_file(),
    "waiting": lambda kaggle, work: kaggle.calls("GetSubmission") == 2,
    "scored": lambda kaggle, work: work.history.is_file() and "0.61234" in work.history.read_text(),
}
MORE_KILLS = [
    *[(moment, "at once") for moment in MOMENTS if moment != "submitted"],
    *[(moment, "late") for moment in ("note", "submitting", "submitted")],
    *[(moment, "worked late") for moment in ("note", "submitted")],
]


@pytest.mark.parametrize(
    ("moment", "answered"),
    [
        ("submitting", "worked late"),
        ("submitted", "at once"),
        *[pytest.param(*case, marks=pytest.mark.slow) for case in MORE_KILLS],
    ],
)
def test_a_killed_submit_and_the_same_again_make_one_submission(
    start, run, kaggle, tmp_path, fault, moment, answered
):
    (tmp_path / "work").rmdir()
    work = fill(tmp_path / "work")
    kaggle.polls = 4
    if answered == "late":  # it is there, but the answer takes its time
        original = kaggle.CreateSubmission

        def slowly(body):
            answer = original(body)
            time.sleep(0.5)
            return answer

        kaggle.CreateSubmission = slowly
    elif answered == "worked late":
        kaggle.fail("CreateSubmission", fault(delay=0.5))
    process = start("submit", "-m", "first")
    end = time.monotonic() + 240
    while not MOMENTS[moment](kaggle, work):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    code, out, err = run("submit", "-m", "first")
    again = code == 1 and "was sent before" in err  # it had ended before it was killed
    assert again == (moment == "scored"), (out, err)
    if not again:
        assert code == 0, err
        assert out.endswith("public score 0.61234, private score not shown yet\n")
    assert len(kaggle.submissions) == 1
    (row,) = read_history(work).to_dict("records")
    assert (row["ref"], row["public"], row["status"]) == ("1000", "0.61234", "complete")
    assert row["sha256"] == sha256(work.submission("mine"))
    assert tag_of(row["sha256"]) in kaggle.submissions[0]["description"]
    assert not work.sending.exists()
    assert not list(work.submissions.glob(".part.*"))
