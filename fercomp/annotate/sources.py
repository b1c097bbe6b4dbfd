"""Where pictures come from."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fercomp.core.errors import FercompError
from fercomp.media.containers import CLIP_SUFFIXES
from fercomp.media.image_formats import IMAGE_SUFFIXES


@dataclass(frozen=True)
class Source:
    """A photo or a clip to be annotated.

    Attributes:
        path: The file.
        file: Its path relative to the folder being annotated, with forward slashes, as one line of UTF-8
            text; its name on record.
    """

    path: Path
    file: str


class Photo(Source):
    """A photo to be annotated."""


class Video(Source):
    """A clip to be annotated."""


def find_sources(path: Path, output: Path) -> list[Photo | Video]:
    """Finds the photos and clips of a folder and its sub-folders.

    Hidden files and folders are left out, and so is the output folder where it lies inside.

    Args:
        path: A folder, or one file, which is taken for a photo unless its name ends as that of a clip.
        output: The folder that annotated copies go to.

    Returns:
        Photos and clips in the order of their names.

    Raises:
        FercompError: There is no such path, or the folder holds neither.
    """
    if not path.exists():
        raise FercompError(f"{path} not found: name a photo, a video or a folder of them")
    if not path.is_dir():
        return [_source(path, path.name)]
    found = sorted(_walk(path, output.resolve()))
    if not found:
        kinds = ", ".join(sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES | CLIP_SUFFIXES))
        raise FercompError(f"{path} holds no photos and no videos ({kinds}): name another folder")
    return [_source(path / file, file.as_posix()) for file in found]


def _source(path: Path, file: str) -> Photo | Video:
    kind = Video if path.suffix.lower() in CLIP_SUFFIXES else Photo
    return kind(path, _recordable(file))


def _walk(folder: Path, output: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise FercompError(f"{error.filename} may not be read: change its permissions") from error

    for here, folders, files in os.walk(folder, onerror=fail):
        place = Path(here)
        folders[:] = [f for f in folders if not f.startswith(".") and (place / f).resolve() != output]
        for file in files:
            if not file.startswith(".") and Path(file).suffix.lower() in IMAGE_SUFFIXES | CLIP_SUFFIXES:
                yield (place / file).relative_to(folder)


def _recordable(name: str) -> str:
    """Returns the name as one line of UTF-8 text: control characters and bytes that are no text are escaped.

    The `csv` module writes a carriage return as it is, which would end the row for most readers.
    """
    one_line = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", name)
    return one_line.encode("utf-8", "backslashreplace").decode("utf-8")
