"""The page of `live` in a real browser, whose camera plays a clip of a drawn face."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import expect

from fercomp.core.palette import LABEL_COLOURS
from tests.drawn import draw_clip
from tests.web.conftest import write_camera

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    pictures = draw_clip([("neutral", "happy")], np.random.default_rng(2), 640, 480, 30)
    return write_camera(tmp_path_factory.mktemp("camera") / "face.y4m", pictures, 30)


SPEED = """() => ["fps", "latency"].every(id => Number(document.getElementById(id).innerText) > 0)"""
"""Frames a second and milliseconds a frame are shown; how many, benchmarks/live.py says."""


def test_faces_of_the_camera_are_drawn_and_recorded(server, camera, browse):
    page = browse(
        server.address,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    )
    errors, others = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: others.append(request.url))
    expect(page.locator("#count")).to_have_text("1", timeout=60_000)
    page.wait_for_function(SPEED)
    page.get_by_role("button", name="Start recording").click()
    page.get_by_text("recording to").wait_for()
    recording = next(server.folder.iterdir())
    for _ in range(150):
        page.wait_for_timeout(200)
        if recording.read_text(encoding="utf-8").count("\n") > 12:
            break
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_text("recorded in").wait_for()
    page.wait_for_timeout(1000)
    assert errors == []
    assert all(server.host in url for url in others)
    assert page.locator("#message").is_hidden()
    shares = [s.rstrip("%\xa0") for s in page.locator("#bars .share").all_inner_texts()]
    assert sum(map(int, shares)) == pytest.approx(100, abs=6)
    with Image.open(io.BytesIO(page.locator("#picture").screenshot())) as screenshot:
        pixels = np.asarray(screenshot.convert("RGB")).reshape(-1, 3)
    drawn = {emotion: (pixels == colour).all(axis=1).sum() for emotion, colour in LABEL_COLOURS.items()}
    assert max(drawn.values()) > 500, "pixels in the colour of an emotion"
    assert (pixels > 250).all(axis=1).sum() > 50, "white pixels of the label's text"
    table = pd.read_csv(recording)
    assert (table["status"] == "face").mean() > 0.8
    assert len(table) > 8


def test_no_camera_is_said(server, browse):
    page = browse(server.address, "--use-fake-ui-for-media-stream")
    page.get_by_text("No camera was found. Connect one, then press Try again.").wait_for(timeout=60_000)


def test_a_refused_permission_is_said(server, browse):
    page = browse(server.address, "--use-fake-device-for-media-stream", "--deny-permission-prompts")
    page.get_by_text("The browser may not use the camera.").wait_for(timeout=60_000)


def test_a_server_that_ends_is_said(server, camera, browse):
    page = browse(server.address, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    expect(page.locator("#count")).to_have_text(re.compile("[0-9]"), timeout=60_000)
    server.stop()
    page.get_by_text("The connection to fercomp ended.").wait_for()
