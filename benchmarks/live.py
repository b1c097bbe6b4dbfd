"""Measures the page of `live` in a headless Chromium whose camera plays a clip.

Usage: python benchmarks/live.py CLIP MODEL [SCREENSHOT.png]

Prints the rate and the median round trip that the page itself shows, over ten seconds.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from playwright.sync_api import Page, expect, sync_playwright

CLI = (sys.executable, "-u", "-c", "from fercomp.cli.app import main; main()", "live", "--no-browser")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def live_page(frames: Iterable[av.VideoFrame], model: str) -> Iterator[Page]:
    """Gives the page of `live` when it has looked at a first frame of a camera that plays `frames`."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        camera = Path(folder) / "camera.y4m"
        write_camera(frames, camera)
        server = subprocess.Popen(
            [*CLI, "--model", model, "--output", folder], stdout=subprocess.PIPE, text=True
        )
        address = next(iter(server.stdout or ())).split()[1]
        arguments = [
            "--no-sandbox",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        ]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments, timeout=60_000)
        page = browser.new_page(viewport={"width": 1100, "height": 640})
        page.goto(address)
        expect(page.locator("#count")).not_to_have_text("–", timeout=60_000)  # noqa: RUF001
        yield page
        browser.close()
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)


def write_camera(frames: Iterable[av.VideoFrame], target: Path, width: int = 640, height: int = 480) -> None:
    """Writes frames in the format that Chromium plays as a camera, 30 per second."""
    with target.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            planes = frame.reformat(width=width, height=height, format="yuv420p").to_ndarray()
            file.write(b"FRAME\n" + planes.tobytes())


def main() -> None:
    """Prints rate and round trip."""
    with av.open(sys.argv[1]) as clip, live_page(clip.decode(video=0), sys.argv[2]) as page:
        for _ in range(10):
            page.wait_for_timeout(1000)
            rate, latency = (page.locator(place).inner_text() for place in ("#fps", "#latency"))
            print(f"{rate} frames/s, median round trip {latency} ms", flush=True)
        if len(sys.argv) > 3:
            page.screenshot(path=sys.argv[3])


if __name__ == "__main__":
    main()
