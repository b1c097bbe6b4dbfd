"""Where pictures come from."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fercomp.core.errors import FercompError
from fercomp.data.images import IMAGE_SUFFIXES


@dataclass(frozen=True)
class Photo:
    """A photo to be annotated.

    Attributes:
        path: The file.
        file: Its path relative to the folder being annotated, with forward slashes, as one line of UTF-8
            text; its name on record.
    """

    path: Path
    file: str


def find_photos(path: Path, output: Path) -> list[Photo]:
    """Finds the photos of a folder and its sub-folders.

    Hidden files and folders are left out, and so is the output folder where it lies inside.

    Args:
        path: A folder, or one photo, which is taken whatever its name ends with.
        output: The folder that annotated copies go to.

    Returns:
        The photos in the order of their names.

    Raises:
        FercompError: There is no such path, or the folder holds no photos.
    """
    if not path.exists():
        raise FercompError(f"{path} not found: name a photo or a folder of photos")
    if not path.is_dir():
        return [Photo(path, _recordable(path.name))]
    found = sorted(_walk(path, output.resolve()))
    if not found:
        kinds = ", ".join(sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES))
        raise FercompError(f"{path} holds no photos ({kinds}): name another folder")
    return [Photo(path / file, _recordable(file.as_posix())) for file in found]


def _walk(folder: Path, output: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise FercompError(f"{error.filename} may not be read: change its permissions") from error

    for here, folders, files in os.walk(folder, onerror=fail):
        place = Path(here)
        folders[:] = [f for f in folders if not f.startswith(".") and (place / f).resolve() != output]
        for file in files:
            if not file.startswith(".") and Path(file).suffix.lower() in IMAGE_SUFFIXES:
                yield (place / file).relative_to(folder)


def _recordable(name: str) -> str:
    """Returns the name as one line of UTF-8 text: control characters and bytes that are no text are escaped.

    The `csv` module writes a carriage return as it is, which would end the row for most readers.
    """
    one_line = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\x{ord(found[0]):02x}", name)
    return one_line.encode("utf-8", "backslashreplace").decode("utf-8")
