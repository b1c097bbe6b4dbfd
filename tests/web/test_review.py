import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from fercomp.core.errors import FercompError
from fercomp.core.tables import LABELS, PHOTOS
from fercomp.labels.journal import Journal, Verdict, read_decisions
from fercomp.web.review import Review
from tests.web.conftest import ask


def decide(server, *wishes):
    """Decides as a page does that shows what holds, or what each wish says as its third."""
    told = state(server)["photos"]
    text = json.dumps(
        [
            {"photo": photo, "label": label, "was": was[0] if was else told[str(photo)][-1]}
            for photo, label, *was in wishes
        ]
    )
    return ask(server, f"/decisions?token={server.token}", text)


def state(server):
    return json.loads(ask(server, f"/state?token={server.token}")[2])


def test_the_page_is_for_those_who_know_the_address(review_server):
    server = review_server()
    status, headers, text = ask(server, f"/?token={server.token}")
    assert status == 200
    assert b"<title>fercomp review</title>" in text
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    (nonce,) = set(re.findall(rb'nonce="([^"]+)"', text))
    assert f"'nonce-{nonce.decode()}'" in policy
    for path in ("/", "/state", "/photos/0"):
        assert ask(server, path)[0] == ask(server, f"{path}?token=wrong")[0] == 403
        assert ask(server, f"{path}?token={server.token}", Host="evil.example")[0] == 403
        assert ask(server, f"{path}?token={server.token}", Origin="http://evil.example")[0] == 403
    assert ask(server, "/docs")[0] == ask(server, "/openapi.json")[0] == 404


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", None])
def test_other_sites_decide_nothing(review_server, origin):
    server = review_server()
    body = '[{"photo": 0, "label": "happy", "was": null}]'
    assert ask(server, f"/decisions?token={server.token}", body, Origin=origin)[0] == 403
    assert ask(server, "/decisions?token=wrong", body)[0] == 403
    assert read_decisions(server.journal) == {}


def test_the_worst_come_first_and_copies_come_along(review_server, review_workspace):
    told = state(review_server())
    labels = LABELS.read(review_workspace.labels)
    doubted = labels[labels["reason"] != ""]
    assert told["queue"] == doubted.sort_values("quality", kind="stable").index.tolist()
    groups = PHOTOS.read(review_workspace.photos)["duplicate_group"]
    wanted = {str(i) for i in labels.index if groups[i] in set(groups[doubted.index])}
    assert set(told["photos"]) == wanted
    assert len(wanted) > len(doubted)
    number = told["queue"][0]
    path, given, suggested, quality, reason, percent, picture, decision = told["photos"][str(number)]
    assert (reason, percent) == ("network", [11] * 9)
    row = labels.loc[number]
    assert [path, given, suggested] == row[["image_path", "emotion", "suggested"]].tolist()
    assert (quality, picture, decision) == (pytest.approx(row["quality"], abs=1e-4), groups[number], None)


def test_photos_are_given_by_number_only(review_server, review_workspace):
    server = review_server()
    status, headers, data = ask(server, f"/photos/3?token={server.token}")
    assert (status, headers["content-type"]) == (200, "image/png")
    original = review_workspace.raw / PHOTOS.read(review_workspace.photos)["image_path"][3]
    with Image.open(io.BytesIO(data)) as shown, Image.open(original) as photo:
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(photo.convert("RGB")))
    for large in ("true", "false"):
        assert ask(server, f"/photos/3?token={server.token}&large={large}")[0] == 200
    assert ask(server, f"/photos/3?token={server.token}&large=9999")[0] == 422
    for number in ("-1", "99999", "1e3", "..%2Ftrain.csv", "train/0.jpg"):
        assert ask(server, f"/photos/{number}?token={server.token}")[0] in (404, 422)
    original.unlink()
    assert ask(server, f"/photos/3?token={server.token}")[0] == 404


def test_decisions_are_on_disk_when_they_are_answered(review_server):
    server = review_server()
    queue = state(server)["queue"]
    start = time.monotonic()
    status, _, answer = decide(server, *((number, "happy") for number in queue[:40]))
    assert (status, json.loads(answer)) == (200, 40)
    assert time.monotonic() - start < 5  # benchmarks/review.py has the figure
    assert len(read_decisions(server.journal)) == 40
    decide(server, (queue[0], None), (queue[1], "drop"))
    decided = read_decisions(server.journal)
    assert sorted(decided.values()) == ["drop"] + ["happy"] * 38
    told = state(server)["photos"]
    assert [told[str(number)][-1] for number in queue[:3]] == [None, "drop", "happy"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "3",
        "[3]",
        "[{}]",
        '[{"photo": 0}]',
        '[{"photo": 0, "label": "sad"}]',
        '[{"photo": 0, "was": null}]',
        '[{"photo": 0, "label": "glad", "was": null}]',
        '[{"photo": 0, "label": [], "was": null}]',
        '[{"photo": 0, "label": "sad", "was": "glad"}]',
        '[{"photo": 0, "label": "sad", "was": {}}]',
        '[{"photo": 0, "label": "sad", "was": 0}]',
        '[{"photo": "0", "label": "sad", "was": null}]',
        '[{"photo": true, "label": "sad", "was": null}]',
        '[{"photo": -1, "label": "sad", "was": null}]',
        '[{"photo": 99999, "label": "sad", "was": null}]',
        '[{"photo": 0, "label": "sad", "was": null}, {"photo": 1, "label": "glad", "was": null}]',
        "[" * 100_000,
        b"\xff",
    ],
    ids=range(20),
)
def test_what_is_no_decision_is_refused(review_workspace, body):
    with Journal(review_workspace.reviewed) as journal:
        tables = PHOTOS.read(review_workspace.photos), LABELS.read(review_workspace.labels)
        review = Review(*tables, review_workspace.raw, journal)
        with pytest.raises(FercompError, match=r"expected \[|there is no photo"):
            review.decide(body)
    assert read_decisions(review_workspace.reviewed) == {}


def test_a_page_that_is_out_of_date_is_refused_and_told_what_holds(review_server):
    server = review_server()
    a, b, c = state(server)["queue"][:3]
    assert decide(server, (a, "happy"), (b, "drop"))[0] == 200
    before = server.journal.read_bytes()
    for stale in (None, "sad", "drop"):
        status, headers, answer = decide(server, (c, "fear"), (a, "sad", stale))
        assert (status, headers["content-type"]) == (409, "application/json")
        told = json.loads(answer)
        assert told == state(server)
        assert [told["photos"][str(number)][-1] for number in (a, b, c)] == ["happy", "drop", None]
    assert decide(server, (c, None, "fear"))[0] == 409
    assert server.journal.read_bytes() == before
    # A photo may come twice in a request, of two quick keys.
    assert decide(server, (a, "sad", "happy"), (a, None, "sad"), (a, "fear", None))[0] == 200
    assert decide(server, (b, None, "drop"), (b, "sad", "drop"))[0] == 409
    assert sorted(read_decisions(server.journal).values()) == ["drop", "fear"]


@pytest.mark.slow
def test_what_can_be_taken_back_survives_the_server(review_server):
    server = review_server()
    a, b, c, d = state(server)["queue"][:4]
    assert state(server)["steps"] == []
    wishes = [{"photo": n, "label": "happy", "was": None, "same_step": True} for n in (a, b, c)]
    wishes.append({"photo": a, "label": "drop", "was": "happy"})
    assert ask(server, f"/decisions?token={server.token}", json.dumps(wishes))[0] == 200
    assert ask(server, f"/decisions?token={server.token}", json.dumps(wishes))[0] == 409
    decide(server, (d, "sad"))
    decide(server, (d, None))
    expected = [[[a, None], [b, None], [c, None]], [[a, "happy"]]]
    assert state(server)["steps"] == expected
    server.stop()
    again = review_server()
    assert state(again)["steps"] == expected
    decide(again, (a, "happy"))
    assert state(again)["steps"] == expected[:1]
    for bad in (None, 1, "true", [], {}):
        body = json.dumps([{"photo": d, "label": "sad", "was": None, "same_step": bad}])
        assert ask(again, f"/decisions?token={again.token}", body)[0] == 400
    assert state(again)["steps"] == expected[:1]


def test_steps_end_at_photos_that_are_not_shown(review_workspace):
    photos, labels = PHOTOS.read(review_workspace.photos), LABELS.read(review_workspace.labels)
    with Journal(review_workspace.reviewed) as journal:
        review = Review(photos, labels, review_workspace.raw, journal)
        shown = Verdict(photos["image_path"][0], photos["sha1"][0], "sad")
        journal.append([shown, Verdict("gone.png", "0" * 40, "sad", same_step=True)])
        assert review.state()["steps"] == []
        review.decide(b'[{"photo": 0, "label": "drop", "was": "sad"}]')
        assert review.state()["steps"] == [[(0, "sad")]]


def test_bad_requests_are_answered_and_too_long_ones_cut_off(review_server):
    server = review_server()
    status, _, answer = ask(server, f"/decisions?token={server.token}", "{")
    assert (status, answer.decode()[:10]) == (400, "expected [")
    try:
        status = ask(server, f"/decisions?token={server.token}", b" " * 5 * 2**20)[0]
    except OSError:  # answered and closed before all of it was sent
        status = 413
    assert status == 413
    assert len(state(server)["queue"]) > 40


@pytest.mark.parametrize(("body", "answered"), [(b"1\r\n[\r\nzz\r\n", b"400"), (b"f0000\r\n[", b"")])
def test_bodies_that_break_off_are_answered_or_dropped_without_a_traceback(review_server, body, answered):
    server = review_server()
    head = f"POST /decisions?token={server.token} HTTP/1.1\r\nHost: {server.host}\r\nOrigin: http://{server.host}\r\n"
    for _ in range(5):
        with socket.create_connection(server.host.split(":"), timeout=30) as connection:
            connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + body)
            connection.shutdown(socket.SHUT_WR)
            assert answered in connection.recv(4096)
    assert len(state(server)["queue"]) > 40
    told = server.stop()[2]
    assert not re.search("Traceback|Exception|Fatal", told), told


@pytest.mark.slow
def test_a_killed_server_goes_on_where_it_was(review_server):
    server = review_server()
    queue = state(server)["queue"]
    decide(server, (queue[0], "happy"), (queue[1], "drop"))
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    with server.journal.open("ab") as file:
        file.write(b'{"image_path": "train/')
    again = review_server()
    told = state(again)["photos"]
    assert [told[str(number)][-1] for number in queue[:3]] == ["happy", "drop", None]
    code, _, err = again.stop()
    assert code == 0
    assert "ended in a torn line of 22 bytes, which was cut off" in err


@pytest.mark.slow
def test_two_servers_do_not_write_the_same_file(review_server):
    server = review_server()
    with pytest.raises(AssertionError, match="another `fercomp review` writes"):
        review_server()
    queue = state(server)["queue"]
    assert decide(server, (queue[0], "sad"))[0] == 200


def test_ctrl_c_says_what_comes_next(review_server):
    server = review_server()
    decide(server, (state(server)["queue"][0], "sad"))
    code, out, err = server.stop()
    assert code == 0
    assert out == "decided: 1 photo\nNext: fercomp relabel --model NAME\n"
    assert "Traceback" not in err


def test_labels_of_other_photos_or_without_doubts_are_one_line(review_workspace):
    photos, labels = PHOTOS.read(review_workspace.photos), LABELS.read(review_workspace.labels)
    with Journal(review_workspace.reviewed) as journal:
        with pytest.raises(FercompError, match="run `fercomp relabel` again"):
            Review(photos.iloc[1:], labels, review_workspace.raw, journal)
        with pytest.raises(FercompError, match="nothing to review"):
            Review(photos, labels.assign(reason=""), review_workspace.raw, journal)


def test_the_server_does_not_wait_for_tensorflow():
    code = "import sys, fercomp.web.review; sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ}).returncode == 0


@pytest.mark.slow
def test_the_photo_that_is_looked_at_is_larger(review_workspace):
    photos, labels = PHOTOS.read(review_workspace.photos), LABELS.read(review_workspace.labels)
    Image.new("RGB", (1280, 960)).save(review_workspace.raw / photos["image_path"][3])
    with Journal(review_workspace.reviewed) as journal:
        review = Review(photos, labels, review_workspace.raw, journal)
        sizes = [Image.open(io.BytesIO(review.photo(3, large))).size for large in (False, True)]
    assert sizes == [(256, 192), (640, 480)]
