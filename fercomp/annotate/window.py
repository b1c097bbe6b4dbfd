"""The window of `fercomp live --window`: a camera, a file or an address, drawn as it comes."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final

import cv2

from fercomp.annotate.drawing.draw import draw
from fercomp.annotate.options import Options
from fercomp.core.errors import FercompError
from fercomp.core.progress import count
from fercomp.media.clips import Frame
from fercomp.modeling.bundle.model import Bundle

TITLE: Final = "fercomp live - any key ends"
WAIT: Final = 10_000
"""Milliseconds after which an address that does not answer is given up."""


def show_window(source: str, bundle: Bundle, options: Options) -> int:
    """Shows a source with its faces and emotions until a key is pressed, the window is closed or it ends.

    Args:
        source: The number of a camera, the path of a video, or an http or rtsp address.
        bundle: The trained model.
        options: How to look.

    Returns:
        Number of frames shown.

    Raises:
        FercompError: There is no display, OpenCV has no windows, the source cannot be opened, or a camera
            stopped.
    """
    _require_display()
    recogniser = options.clip_recogniser(bundle)
    recogniser.warm_up()
    shown, sizes = 0, dict[int, int]()
    for frame, due in _frames(source):
        picture = draw(frame.image, recogniser.look(frame).faces, sizes)
        cv2.imshow(TITLE, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        shown += 1
        left = max(1, round(1000 * (due - monotonic())))
        if cv2.waitKey(left) != -1 or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            break
    cv2.destroyAllWindows()
    return shown


def has_display() -> bool:
    """Says whether windows can be shown: OpenCV would end the whole process, which nothing can catch."""
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _require_display() -> None:
    if not has_display():
        raise FercompError("no display for a window: type `fercomp live` without --window for a page")
    try:
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
    except cv2.error as error:
        raise FercompError(
            "this OpenCV has no windows (opencv-python-headless): type FERCOMP_OPENCV=desktop ./run true, "
            "or `fercomp live` without --window"
        ) from error


def _frames(source: str) -> Iterator[tuple[Frame, float]]:
    """Gives the frames of a source, each with the moment up to which it is seen: in a file the next one's."""
    is_file = not source.isdecimal() and "://" not in source
    capture = _opened(source, is_file)
    try:
        start, index = monotonic(), 0
        rate = capture.get(cv2.CAP_PROP_FPS) or 25.0
        while True:
            there, bgr = capture.read()
            if not there:
                break
            time = index / rate if is_file else monotonic() - start
            due = start + (index + 1) / rate if is_file else start
            yield Frame(index, time, index, cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)), due
            index += 1
    finally:
        capture.release()
    if index == 0 or not is_file:
        raise FercompError(
            f"{source} stopped after {count(index, 'frame')}: look after the camera or the connection"
        )


def _opened(source: str, is_file: bool) -> cv2.VideoCapture:
    if is_file and not Path(source).is_file():
        raise FercompError(f"{source} not found: name a video, the number of a camera or an address")
    if source.isdecimal():
        capture = cv2.VideoCapture(int(source))
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # what is seen is now, not a few frames ago
    else:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, WAIT, cv2.CAP_PROP_READ_TIMEOUT_MSEC, WAIT]
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    if not capture.isOpened():
        what = "camera " if source.isdecimal() else ""
        raise FercompError(f"{what}{source} cannot be opened: check that it is there and used by nobody else")
    return capture
