"""Opens an annotated copy: in a window of OpenCV, else in the viewer of the platform."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import cv2

from fercomp.annotate.window import has_display
from fercomp.media.images import read_image

_WINDOW: Final = (1600, 900)
"""Pixels of a window at first; it may be made larger."""


def show_copy(path: Path) -> str:
    """Shows a picture until a key is pressed or its window is closed; a viewer stays open.

    Args:
        path: The picture.

    Returns:
        What was done, in a line.

    Raises:
        FercompError: The picture cannot be read.
    """
    if not has_display():
        return f"no display to show it on: copy {path} to a machine that has one"
    try:
        _in_a_window(path)
    except cv2.error:  # opencv-python-headless
        return _in_a_viewer(path)
    return f"shown: {path}"


def _in_a_window(path: Path) -> None:
    title = f"{path.name} - any key ends"
    cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
    picture = cv2.cvtColor(read_image(path), cv2.COLOR_RGB2BGR)
    height, width = picture.shape[:2]
    scale = min(1.0, _WINDOW[0] / width, _WINDOW[1] / height)
    cv2.resizeWindow(title, max(1, round(width * scale)), max(1, round(height * scale)))
    cv2.imshow(title, picture)
    while cv2.waitKey(100) == -1 and cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) >= 1:
        pass
    cv2.destroyAllWindows()


def _in_a_viewer(path: Path) -> str:
    try:
        if sys.platform == "win32":
            os.startfile(path.absolute())  # noqa: S606 - a picture that we wrote
        else:
            viewer = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
            if viewer is None:
                return f"neither OpenCV nor xdg-open can show pictures here: open {path} yourself"
            subprocess.Popen(
                [viewer, str(path.absolute())], stderr=subprocess.DEVNULL, start_new_session=True
            )
    except OSError as error:
        return f"no viewer could be started ({error.strerror}): open {path} yourself"
    return f"opened in the viewer: {path}"
