import io
import json
import re
from contextlib import ExitStack

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from fercomp.annotate.options import Options
from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.modeling.bundle.model import load_bundle
from fercomp.web.clients import MAX_CLIENTS
from fercomp.web.live import live_app
from fercomp.web.local import Access, serve
from tests.drawn import draw_face
from tests.web.conftest import ask, start_live


@pytest.fixture(scope="module")
def live(forks, tiny_bundle_folder, tmp_path_factory):
    """One server for all that leaves nothing behind in it."""
    server = start_live(forks, tiny_bundle_folder, tmp_path_factory.mktemp("live"))
    yield server
    server.process.close()


def talk(server, token=None, origin=None):
    origin = f"http://{server.host}" if origin is None else origin
    return connect(f"ws://{server.host}/frames?token={token or server.token}", origin=origin or None)


def jpeg(image):
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", quality=90)
    return data.getvalue()


def scene():
    image = np.full((270, 480, 3), 190, dtype=np.uint8)
    image[60:188, 100:228] = draw_face("happy", np.random.default_rng(1), 128)
    return image


def say_to(socket, message):
    socket.send(message)
    return json.loads(socket.recv(timeout=120))


def test_the_page_is_for_those_who_know_the_address(live):
    status, headers, text = ask(live, f"/?token={live.token}")
    assert status == 200
    assert b"<title>fercomp live</title>" in text
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    (nonce,) = set(re.findall(r'nonce="([^"]+)"', text.decode()))
    assert f"'nonce-{nonce}'" in policy
    assert ask(live, "/")[0] == ask(live, "/?token=wrong")[0] == 403
    assert ask(live, f"/?token={live.token}", Host="evil.example")[0] == 403
    assert ask(live, f"/files/{live.token}/live.js")[1]["content-type"].startswith("text/javascript")
    assert ask(live, f"/files/{live.token}/live.css")[1]["content-type"].startswith("text/css")
    assert ask(live, "/files/wrong/live.js")[0] == 403
    for name in ("none.js", "live.html", "__init__.py", "..%2Flive.py", "%00", ".js"):
        assert ask(live, f"/files/{live.token}/{name}")[0] == 404
    assert ask(live, "/docs")[0] == ask(live, "/openapi.json")[0] == 404


EVIL = "http://evil.example"
STRANGERS = [
    ("wrong", None),
    ("é", None),
    *((None, origin) for origin in (EVIL, "null", "http://127.0.0.1:1", "")),
]


@pytest.mark.parametrize(("token", "origin"), STRANGERS)
def test_other_sites_and_guessed_secrets_cannot_connect(live, token, origin):
    with pytest.raises(InvalidStatus, match="403"), talk(live, token, origin):
        pass


NONSENSE = [
    *(
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"x": 1}',
        "[" * 100_000,
        '{"record": 1}',
        '{"record": true, "camera": [1, 1]}',
    ),
    *(f'{{"camera": {value}}}' for value in ("null", "[]", "[640]", "[640, 0]", "[640, 480.5]", "[-1, 9]")),
    *(f'{{"camera": {value}}}' for value in ("[true, 480]", "[640, 99999]", "[1e999, 5]", '["640", "480"]')),
]


def test_frames_are_answered_one_by_one(live):
    image = scene()
    with talk(live) as socket:
        hello = json.loads(socket.recv(timeout=120))
        assert hello["kind"] == "hello"
        assert tuple(hello["classes"]) == EMOTIONS
        assert set(hello["colours"]) == set(hello["emotions"]) == set(EMOTIONS)
        for _ in range(3):
            answer = say_to(socket, jpeg(image))
            (face,) = answer["faces"]
            x1, y1, x2, y2 = face["box"]
            assert abs((x1 + x2) / 2 - 164) < 20
            assert abs((y1 + y2) / 2 - 124) < 25
            assert face["track"] == 0
            assert sum(face["probabilities"]) == pytest.approx(1, abs=0.01)
            assert face["emotion"] in EMOTIONS
            assert face["point"] is None
        assert say_to(socket, jpeg(np.full((270, 480, 3), 90, np.uint8)))["faces"] == []
        assert say_to(socket, b"no picture")["message"].startswith("the frame is not a picture")
        for text in NONSENSE:
            assert "expected a frame" in say_to(socket, text)["message"]
        small = say_to(socket, jpeg(image))["faces"][0]["box"]
        assert say_to(socket, '{"camera": [1920, 540]}') == {"kind": "camera"}
        (face,) = say_to(socket, jpeg(image))["faces"]
        assert face["box"] == pytest.approx(np.array(small) * [4, 2, 4, 2], abs=6), "in the camera's pixels"
        assert face["track"] == 1, "another camera, another person"


def test_a_message_that_is_too_large_ends_the_connection(live):
    with talk(live) as socket:
        socket.recv()
        with pytest.raises(ConnectionClosed):
            socket.send(bytes(5 * 2**20))
            socket.recv(timeout=120)
    with talk(live) as socket:
        assert json.loads(socket.recv(timeout=120))["kind"] == "hello"


def test_text_that_is_none_ends_the_connection_in_a_line(server):
    with talk(server) as socket:
        socket.recv()
        with pytest.raises(ConnectionClosed, match="1007"):
            socket.send(b"\xff", text=True)
            socket.recv(timeout=120)
    _, _, told = server.stop()
    assert "Invalid UTF-8" in told
    assert "Traceback" not in told


def test_recordings_are_files_of_their_own(server):
    with talk(server) as socket:
        socket.recv()
        for _ in range(2):
            started = say_to(socket, '{"record": true}')
            for _ in range(4):
                say_to(socket, jpeg(scene()))
            assert say_to(socket, '{"record": true}')["file"] == started["file"]
            assert say_to(socket, '{"record": false}')["file"] is None
            say_to(socket, jpeg(scene()))
    first, second = sorted(server.folder.iterdir())
    for path in (first, second):
        table = pd.read_csv(path)
        assert len(table) == 4
        assert table["file"].unique().tolist() == ["camera"]
        assert table["frame"].diff().dropna().eq(1).all()
        assert table["time"].is_monotonic_increasing


def test_a_recording_that_cannot_be_written_is_told(server):
    server.folder.write_text("a file in the place of the folder")
    with talk(server) as socket:
        socket.recv()
        assert "choose another folder" in say_to(socket, '{"record": true}')["message"]
        assert len(say_to(socket, jpeg(scene()))["faces"]) == 1


def test_ctrl_c_ends_the_server_in_the_middle_of_a_talk(server):
    with talk(server) as socket:
        socket.recv()
        say_to(socket, '{"record": true}')
        say_to(socket, jpeg(scene()))
        code, _, told = server.stop()
    assert code == 0
    assert "Traceback" not in told
    assert len(pd.read_csv(next(server.folder.iterdir()))) == 1


def test_a_taken_port_is_one_line(live, tiny_bundle_folder, tmp_path):
    app = live_app(load_bundle(tiny_bundle_folder), Options(), tmp_path, Access())
    port = int(live.host.partition(":")[2])
    with pytest.raises(FercompError, match=f"port {port} cannot be used"):
        serve(app, Access(), port, browser=False, say=print)


def test_two_browsers_do_not_share_their_people(live):
    with talk(live) as one, talk(live) as two:
        for socket in (one, two):
            socket.recv()
        left = np.full((270, 480, 3), 190, dtype=np.uint8)
        left[60:188, 300:428] = draw_face("sad", np.random.default_rng(5), 128)
        for _ in range(3):
            assert say_to(one, jpeg(scene()))["faces"][0]["track"] == 0
            assert say_to(two, jpeg(left))["faces"][0]["track"] == 0


def test_so_many_cameras_at_once_and_no_more(server):
    with ExitStack() as stack:
        cameras = [stack.enter_context(talk(server)) for _ in range(MAX_CLIENTS)]
        for _ in range(3):
            with pytest.raises(InvalidStatus, match="403"), talk(server):
                pass
        assert all(json.loads(camera.recv(timeout=120))["kind"] == "hello" for camera in cameras)
        cameras[0].close()
        with talk(server) as socket:
            assert say_to(socket, '{"camera": [640, 480]}')["kind"] == "hello"
    said = server.stop()[2]
    assert "Traceback" not in said
    assert "ERROR" not in said
