"""Measures the page of `review` with 10,000 suggestions in a headless Chromium.

Usage: python benchmarks/review.py

Prints, for five starts of the server, the seconds from the command to the address, from the address to a
page whose forty photos are drawn, and from the key that accepts all forty to the moment when the page says
that they are on disk. After each, the server is killed, and the decisions in the journal are counted.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from fercomp.core.classes import EMOTIONS
from fercomp.core.paths import Workspace
from fercomp.core.tables import LABELS, PHOTOS
from fercomp.labels.journal import read_decisions

CLI = (sys.executable, "-u", "-c", "from fercomp.cli.app import main; main()", "review", "--no-browser")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SUGGESTIONS, PHOTOS_IN_ALL = 10_000, 26_609
DRAWN = "() => document.images.length > 40 && [...document.images].every(i => i.complete && i.naturalWidth)"


def write_workspace(root: Path) -> Workspace:
    """Writes noise of 48 pixels as photos, and a suggestion for the first ones."""
    workspace, rng = Workspace(root), np.random.default_rng(0)
    (workspace.raw / "train").mkdir(parents=True)
    numbers = np.arange(PHOTOS_IN_ALL)
    paths = [f"train/{i}.jpg" for i in numbers]
    for path in paths:
        noise = rng.integers(0, 256, (48, 48), dtype=np.uint8)
        Image.fromarray(noise).convert("RGB").save(workspace.raw / path, quality=90)
    given = np.array(EMOTIONS)[numbers % 9]
    photos = pd.DataFrame(
        {"image_path": paths, "split": "train", "emotion": given, "width": 48, "height": 48}
    )
    photos = photos.assign(
        sha1=[f"{i:040x}" for i in numbers], phash="0" * 16, duplicate_group=numbers, recompressed=0, fold=0
    )
    PHOTOS.write(photos, workspace.photos)
    doubted = numbers < SUGGESTIONS
    suggested = np.where(doubted, np.array(EMOTIONS)[(numbers + 1) % 9], given)
    labels = photos.assign(suggested=suggested, quality=rng.random(len(photos)))
    shares = dict.fromkeys(EMOTIONS, 1 / len(EMOTIONS))
    LABELS.write(labels.assign(reason=np.where(doubted, "network", ""), **shares), workspace.labels)
    return workspace


def main() -> None:
    """Prints what was measured."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        workspace = write_workspace(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"], timeout=60_000)
        for run in range(1, 6):
            start = time.monotonic()
            server = subprocess.Popen(CLI, stdout=subprocess.PIPE, text=True, cwd=folder)
            address = next(iter(server.stdout or ())).split()[1]
            up = time.monotonic()
            page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
            page.goto(address)
            page.wait_for_function(DRAWN)
            opened = time.monotonic()
            page.keyboard.press("Shift+A")
            expect(page.locator("#saving")).to_have_text("all on disk")
            saved = time.monotonic()
            server.kill()
            server.wait()
            kept = len(read_decisions(workspace.reviewed))
            print(
                f"command to address {up - start:.2f} s, page {opened - up:.2f} s, 40 decisions on disk "
                f"{saved - opened:.3f} s; after the kill {kept} of {40 * run} are there; "
                f"load {os.getloadavg()[0]:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
