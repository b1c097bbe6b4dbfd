"""The real client against the loopback server: credentials, errors, repetitions, and what is kept secret."""

import io
import json
import logging
import os
import subprocess
import sys
import traceback
from datetime import UTC, datetime

import grimp
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.errors import FercompError
from fercomp.kaggle.client import account, transport
from fercomp.kaggle.client.competition import connect
from fercomp.kaggle.client.credentials import check_credentials, find_credentials
from fercomp.kaggle.client.refusals import Refused, Unanswered, printable, read_answer, until_reset

SLUG, TOKEN = "faces-in-the-test", "KGAT_0123456789abcdef"  # as in conftest.py


def refuse(status, message):
    return {"status": status, "body": {"error": {"code": status, "message": message}}}


# -- credentials ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    ["token", "token_file", "access_token", "username", "kaggle.json", "xdg", "oauth", "token_of_a_notebook"],
)
def test_every_kind_of_credentials_signs_in(run, tmp_path, kaggle, kind):
    home, environment = tmp_path / "home", {"KAGGLE_API_TOKEN": ""}
    key = json.dumps({"username": "ada", "key": "secret-key"})
    if kind == "token":
        environment["KAGGLE_API_TOKEN"] = TOKEN
    elif kind == "token_file":
        (home / "token").write_text(TOKEN)
        environment["KAGGLE_API_TOKEN"] = str(home / "token")
    elif kind == "access_token":
        (home / ".kaggle").mkdir()
        (home / ".kaggle" / "access_token").write_text(f"{TOKEN}\n")
    elif kind == "username":
        environment |= {"KAGGLE_USERNAME": "ada", "KAGGLE_KEY": "secret-key"}
    elif kind == "kaggle.json":
        (home / "elsewhere").mkdir()
        (home / "elsewhere" / "kaggle.json").write_text(key)
        environment["KAGGLE_CONFIG_DIR"] = str(home / "elsewhere")
    elif kind == "oauth":
        (home / ".kaggle").mkdir()
        login = {"refresh_token": "r", "access_token": TOKEN, "username": "ada"}
        login |= {"access_token_expiration": "2999-01-01T00:00:00+00:00"}
        (home / ".kaggle" / "credentials.json").write_text(json.dumps(login))
    elif kind == "token_of_a_notebook":
        (home / "jwt").write_text(f"{TOKEN}\n")
        environment |= {"KAGGLE_KERNEL_RUN_TYPE": "Batch", "KAGGLE_DATA_PROXY_URL": "http://localhost"}
        environment |= {"KAGGLE_API_V1_TOKEN": str(home / "jwt")}
    else:
        (home / "xdg" / "kaggle").mkdir(parents=True)
        (home / "xdg" / "kaggle" / "kaggle.json").write_text(key)
        environment["XDG_CONFIG_HOME"] = str(home / "xdg")
    for path in home.rglob("*.*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    for path in home.rglob("*token"):
        path.chmod(0o600)
    code, out, err = run("leaderboard", **environment)
    assert (code, err) == (0, "")
    assert out.endswith("0 teams; yours has no submission yet\nNext: fercomp submit\n")
    assert kaggle.calls("IntrospectToken") == (1 if "token" in kind else 0)


KEY = '{"username": "ada", "key": "secret-key"}'


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("access_token", b" \n", "access_token holds nothing: save the token"),
        ("access_token", b"one\ntwo\n", "access_token holds no token in one line"),
        ("access_token", b"\xff\xfeK\0G\0", "access_token holds no token in one line"),
        ("access_token", KEY.encode(), "access_token holds JSON, such as kaggle.json has"),
        ("access_token", b"x" * 70_000, "has more than 65,536 bytes"),
        ("access_token", None, "access_token is a folder, a file was expected"),
        ("kaggle.json", b'{"username": "ada"', r"kaggle\.json is damaged .*download it anew at https"),
        ("kaggle.json", b'{"username": "ada"}', r"kaggle\.json has no 'key': download it anew at https"),
        ("kaggle.json", b'{"username": "ada", "key": 5}', r"kaggle\.json has no 'key'"),
        ("kaggle.json", b"[]", r"kaggle\.json is damaged \(it holds list\)"),
        ("kaggle.json", b"\xff\xfe", r"kaggle\.json is damaged"),
        ("kaggle.json", b"[" * 60_000, r"kaggle\.json is damaged"),
        ("kaggle.json", None, "kaggle.json is a folder"),
        ("credentials.json", b"{", r"credentials\.json is damaged .*kaggle auth login"),
        ("credentials.json", b"{}", r"credentials\.json has no 'refresh_token'"),
    ],
)
def test_damaged_credentials_are_named(signed_in, tmp_path, monkeypatch, name, content, told):
    path = tmp_path / "home" / ".kaggle" / name
    path.parent.mkdir(parents=True)
    path.mkdir() if content is None else path.write_bytes(content)
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    with pytest.raises(FercompError, match=told) as error:
        connect(SLUG)
    assert "secret-key" not in str(error.value)
    assert signed_in.log == []


def test_credentials_that_may_not_be_read(tmp_path, monkeypatch):
    """As the owner of another account sees them; a test that runs as root could read any."""
    path = tmp_path / ".kaggle" / "access_token"
    path.parent.mkdir()
    path.write_text(TOKEN)

    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(type(path), "open", refuse)
        with pytest.raises(FercompError, match=r"cannot read .*access_token: Permission denied; change its"):
            check_credentials(str(path), {})
    monkeypatch.setattr(type(path), "stat", refuse)
    assert find_credentials({}, tmp_path) == str(path)


def test_a_token_too_long_for_a_path(signed_in, monkeypatch):
    """The client takes it for the name of a file first."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", "k" * 5000)
    with pytest.raises(FercompError, match=r"credentials of KAGGLE_API_TOKEN \(File name too long\)") as told:
        connect(SLUG)
    assert "kkk" not in str(told.value)


@pytest.mark.skipif(os.name != "posix", reason="other permissions")
@pytest.mark.parametrize(("mode", "told"), [(0o644, True), (0o640, True), (0o600, False), (0o400, False)])
def test_credentials_that_others_can_read_are_told(signed_in, tmp_path, monkeypatch, capsys, mode, told):
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(mode)
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(path))
    with connect(SLUG):
        pass
    expected = f"{path} is open to other users of this machine: `chmod 600 {path}`\n"
    assert capsys.readouterr().err == (expected if told else "")


@pytest.mark.parametrize("lacks", ["KAGGLE_KERNEL_RUN_TYPE", "KAGGLE_DATA_PROXY_URL", "KAGGLE_API_V1_TOKEN"])
def test_a_notebooks_token_counts_only_in_a_notebook(tmp_path, lacks):
    (tmp_path / "jwt").write_text(TOKEN)
    environment = {"KAGGLE_KERNEL_RUN_TYPE": "Batch", "KAGGLE_DATA_PROXY_URL": ""}
    environment["KAGGLE_API_V1_TOKEN"] = str(tmp_path / "jwt")
    assert find_credentials(environment, tmp_path) == "KAGGLE_API_V1_TOKEN"
    del environment[lacks]
    assert find_credentials(environment, tmp_path) is None


def test_without_credentials_three_ways_to_give_them_and_nothing_is_sent(run, kaggle):
    code, out, err = run("fetch", "--source", "kaggle", KAGGLE_API_TOKEN="")
    assert (code, out) == (1, "")
    assert err.startswith("error: no Kaggle credentials: make a token at https://www.kaggle.com/settings")
    for way in ("KAGGLE_API_TOKEN", "~/.kaggle/access_token", "~/.kaggle/kaggle.json"):
        assert way in err
    assert err.count("\n") == 1
    assert kaggle.log == []


def test_a_token_that_kaggle_does_not_know(signed_in, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "KGAT_old")
    with pytest.raises(Refused, match=r"credentials of KAGGLE_API_TOKEN.*make a new token at https"):
        connect(SLUG)
    assert signed_in.log == ["IntrospectToken"]


@pytest.mark.parametrize("token", ["two\nlines", "тайна"])
def test_a_token_that_cannot_be_sent_is_told_and_not_shown(signed_in, monkeypatch, token):
    monkeypatch.setenv("KAGGLE_API_TOKEN", token)
    with pytest.raises(FercompError, match="characters that cannot be sent") as told:
        connect(SLUG)
    assert token not in str(told.value)


def test_a_home_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("leaderboard", KAGGLE_CONFIG_DIR=str(tmp_path / "file" / "below"))
    assert code == 1
    assert "cannot make its folder" in err and "set KAGGLE_CONFIG_DIR" in err


def test_the_token_is_shown_nowhere_however_talkative_the_client_is_asked_to_be(run, kaggle, fault, tmp_path):
    message = f"Bearer {TOKEN} is not allowed\x1b[31m"
    kaggle.fail("GetLeaderboard", fault(**refuse(400, message)))
    code, out, err = run("leaderboard", VERBOSE="1", VERBOSE_OUTPUT="1")
    assert code == 1
    assert (out, err) == ("", "error: Kaggle refuses (400): Bearer *** is not allowed [31m\n")
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or TOKEN not in path.read_text(errors="replace")


def test_a_traceback_of_an_error_holds_no_credentials(signed_in, fault, caplog):
    caplog.set_level(logging.DEBUG)
    signed_in.fail("GetLeaderboard", fault(drop="before"), *[fault(status=503)] * 9)
    with connect(SLUG) as kaggle, pytest.raises(FercompError) as told:
        list(kaggle.leaderboard())
    text = "".join(traceback.format_exception(told.value)) + caplog.text
    assert "HTTPError" in text
    assert TOKEN not in text


# -- errors, one line each --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refuse(401, "Unauthenticated"), "does not accept the credentials of KAGGLE_API_TOKEN"),
        (
            refuse(403, "You must accept this competition's rules before you'll be able to download files."),
            f"accept its rules at https://www.kaggle.com/competitions/{SLUG}/rules",
        ),
        (refuse(403, "Permission 'competitions.get' was denied"), f"competitions/{SLUG}/rules"),
        (refuse(403, "Verify your phone first"), r"refuses \(403\): Verify your phone first"),
        (refuse(404, "Not found"), f"no competition '{SLUG}'.*--set fetch.competition=NAME"),
        (refuse(400, "This competition only accepts Submissions from Notebooks."), "a code competition"),
        (refuse(400, "daily Submission allowance (5) today"), r"no submission is left.*in \d+\.\d hours"),
        ({"status": 400, "body": {"code": 400, "message": "flat"}}, r"\(400\): flat"),
        ({"status": 200, "body": {"code": 400, "message": "disguised"}}, r"\(400\): disguised"),
        ({"status": 418, "body": b"<html>"}, r"refuses \(418\)"),
    ],
)
def test_what_kaggle_says_no_to(signed_in, fault, answer, told):
    signed_in.fail("GetLeaderboard", fault(**answer))
    with connect(SLUG) as kaggle, pytest.raises(Refused, match=told) as error:
        list(kaggle.leaderboard())
    assert "\n" not in str(error.value)
    assert signed_in.calls("GetLeaderboard") == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": 200, "body": b"<html>log in</html>"}, "does not understand"),
        ({"status": 200, "body": {"submissions": 5}}, "does not understand"),
        ({"status": 200, "body": {"code": "many"}}, "does not understand"),
    ],
)
def test_answers_that_are_not_kaggles(signed_in, fault, answer, told):
    signed_in.fail("GetLeaderboard", fault(**answer))
    with connect(SLUG) as kaggle, pytest.raises(Unanswered, match=told):
        list(kaggle.leaderboard())


def test_an_unknown_competition(signed_in):
    with connect("no-such-thing") as kaggle, pytest.raises(Refused, match="no competition 'no-such-thing'"):
        list(kaggle.data_files())


def test_no_network(signed_in, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(Unanswered, match=r"no connection to Kaggle.*Connection refused"):
        connect(SLUG)


@given(st.text())
def test_a_strangers_text_is_one_line_that_steers_nothing(text):
    shown = printable(text)
    assert shown.isprintable() and len(shown.splitlines()) <= 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["error", "message", "code", "x"]), inner, max_size=3)
        ),
    )
)
def test_any_body_gives_a_status_and_a_reason(body):
    response = requests.Response()
    response.status_code, response.reason = 400, "Bad Request"
    response.raw = io.BytesIO(json.dumps(body).encode())
    status, reason = read_answer(response)
    assert isinstance(status, int) and isinstance(reason, str)


def test_the_day_ends_at_midnight_utc():
    assert until_reset(datetime(2026, 11, 24, 18, 30, tzinfo=UTC)) == "at 00:00 UTC, in 5.5 hours"


# -- repetitions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_kaggle_is_asked_again(signed_in, fault, status):
    signed_in.fail("ListDataFiles", *[fault(status=status)] * 3)
    with connect(SLUG) as kaggle:
        assert len(list(kaggle.data_files())) == 6
    assert signed_in.calls("ListDataFiles") == 3 + 3  # six files in pages of two


def test_a_dropped_connection_is_opened_again(signed_in, fault):
    signed_in.fail("ListDataFiles", fault(drop="before"), fault(drop="after"))
    with connect(SLUG) as kaggle:
        assert len(list(kaggle.data_files())) == 6


def test_repetitions_end(signed_in, fault):
    signed_in.fail("ListDataFiles", *[fault(status=503)] * 20)
    with connect(SLUG) as kaggle, pytest.raises(Unanswered, match=r"in trouble \(503 Service Unavailable\)"):
        list(kaggle.data_files())
    assert signed_in.calls("ListDataFiles") == 1 + transport.REPEATS


def test_a_pause_that_is_asked_for_is_kept(signed_in, fault, capsys):
    signed_in.fail("ListDataFiles", fault(status=429, headers={"Retry-After": "2"}))
    before = datetime.now(UTC)
    with connect(SLUG) as kaggle:
        list(kaggle.data_files())
    assert (datetime.now(UTC) - before).total_seconds() >= 2
    assert "Kaggle answers 429: trying again in 2 s" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_pause_longer_than_anybody_waits_is_told(signed_in, fault, asked):
    signed_in.fail("ListDataFiles", fault(status=429, headers={"Retry-After": asked}))
    with connect(SLUG) as kaggle, pytest.raises(Refused, match=rf"too many requests.*try again in {asked}"):
        list(kaggle.data_files())
    assert signed_in.calls("ListDataFiles") == 1


def test_a_pause_that_is_nonsense_is_no_bug(signed_in, fault):
    signed_in.fail("ListDataFiles", fault(status=429, headers={"Retry-After": "soon"}))
    with connect(SLUG) as kaggle:
        assert len(list(kaggle.data_files())) == 6


def test_silence_ends_in_a_line(signed_in, fault, monkeypatch):
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    monkeypatch.setattr(transport, "REPEATS", 1)
    signed_in.fail("GetLeaderboard", *[fault(delay=1.0)] * 2)
    with connect(SLUG) as kaggle, pytest.raises(Unanswered, match="does not answer in time"):
        list(kaggle.leaderboard())
    assert signed_in.calls("GetLeaderboard") == 2


def test_signing_in_has_a_timeout_too(signed_in, fault, monkeypatch):
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    monkeypatch.setattr(transport, "REPEATS", 0)
    signed_in.fail("IntrospectToken", fault(delay=1.0))
    with pytest.raises(Unanswered, match="does not answer in time"):
        connect(SLUG)


@pytest.mark.parametrize("how", [{"status": 503}, {"status": 429}, {"drop": "before"}, {"drop": "after"}])
def test_a_submission_is_never_repeated_by_itself(signed_in, fault, how):
    signed_in.fail("CreateSubmission", fault(**how))
    with connect(SLUG) as kaggle:
        token = kaggle.upload("a.csv", b"x", 0)
        with pytest.raises((Refused, Unanswered)):
            kaggle.submit(token, "a")
    assert signed_in.calls("CreateSubmission") == 1
    assert len(signed_in.submissions) == (how.get("drop") == "after")


def test_an_upload_is_repeated(signed_in, fault):
    signed_in.fail("PUT", fault(status=503), fault(drop="before"))
    with connect(SLUG) as kaggle:
        kaggle.submit(kaggle.upload("a.csv", b"content", 0), "a")
    assert signed_in.submissions[0]["content"] == b"content"


def test_an_upload_that_the_storage_refuses(signed_in, fault):
    signed_in.fail("PUT", fault(status=403))
    with connect(SLUG) as kaggle, pytest.raises(Refused, match="403"):
        kaggle.upload("a.csv", b"content", 0)
    assert signed_in.calls("CreateSubmission") == 0


def test_all_pages_of_submissions_are_read(signed_in):
    with connect(SLUG) as kaggle:
        token = kaggle.upload("a.csv", b"content", 0)
        signed_in.quota = 1000
        for i in range(3):
            kaggle.submit(token, f"number {i}")
        signed_in.submissions += [
            {**signed_in.submissions[-1], "ref": ref, "description": f"{ref}"} for ref in range(2000, 2398)
        ]
        sent = kaggle.submissions()
    assert len(sent) == 401
    assert sent[-1].message == "number 0"
    assert (sent[0].status, sent[0].public, sent[0].private) == ("complete", "0.61234", "")


# -- what imports it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        *(["predict"], ["fetch"]),
        *[pytest.param(w, marks=pytest.mark.slow) for w in (["--help"], ["annotate", "nothing"], ["doctor"])],
    ],
)
def test_commands_that_have_nothing_to_do_with_kaggle_do_not_import_it(tmp_path, words):
    (tmp_path / "params.yaml").write_text("fetch:\n  source: nowhere.zip\n")
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: print([n for n in sys.modules if n.partition('.')[0] in "
        "('kaggle', 'kagglesdk')], file=sys.stderr))\n"
        f"sys.argv = ['fercomp', *{words!r}]\n"
        "from fercomp.cli.app import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "command", ["train", "predict", "annotate", "prepare", "evaluate", "submission", "bench"]
)
def test_no_line_of_these_commands_leads_to_the_client(command):
    imports = grimp.build_graph("fercomp", exclude_type_checking_imports=True, cache_dir=None)
    imports.remove_module("fercomp.cli.on_kaggle")  # `--on kaggle`
    modules = imports.find_upstream_modules(f"fercomp.cli.{command}")
    assert len(modules) > 5
    assert "fercomp.kaggle.client.competition" not in modules
    assert imports.find_modules_that_directly_import("fercomp.kaggle.client.competition")


def test_importing_the_client_sends_and_prints_nothing(kaggle, tmp_path):
    script = (
        "from fercomp.kaggle.client.official import client_api\n"
        "import requests\n"
        "send = requests.Session.send\n"
        "client_api()\n"
        "assert requests.Session.send is send\n"
    )
    for token in ("", TOKEN):
        environment = {
            **os.environ,
            **kaggle.environment(tmp_path),
            "KAGGLE_API_TOKEN": token,
            "VERBOSE": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert (done.stdout, done.stderr) == ("", "")
    assert kaggle.log == []


# -- servers that do not end -------------------------------------------------------------------------


def test_page_tokens_that_go_in_a_circle(signed_in, fault):
    """`a` leads to `b`, and `b` to `a`."""
    pages = [{"submissions": [], "nextPageToken": token} for token in "ab" * 20]
    signed_in.fail("GetLeaderboard", *[fault(status=200, body=page) for page in pages])
    with connect(SLUG) as kaggle:
        assert list(kaggle.leaderboard()) == []
    assert signed_in.calls("GetLeaderboard") == 3


def test_a_list_with_ever_new_tokens_ends(signed_in, fault, monkeypatch):
    monkeypatch.setattr(account, "MOST_PAGES", 5)
    pages = [{"submissions": [], "nextPageToken": f"page {i}"} for i in range(20)]
    signed_in.fail("GetLeaderboard", *[fault(status=200, body=page) for page in pages])
    with connect(SLUG) as kaggle, pytest.raises(Unanswered, match="more than 5 pages"):
        list(kaggle.leaderboard())


def test_a_server_that_drips(signed_in, fault, monkeypatch):
    """Each byte comes in time, and the whole never."""
    monkeypatch.setattr(transport, "READ_SECONDS", 0.1)
    signed_in.fail("GetLeaderboard", fault(drip=0.03))
    with connect(SLUG) as kaggle, pytest.raises(Unanswered, match="does not answer in time"):
        list(kaggle.leaderboard())


def test_an_answer_without_an_end(signed_in, fault, monkeypatch):
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 1000)
    signed_in.fail("GetLeaderboard", fault(status=200, body=b"[" * 5000))
    with connect(SLUG) as kaggle, pytest.raises(Unanswered, match="broke off"):
        list(kaggle.leaderboard())


def test_an_upload_of_which_the_storage_wants_more_is_begun_again(signed_in, fault):
    signed_in.fail("PUT", fault(status=308, headers={"Range": "bytes=0-2"}))
    with connect(SLUG) as kaggle:
        kaggle.submit(kaggle.upload("a.csv", b"content", 0), "a")
    assert signed_in.submissions[0]["content"] == b"content"
    signed_in.fail("PUT", *[fault(status=308)] * 3)
    with connect(SLUG) as kaggle, pytest.raises(Unanswered, match=r"took a\.csv only in part, 3 times"):
        kaggle.upload("a.csv", b"content", 0)


def test_an_upload_to_a_busy_storage(signed_in, fault):
    signed_in.fail("PUT", fault(status=429), fault(status=429))
    with connect(SLUG) as kaggle:
        kaggle.submit(kaggle.upload("a.csv", b"content", 0), "a")
    assert signed_in.submissions[0]["content"] == b"content"


def test_numbers_where_texts_were_expected_and_the_other_way_round(signed_in, fault):
    entry = {"ref": "1007", "description": 7, "publicScore": 0.61, "status": "COMPLETE", "teamName": 5}
    signed_in.fail("ListSubmissions", fault(status=200, body={"submissions": [entry]}))
    place = {"teamName": 12, "score": 0.75, "submissionDate": "2026-11-20T09:08:07Z"}
    signed_in.fail("GetLeaderboard", fault(status=200, body={"submissions": [place]}))
    files = [{"name": "a.csv", "totalBytes": "123"}, {"name": 4, "totalBytes": "many"}]
    signed_in.fail("ListDataFiles", fault(status=200, body={"files": files}))
    with connect(SLUG) as kaggle:
        (sent,) = kaggle.submissions()
        (first,) = kaggle.leaderboard()
        assert list(kaggle.data_files()) == [("a.csv", 123), ("4", 0)]
    assert (sent.ref, sent.message, sent.public, sent.team) == (1007, "7", "0.61", "5")
    assert (first.team, first.score) == ("12", "0.75")
