import http.client
import os
import re
import shutil
import signal
import time
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from fercomp.core.classes import EMOTIONS
from fercomp.core.paths import Workspace
from fercomp.core.tables import LABELS, PHOTOS
from tests.forks import EVERY_COMMAND, MAIN, Forks

IMPORTS = (
    EVERY_COMMAND
    + """
import numpy, pandas, openvino, cv2, PIL.Image, fastapi, pydantic.v1
import uvicorn.lifespan.on, uvicorn.loops.asyncio, uvicorn.protocols.websockets.websockets_sansio_impl
import fercomp.cli.live, fercomp.cli.review
import fercomp.web.clients, fercomp.web.live, fercomp.web.review
"""
)
CLOCK = """
from itertools import count
import fercomp.web.live
moments = count()
fercomp.web.live.sleepless = lambda: next(moments) / 25
from fercomp.cli.app import main
main()
"""
"""The same with frames that come 1/25 s after each other, however long the machine takes for one."""

expect.set_options(
    timeout=20_000
)  # what is expected comes in a moment, but the machine may also do other things

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def ask(server, path, body=None, **headers):
    """Asks a server, as its page does: the status, the headers and the bytes of the answer."""
    connection = http.client.HTTPConnection(server.host, timeout=30)
    if body is not None and "Origin" not in headers:
        headers["Origin"] = f"http://{server.host}"
    headers = {name: value for name, value in headers.items() if value is not None}
    connection.request("GET" if body is None else "POST", path, body=body, headers=headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


def write_camera(path, pictures, rate):
    """Writes pictures of 640 x 480 in the format that Chromium plays as a camera."""
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H480 F%d:1 Ip A1:1 C420jpeg\n" % rate)
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            file.write(b"FRAME\n" + frame.to_ndarray().tobytes())
    return path


def axe_finds(page):
    """What axe has against a page as it is now, and in which elements."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run()")["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


class Server:
    """A real server of a page in a process of its own."""

    def __init__(self, forks, *words, cwd=None, browser=False, code=MAIN):
        # Written line by line, as in a terminal, though the tests may run without one.
        code = f"import sys; sys.stdout.reconfigure(line_buffering=True)\n{code}"
        words = [*words, *([] if browser else ["--no-browser"])]
        self.process = forks.start(code, *words, cwd=cwd or Path.cwd(), env=dict(os.environ))
        while "\n" not in (line := self.process.written()) and self.process.poll() is None:
            time.sleep(0.005)
        assert line.startswith("open http://127.0.0.1:"), "".join(self.process.communicate())
        self.address = line.split()[1]
        self.host = urlsplit(self.address).netloc
        self.token = parse_qs(urlsplit(self.address).query)["token"][0]

    def stop(self, number=signal.SIGINT):
        """Ctrl-C: the exit code and what was written to stdout and stderr since the address."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out.partition("\n")[2], err


@pytest.fixture(scope="session")
def forks():
    """The process whose forks are the servers in these tests."""
    forks = Forks(IMPORTS)
    yield forks
    forks.close()


def start_live(forks, bundle, folder, code=CLOCK):
    """`fercomp live`; its recordings are in `server.folder`."""
    server = Server(forks, "live", "--model", str(bundle), "--output", str(folder), code=code)
    server.folder = folder
    return server


@pytest.fixture
def server(forks, tmp_path, tiny_bundle_folder):
    server = start_live(forks, tiny_bundle_folder, tmp_path / "recordings")
    yield server
    server.process.close()


@pytest.fixture
def write_review(tmp_path):
    """Writes photos of noise, every fourth a copy of the one before under another label, and doubts."""

    def write(photos, doubted):
        workspace, rng, numbers = Workspace(tmp_path), np.random.default_rng(0), np.arange(photos)
        (workspace.raw / "train").mkdir(parents=True)
        paths = [f"train/{i}.png" for i in numbers]
        for i, path in enumerate(paths):
            if i < 100:
                noise = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(noise).resize((48, 48)).save(workspace.raw / path)
            else:
                (workspace.raw / path).hardlink_to(workspace.raw / paths[i % 100])
        given, other = (np.array(EMOTIONS)[k % 9] for k in (numbers, numbers * 7 + 1))  # never the same
        index = pd.DataFrame({"image_path": paths, "split": "train", "emotion": given})
        index["sha1"] = [f"{i:040x}" for i in numbers]
        index["duplicate_group"] = np.where(numbers % 4 == 3, numbers - 1, numbers)
        index = index.assign(width=48, height=48, phash="0" * 16, recompressed=0, fold=0)
        PHOTOS.write(index, workspace.photos)
        labels = index.assign(suggested=given, quality=rng.random(photos), reason="")
        labels = labels.assign(**dict.fromkeys(EMOTIONS, 1 / 9))
        labels.loc[numbers < doubted, "suggested"] = other[:doubted]
        labels.loc[numbers < doubted, "reason"] = "network"
        LABELS.write(labels, workspace.labels)
        return workspace

    return write


@pytest.fixture
def review_workspace(write_review):
    """130 photos; 103 labels are doubted, of the last one's copy is not."""
    return write_review(130, doubted=103)


@pytest.fixture
def start_review(forks):
    """Starts `fercomp review`; its journal is `server.journal`."""
    servers = []

    def start(workspace, browser=False):
        server = Server(forks, "review", cwd=workspace.root, browser=browser)
        server.journal = workspace.reviewed
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.process.close()


@pytest.fixture
def review_server(start_review, review_workspace):
    return lambda: start_review(review_workspace)


@pytest.fixture(scope="module")
def launch():
    """Launches a Chromium with further arguments, the same one for the same arguments."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:

        @cache
        def launch(*arguments):
            # Without its sandbox, which a container's root may not set up; all pages are our own.
            arguments = ["--no-sandbox", *arguments]
            return playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=60_000)

        yield launch


@pytest.fixture
def browse(launch):
    """Opens an address in a Chromium with further arguments, which knows nothing yet; gives the page."""
    contexts = []

    def browse(address, *arguments):
        contexts.append(launch(*arguments).new_context())
        page = contexts[-1].new_page()
        page.goto(address)
        return page

    yield browse
    for context in contexts:
        context.close()


@pytest.fixture
def browse_offline(browse):
    """Opens a file without network; nothing may be said on the console, and nobody asked."""
    said, asked = [], []

    def browse_offline(path):
        page = browse("about:blank")
        page.context.set_offline(True)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield browse_offline
    assert said == []
    assert all(re.match(r"file:|data:", url) for url in asked)
