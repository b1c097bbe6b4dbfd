"""`annotate --show`: a window where there is one, else the platform's viewer, else a line."""

import shutil
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from fercomp.annotate import show
from fercomp.annotate.show import show_copy


@pytest.fixture
def picture(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":99")
    Image.fromarray(np.zeros((3000, 2000, 3), np.uint8)).save(tmp_path / "copy.png")
    return tmp_path / "copy.png"


def test_without_a_display_it_is_one_line(picture, monkeypatch):
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert show_copy(picture) == f"no display to show it on: copy {picture} to a machine that has one"


def test_a_window_stays_until_a_key_and_is_no_larger_than_a_screen(picture, monkeypatch):
    keys, seen = iter([-1, -1, ord("q")]), []
    for name in ("namedWindow", "imshow", "resizeWindow", "destroyAllWindows"):
        monkeypatch.setattr(cv2, name, lambda *words, name=name: seen.append((name, *words[1:])))
    monkeypatch.setattr(cv2, "waitKey", lambda _: next(keys))
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    assert show_copy(picture) == f"shown: {picture}"
    assert ("resizeWindow", 600, 900) in seen
    assert seen[-1] == ("destroyAllWindows",)
    assert next(keys, None) is None


@pytest.fixture
def no_windows(monkeypatch):
    def missing(*_):
        raise cv2.error("no GUI")

    monkeypatch.setattr(cv2, "namedWindow", missing)


def test_the_viewer_is_used_where_opencv_has_no_windows(picture, no_windows, monkeypatch):
    started = []
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(show.subprocess, "Popen", lambda words, **_: started.append(words))
    assert show_copy(picture) == f"opened in the viewer: {picture}"
    assert started == [["/bin/xdg-open", str(picture)]]


def test_without_window_and_viewer_it_is_one_line(picture, no_windows, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert (
        show_copy(picture) == f"neither OpenCV nor xdg-open can show pictures here: open {picture} yourself"
    )


def test_a_viewer_that_does_not_start_is_one_line(picture, no_windows, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: str(picture))  # no program
    assert show_copy(picture).startswith("no viewer could be started (")
