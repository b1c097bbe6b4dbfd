"""`submit`, `submissions` and `leaderboard` as a user types them, in processes of their own."""

import os
from contextlib import suppress
from zipfile import ZipFile

import pytest
from PIL import Image

from fercomp.core.paths import Workspace
from fercomp.demo.competition import DRAWN, README_NAME
from fercomp.kaggle.submissions.history import HISTORY_TABLE, read_history
from fercomp.kaggle.submissions.leaderboard import read_standing

CSV = "image_path,emotion\n0.jpg,happy\n1.jpg,sad\n"


@pytest.fixture
def work(tmp_path):
    workspace = Workspace(tmp_path / "work")
    workspace.raw.mkdir(parents=True)
    workspace.sample_submission.write_text(CSV)
    (workspace.root / "mine.csv").write_text(CSV)
    return workspace


def test_from_dry_run_to_score(run, work, kaggle):
    code, out, err = run("submit", "mine.csv", "-m", "hello", "--dry-run")
    assert (code, err) == (0, "")
    assert out.startswith("mine.csv: 2 rows, as in the sample; message: hello [sha256:")
    assert out.endswith("5 submissions were left at Kaggle\na dry run: nothing was sent\n")
    assert kaggle.submissions == []

    kaggle.polls = 10**6
    code, out, err = run("submit", "mine.csv", "-m", "hello", "--no-wait")
    assert (code, err) == (0, "")
    assert out.endswith("sent as 1000; `fercomp submissions` shows the score when it is there\n")

    kaggle.polls = 0
    code, out, err = run("submit", "mine.csv", "-m", "hello")
    assert (code, err) == (0, "")
    assert out.endswith("it was sent by an earlier run\npublic score 0.61234, private score not shown yet\n")

    code, out, err = run("submit", "mine.csv", "-m", "hello")
    assert code == 1
    assert err.startswith("error: mine.csv was sent before (at 2026-11-24")
    assert err.count("\n") == 1
    assert len(kaggle.submissions) == 1


def row(**values):
    cells = dict.fromkeys(HISTORY_TABLE.columns, "")
    return {**cells, "time": "2026-11-24T10:00:00+00:00", "message": "hi [sha256:0]", **values}


def write_history(work, *rows):
    import pandas as pd

    HISTORY_TABLE.write(pd.DataFrame(rows), work.history)


def test_submissions_shows_the_record_refreshed_and_draws_it(run, work, kaggle):
    run("submit", "mine.csv", "--no-wait")
    (sent,) = kaggle.submissions
    write_history(
        work,
        row(ref=str(sent["ref"]), experiment="a", holdout_accuracy="0.6", status="pending"),
        row(ref="7", experiment="b", holdout_accuracy="0.5", public="0.5", private="0.4", status="complete"),
        row(ref="8", file="by hand.csv", status="error"),
    )
    sent["privateScore"] = "0.6"
    code, out, err = run("submissions")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["2026-11-24", "10:00", "a", "0.6", "0.61234", "0.6", "complete", "hi"] in lines
    assert ["2026-11-24", "10:00", "b", "0.5", "0.5", "0.4", "complete", "hi"] in lines
    assert ["2026-11-24", "10:00", "by", "hand.csv", "error", "hi"] in lines
    assert out.endswith("Look at submissions/history.png\n")
    with Image.open(work.history_plot) as picture:
        assert picture.size == (660, 660)
    assert read_history(work)["public"].tolist() == ["0.61234", "0.5", ""]


def test_submissions_without_credentials_shows_what_is_known(run, work):
    write_history(work, row(ref="8", file="by hand.csv", status="pending"))
    work.history_plot.write_text("an older picture")
    code, out, err = run("submissions", KAGGLE_API_TOKEN="")
    assert code == 0
    assert "by hand.csv" in out and "history.png" not in out
    assert err.startswith("as of the last time, since Kaggle could not be asked: no Kaggle cred")
    assert not work.history_plot.exists()


def test_a_dry_run_without_credentials_shows_what_would_be_sent(run, work, kaggle):
    code, out, err = run("submit", "mine.csv", "--dry-run", KAGGLE_API_TOKEN="")
    assert (code, err) == (0, "")
    shown, asked = out.splitlines()
    assert shown.startswith("mine.csv: 2 rows, as in the sample; message: ")
    assert asked.startswith("Kaggle was not asked: no credentials (whether it was sent before, ")
    assert kaggle.log == []


@pytest.mark.parametrize("words", [("mine.csv",), ("--kernel",)], ids=["csv", "kernel"])
def test_what_is_said_of_the_drawn_demo_is_not_sent_unasked(run, work, kaggle, words):
    with ZipFile(DRAWN) as drawn:
        drawn.extract(README_NAME, work.raw)
    code, out, err = run("submit", *words)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(
        "error: the photos here are the drawn demo, which Kaggle does not know: `fercomp fetch"
    )
    assert kaggle.log == []
    if "mine.csv" in words:
        code, out, err = run("submit", *words, "--force", "--no-wait")
        assert (code, err, len(kaggle.submissions)) == (0, "", 1)


def test_submissions_before_the_first(run, work, kaggle):
    assert run("submissions") == (0, "the team has sent nothing\nNext: fercomp submit\n", "")
    code, out, err = run("submissions", KAGGLE_API_TOKEN="")
    assert (code, out) == (0, "nothing was sent from here\nNext: fercomp submit\n")
    assert err.startswith("as of the last time, since Kaggle could not be asked: no Kaggle credentials")


def sent(ref, **values):
    return {
        "ref": ref,
        "date": f"2026-11-24T1{ref % 10}:00:00Z",
        "description": f"from {ref}",
        "listed": 0.0,
        "status": "COMPLETE",
        "publicScore": "0.5",
        "polls": 0,
        "content": b"",
        **values,
    }


def test_submissions_of_team_mates_and_of_the_web_stand_beside_the_own(run, work, kaggle):
    write_history(
        work,
        row(ref="1003", experiment="wide", holdout_accuracy="0.58", public="0.1", status="pending"),
        row(ref="7", experiment="old", holdout_accuracy="0.5", public="0.4", status="complete"),
    )
    kaggle.score = "0.55"
    kaggle.submissions = [
        sent(1001, submittedBy="bob", fileName="bobs.csv"),
        sent(1003, submittedBy="ada", fileName="wide.csv", description="edited"),
        sent(1004, submittedBy="ada\x1b[2J", fileName="web.csv"),
    ]
    code, out, err = run("submissions")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines() if "2026-11-24" in line]
    assert lines == [
        "2026-11-24 14:00 web.csv ada [2J 0.55 complete from 1004",
        "2026-11-24 11:00 bobs.csv bob 0.55 complete from 1001",
        "2026-11-24 10:00 old 0.5 0.4 complete hi",
        "2026-11-24 10:00 wide ada 0.58 0.55 complete hi",
    ]
    assert read_history(work)["ref"].tolist() == ["1003", "7"]  # only what was sent from here
    assert read_history(work)["public"].tolist() == ["0.55", "0.4"]


def test_what_is_selected_for_the_end_and_what_scores_would_propose(run, work, kaggle):
    write_history(
        work,
        row(ref="1003", experiment="wide", holdout_accuracy="0.58", status="pending"),
        row(ref="7", experiment="old", holdout_accuracy="0.5", public="0.9", status="complete"),
        row(ref="8", experiment="by hand", holdout_accuracy="high", status="complete"),
    )
    kaggle.score = "0.55"
    kaggle.submissions = [sent(1001, fileName="bobs.csv"), sent(1003, fileName="wide.csv")]
    code, out, err = run("submissions", "--final")
    assert (code, err) == (0, "")
    assert out == (
        "nothing is selected at Kaggle, which then takes the best public scores\n"
        "best on the holdout: wide (number 1003, holdout 0.58, public 0.55)\n"
        "best public score: old (number 7, holdout 0.5, public 0.9)\n"
        "Select at https://www.kaggle.com/competitions/faces-in-the-test/submissions\n"
    )
    kaggle.selected = (1001,)
    out = run("submissions", "--final")[1]
    assert out.startswith("selected at Kaggle:\n") and "bobs.csv" in out and " hi" not in out
    code, _, err = run("submissions", "--final", KAGGLE_API_TOKEN="")
    assert code == 1 and "error: no Kaggle credentials" in err


def test_a_record_with_other_columns_is_told(run, work):
    work.submissions.mkdir()
    work.history.write_text("experiment,public\na,1\n")
    code, _, err = run("submissions")
    assert code == 1
    assert "lacks the columns" in err and "mend its columns" in err


def team(name, score):
    return {"teamId": 1, "teamName": name, "score": score, "submissionDate": "2026-11-20T09:08:07Z"}


def test_the_leaderboard_has_the_top_and_ones_own_place(run, work, kaggle):
    kaggle.teams = [team(f"[red]number {i}\x1b[2J", f"0.{99 - i}") for i in range(7)] + [
        team("Team [ada]", "0.1")
    ]
    assert run("leaderboard")[1].endswith("8 teams; yours has no submission yet\nNext: fercomp submit\n")
    run("submit", "mine.csv")
    code, out, err = run("leaderboard", "--top", "2")
    assert (code, err) == (0, "")
    lines = [" ".join(line.split()) for line in out.splitlines() if line.strip()]
    assert lines[0] == "rank team score sent (UTC)"
    assert lines[2:] == [
        "1 [red]number 0 [2J 0.99 2026-11-20 09:08",
        "2 [red]number 1 [2J 0.98 2026-11-20 09:08",
        "8 Team [ada] 0.1 2026-11-20 09:08",
        "Team [ada] is number 8 of 8 teams",
    ]
    kept = read_standing(work)
    assert (kept.team, kept.rank, kept.teams) == ("Team [ada]", 8, 8)
    kaggle.teams.pop()
    assert run("leaderboard")[1].endswith("Team [ada] is not among the 7 teams of the leaderboard\n")


def test_of_twenty_thousand_teams_only_those_are_read_that_are_shown(run, work, kaggle):
    kaggle.teams = [team(f"number {i}", "0.5") for i in range(20_000)]
    run("submit", "mine.csv")
    kaggle.teams[1_499] = team("Team [ada]", "0.5")
    out = run("leaderboard")[1]
    assert out.endswith("Team [ada] is number 1,500 of 20,000 teams\n")
    assert " 1,500 " in out and " 11 " not in out
    assert kaggle.calls("GetLeaderboard") == 8
    kaggle.teams[1_499] = team("number 1499", "0.5")
    kaggle.teams[17_000] = team("Team [ada]", "0.5")
    code, out, err = run("leaderboard", "--top", "200")
    assert (code, err) == (0, "")
    assert out.endswith("Team [ada] is number 17,001 of 20,000 teams\n")
    assert kaggle.calls("GetLeaderboard") == 9


def test_a_kaggle_that_says_nothing_of_the_competition_has_a_leaderboard(run, work, kaggle, fault):
    kaggle.teams = [team("Team [ada]", "0.5"), team("other", "0.4"), team("another", "0.3")]
    run("submit", "mine.csv")
    kaggle.fail("GetCompetition", fault(status=404))
    code, out, err = run("leaderboard")
    assert code == 0
    assert err == "Kaggle does not say what the competition is like (404 Not Found): going on without\n"
    assert out.endswith("Team [ada] is number 1 of 3 teams\n")


def test_the_competition_is_a_parameter(run, work, kaggle):
    (work.root / "params.yaml").write_text("fetch:\n  competition: Not A Name\n")
    code, _, err = run("leaderboard", slug=None)
    assert code == 1
    assert "parameter fetch.competition" in err
    (work.root / "params.yaml").write_text("fetch:\n  competition: another-one\n")
    code, _, err = run("leaderboard", slug=None)
    assert code == 1
    assert err.startswith("error: Kaggle has no competition 'another-one'")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("submit", "mine.csv"), "waiting for Kaggle's score"),
        (("fetch", "--source", "kaggle"), "downloading: "),
    ],
)
def test_a_terminal_shows_what_is_waited_for(start, work, kaggle, words, shown):
    kaggle.polls, kaggle.slow = 5, 0.1
    pty = pytest.importorskip("pty")
    termios = pytest.importorskip("termios")
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 100))  # a new one has no columns, and a bar no room
    process = start(*words, stderr=end, TERM="xterm")
    os.close(end)
    seen = b""
    with suppress(OSError):  # how Linux says that nobody writes to it any more
        while piece := os.read(terminal, 4096):
            seen += piece
    os.close(terminal)
    process.communicate()
    assert process.returncode == 0
    assert shown.encode() in seen, seen
