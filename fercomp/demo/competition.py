"""The demo source: a small competition with the real one's files, filled with drawn faces.

The pictures lie in the package as they were drawn, so that they are the same everywhere, whatever version of
whatever library would draw them. `tests/make_demo.py` of the repository draws them.
"""

from pathlib import Path
from typing import Final
from zipfile import ZipFile

from fercomp.data.archive import unpack

DRAWN: Final = Path(__file__).with_name("drawn.zip")
"""All files of the demo."""

MEDIA: Final = "media"
"""Folder of what there is to annotate: groups of people, and a clip."""

README_NAME: Final = "README.txt"
"""What says of a folder that its faces are drawn."""


def write_demo(folder: Path) -> None:
    """Writes the demo competition.

    Args:
        folder: Where the files go; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unpack(DRAWN, folder)


def is_demo(folder: Path) -> bool:
    """Says whether a folder holds the demo's files, by their README."""
    readme = folder / README_NAME
    if not readme.is_file():
        return False
    with ZipFile(DRAWN) as drawn:
        return readme.read_bytes() == drawn.read(README_NAME)
