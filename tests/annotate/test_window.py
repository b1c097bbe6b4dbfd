"""The window on a virtual display, in processes of their own: OpenCV without a display ends its process."""

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest

from fercomp.annotate.options import Options
from fercomp.annotate.window import show_window
from fercomp.core.errors import FercompError
from tests.forks import MAIN

CLI = (sys.executable, "-c", MAIN, "live", "--window")
needs_display = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no Xvfb: apt-get install xvfb")
needs_windows = pytest.mark.skipif(
    re.search(r"GUI: +NONE", cv2.getBuildInformation()) is not None,
    reason="this OpenCV has no windows (opencv-python-headless)",
)


@pytest.fixture(scope="module")
def display():
    """A screen that nobody sees."""
    read, write = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as number:
        yield f":{number.readline().strip()}"
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def clip(tmp_path, faces, write_clip):
    image = np.full((180, 320, 3), 190, dtype=np.uint8)
    image[40:136, 30:126] = faces[4]
    return write_clip(tmp_path / "clip.mp4", [image] * 12)


def live(display, bundle, source):
    environment = {**os.environ, "DISPLAY": display}
    return subprocess.run(
        [*CLI, "--source", source, "--model", str(bundle.folder)],
        capture_output=True, text=True, timeout=120, env=environment,
    )  # fmt: skip


@needs_windows
@needs_display
def test_a_file_is_shown_to_its_end(display, bundle, clip):
    run = live(display, bundle, str(clip))
    assert run.returncode == 0, run.stderr
    assert "12 frames shown" in run.stdout


@needs_windows
@needs_display
@pytest.mark.slow
def test_an_address_is_shown_and_its_end_is_told(display, bundle, clip):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(clip.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        run = live(display, bundle, f"http://127.0.0.1:{server.server_port}/clip.mp4")
        missing = live(display, bundle, f"http://127.0.0.1:{server.server_port}/none.mp4")
        server.shutdown()
    assert run.returncode == 1
    assert "clip.mp4 stopped after 12 frames" in run.stderr
    assert missing.returncode == 1
    assert "none.mp4 cannot be opened" in missing.stderr


@pytest.mark.slow
@needs_windows
@needs_display
def test_a_camera_is_asked_by_rtsp_and_its_silence_is_told(display, bundle, faces, rtsp_camera):
    image = np.full((180, 320, 3), 190, dtype=np.uint8)
    image[40:136, 30:126] = faces[4]
    camera = rtsp_camera([image] * 30)
    run = live(display, bundle, camera.address)
    assert camera.asked == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert run.returncode == 1
    (count,) = re.findall(rf"{camera.address} stopped after (\d+) frames: look after the camera", run.stderr)
    assert 25 <= int(count) <= 30  # FFmpeg may leave out the first or the last


@needs_windows
@needs_display
@pytest.mark.skipif(shutil.which("xdotool") is None, reason="no xdotool: apt-get install xdotool")
@pytest.mark.slow
def test_any_key_ends_it(display, bundle, faces, tmp_path, write_clip):
    clip = write_clip(tmp_path / "long.mp4", [np.full((180, 320, 3), 190, dtype=np.uint8)] * 2000)
    process = subprocess.Popen(
        [*CLI, "--source", str(clip), "--model", str(bundle.folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "DISPLAY": display},
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.5)
        # Without a window manager the keyboard belongs to the window under the pointer.
        press = ["xdotool", "mousemove", "60", "60", "key", "q"]
        subprocess.run(press, env={**os.environ, "DISPLAY": display}, capture_output=True, check=False)
    out, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert 0 < int(out.split()[0]) < 1500


@pytest.mark.parametrize("source", ["9", pytest.param("nowhere.mp4", marks=pytest.mark.slow)])
@needs_windows
@needs_display
def test_what_cannot_be_opened_is_one_line(display, bundle, source):
    run = live(display, bundle, source)
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith(
        "error: camera 9 cannot be opened" if source == "9" else "error: nowhere.mp4 not found"
    )
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_no_display_is_one_line(bundle, clip, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(FercompError, match="no display for a window: type `fercomp live` without --window"):
        show_window(str(clip), bundle, Options())
