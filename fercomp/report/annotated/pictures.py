"""Small pictures for the page: of the copies that lie in the output folder already, and faces of people."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from fercomp.annotate.output.names import TIMELINE
from fercomp.annotate.output.run_file import RunFile
from fercomp.annotate.people.names import PEOPLE
from fercomp.annotate.people.store import PeopleData
from fercomp.core.errors import FercompError
from fercomp.core.reading import read_at_most
from fercomp.media.clips import Clip
from fercomp.media.images import decode_photo, read_file
from fercomp.media.problems import MediaProblem
from fercomp.report.html.thumbnails import jpeg_address, picture_address

_LARGEST_STRIP = 2**20


def copies_of(output: Path) -> dict[str, Path]:
    """Returns by `file` where its copy is, as `run.json` says; what leads out of the folder is left out."""
    copies = {}
    for name, file in (RunFile(output, {}).written or {}).items():
        path = output / name
        if file and not name.endswith(TIMELINE) and name != PEOPLE and _is_inside(path, output):
            copies[file] = path
    return copies


def _is_inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a link to itself, a name that no file can have
        return False


def small_photo(path: Path, side: int) -> str | None:
    """Returns the address of a small picture of a photo, `None` where that cannot be read."""
    try:
        return _address(decode_photo(read_file(path), str(path), least=side).pixels, side)
    except MediaProblem:
        return None


def small_frame(path: Path, time: float, side: int) -> str | None:
    """Returns the address of a small picture of a clip at a time in seconds, `None` where there is none."""
    if not path.is_file():
        return None
    try:
        with Clip(path, time) as clip:
            return _address(next(iter(clip)).image, side)
    except (MediaProblem, StopIteration):
        return None


def strips_of(output: Path, people: Mapping[int, object]) -> dict[int, tuple[str, int, int]]:
    """Returns the faces of people: the address of the picture, and its width and height in pixels."""
    data, strips = PeopleData(output), {}
    for person in people:
        path = data.picture_of(person)
        if path.is_symlink() or not path.is_file():
            continue
        try:
            jpeg = read_at_most(path, _LARGEST_STRIP)
            with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
                width, height = image.size
        except (FercompError, OSError, Image.DecompressionBombError):  # somebody else's
            continue
        strips[person] = (jpeg_address(jpeg), width, height)
    return strips


def _address(pixels: np.ndarray, side: int) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((side, side))
    return picture_address(image, quality=80)
