"""Formats of still pictures: which are read, by what, and a JPEG's own parts."""

import re
import stat
from pathlib import Path
from typing import Final

from PIL import Image

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""Pillow's names of the formats that are always read; an MPO (stereo or burst) opens as a JPEG. A closed
list, since some of Pillow's other readers start foreign programs (EPS) or are hardly ever tested."""

HEIC_SUFFIXES: Final = frozenset({".heic", ".heif", ".hif"})
"""Photos of phones, which few programs show: their copies are JPEGs."""

IMAGE_SUFFIXES: Final = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp"),
        *(".gif", ".tif", ".tiff", ".avif", *HEIC_SUFFIXES),
    }
)
"""Lower-case file name endings under which such pictures are found in folders."""

_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})


def formats_of(data: bytes) -> tuple[str, ...]:
    """Returns Pillow's names of the formats that a picture may have, and makes sure that it reads them.

    Args:
        data: The bytes of the picture.
    """
    if is_heic(data):
        # Imported for such a photo only: its libraries decode a video codec.
        from pi_heif import register_heif_opener

        register_heif_opener()
        return ("HEIF",)
    return ("AVIF",) if _brands(data) & _AVIF_BRANDS else FORMATS


def is_heic(data: bytes) -> bool:
    """Says whether a file calls itself a HEIC."""
    return bool(_brands(data) & _HEIC_BRANDS)


def _brands(data: bytes) -> set[bytes]:
    """Returns what a file of the ISO base media format says that it is (ISO/IEC 14496-12)."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), 256)
    return {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}


def photo_bytes(path: Path) -> int:
    """Returns how much memory a photo will take, by its header alone.

    Args:
        path: The photo.

    Returns:
        Bytes; 0 where it is small or cannot be read.
    """
    try:
        status = path.stat()
        is_small = path.suffix.lower() in _JPEGS and status.st_size < _SMALL_JPEG
        if is_small or not stat.S_ISREG(status.st_mode):
            return 0
        with path.open("rb") as file, Image.open(file, formats=formats_of(file.read(64))) as image:
            return image.width * image.height * 3
    except Exception:  # what is wrong with it is said when it is read
        return 0


_JPEGS: Final = frozenset({".jpg", ".jpeg"})
_SMALL_JPEG: Final = 500_000
"""Bytes; to open a file for its size alone costs as much as a fiftieth of annotating it."""


_START: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_SCAN: Final = 0xDA
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def ended_jpeg(data: bytes) -> bytes | None:
    """Gives a JPEG that lacks its end an end, behind its last whole part (ITU-T T.81, annex B).

    Args:
        data: The bytes of a picture.

    Returns:
        A JPEG that is grey where nothing came, or `None` where no part of a picture came, or it is no JPEG.
    """
    if not data.startswith(_START):
        return None
    at, has_picture = 2, False
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a filling byte
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _END[1] or end > len(data):
            break
        if marker == _SCAN:
            following = _NEXT_MARKER.search(data, end)
            at = len(data) if following is None else following.start()
            has_picture |= at > end
        else:
            at = end
    return data[:at] + _END if has_picture else None
