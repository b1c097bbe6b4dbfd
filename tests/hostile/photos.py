"""Hostile photos: damaged, disguised, huge, oddly named. A good one beside each is done."""

import io
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from .base import face
from .case import Case

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F")
NAMES = (
    "-rf.jpg",
    "--help.jpg",
    " .jpg",
    "a b.jpg",
    "a\nb.jpg",
    "a\tb.jpg",
    "\x1b[31mred.jpg",
    "bell\x07.jpg",
    "\u202egpj.exe.jpg",
    "é́.jpg",
    "日本語.jpg",
    "🙂.jpg",
    "'quote'.jpg",
    '"double".jpg',
    "semi;colon.jpg",
    "$HOME.jpg",
    "%s%n.jpg",
    "[bold]rich.jpg",
    "[red].jpg",
    "back\\slash.jpg",
    "comma,comma.jpg",
    "=cmd().jpg",
    "con.jpg",
    "x" * 240 + ".jpg",
    "x" * 251 + ".jpg",
    "y" * 100 + ".jpg" * 30 + ".jpg",
    ".jpg",
    "..jpg",
    "UPPER.JPG",
    "._resource.jpg",
)


def photo_cases() -> Iterator[Case]:
    """Gives all cases of photos."""
    yield from _damaged()
    yield from _disguised()
    for name in NAMES:
        yield _case(f"name {name!r}"[:80], partial(_save_as, name))
    for kind, make in _KINDS.items():
        yield _case(kind, make)


def _case(name: str, make: Callable[[Path], None]) -> Case:
    def build(work: Path) -> list[str]:
        media = work / "precious" / "media"
        media.mkdir()
        face("happy", 1, 96).save(media / "good.png")
        make(media)
        return ["annotate", str(media), "--model", "tiny", "--detector", "whole", "--output", "out"]

    return Case("photos", name, build, "either", _good_one_is_done)


def _good_one_is_done(work: Path) -> str:
    records = work / "out" / "records.csv"
    if not records.is_file() or "good.png,face" not in records.read_text(encoding="utf-8", errors="replace"):
        return "the good photo beside it has no row"
    return "" if (work / "out" / "good.png").is_file() else "the good photo beside it has no copy"


def _encoded(mode: str, kind: str, side: int = 64) -> bytes | None:
    file, picture = io.BytesIO(), face("sad", 2, side)
    try:
        picture = picture.convert("L").convert(mode) if mode in ("I;16", "I", "F") else picture.convert(mode)
        picture.save(file, kind)
    except (OSError, ValueError, KeyError):
        return None
    return file.getvalue()


def _damaged() -> Iterator[Case]:
    whole = {kind: _encoded("RGB", kind) for kind in FORMATS}
    rng = np.random.default_rng(7)
    for kind, data in whole.items():
        assert data is not None
        for cut in (
            1,
            2,
            10,
            20,
            100,
            len(data) // 4,
            len(data) // 2,
            len(data) - 100,
            len(data) - 2,
            len(data) - 1,
        ):
            yield _case(f"{kind} cut after {cut} bytes", partial(_write, f"cut.{kind.lower()}", data[:cut]))
        for i in range(14):
            broken = np.frombuffer(data, np.uint8).copy()
            places = rng.integers(0, len(broken) if i % 2 else 60, 1 + i)
            broken[places] = rng.integers(0, 256, len(places))
            yield _case(
                f"{kind} with {len(places)} wrong bytes, {i}",
                partial(_write, f"bad{i}.jpg", broken.tobytes()),
            )


def _disguised() -> Iterator[Case]:
    for kind in FORMATS:
        for mode in MODES:
            data = _encoded(mode, kind)
            if data is not None:
                yield _case(f"{kind} of mode {mode}, called .jpg", partial(_write, "photo.jpg", data))
    for orientation in (*range(11), 255, 65535):
        yield _case(f"EXIF orientation {orientation}", partial(_oriented, orientation))
    texts = (
        b"",
        b"\0" * 1000,
        b"<svg/>",
        b"%PDF-1.4",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"PK\3\4",
        b"RIFF\0\0\0\0WEBP",
    )
    for i, text in enumerate(texts):
        yield _case(f"no picture, {text[:8]!r} {i}", partial(_write, "photo.jpg", text))
    for size in ((1, 1), (7, 7), (1, 5000), (5000, 1), (30000, 30000), (20000, 8)):
        yield _case(f"PNG of {size[0]}x{size[1]}", partial(_flat, size))


def _write(name: str, data: bytes, media: Path) -> None:
    (media / name).write_bytes(data)


def _save_as(name: str, media: Path) -> None:
    data = _encoded("RGB", "JPEG")
    assert data is not None
    (media / name).write_bytes(data)


def _oriented(orientation: int, media: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    face("fear", 3, 64).save(media / "turned.jpg", exif=exif)


def _flat(size: tuple[int, int], media: Path) -> None:
    Image.new("1", size).save(media / "flat.png")


def _unreadable(media: Path) -> None:
    _save_as("secret.jpg", media)
    (media / "secret.jpg").chmod(0)


def _loop(media: Path) -> None:
    (media / "inside").symlink_to(media)
    (media / "self.jpg").symlink_to("self.jpg")


def _shared_original(media: Path) -> None:
    face("anger", 4, 64).save(media.parent / "original.jpg")
    (media / "link.jpg").symlink_to(media.parent / "original.jpg")


def _output_links_to_original(media: Path) -> None:
    """The copy of a photo would be written through a link to somebody's original."""
    face("anger", 4, 64).save(media.parent / "original.jpg")
    _save_as("photo.jpg", media)
    out = media.parents[1] / "out"
    out.mkdir()
    (out / "photo.jpg").symlink_to(media.parent / "original.jpg")


_KINDS: dict[str, Callable[[Path], None]] = {
    "folder called .jpg": lambda media: (media / "folder.jpg").mkdir(),
    "broken link": lambda media: (media / "gone.jpg").symlink_to("nowhere.jpg"),
    "links to themselves": _loop,
    "link to an original": _shared_original,
    "pipe": lambda media: os.mkfifo(media / "pipe.jpg"),
    "link to a device": lambda media: (media / "zero.jpg").symlink_to("/dev/zero"),
    "no permission": _unreadable,
    "folder without permission": lambda media: (media / "closed").mkdir(mode=0),
    "two that would share a copy": lambda media: (
        [_save_as(n, media) for n in ("a.jpg", "a.JPG", "a.jpeg")] and None
    ),
    "deep folders": lambda media: (media / "/".join("d" * 50)).mkdir(parents=True),
    "40 folders, each with a link to the next": lambda media: _chain(media),
}


def _chain(media: Path) -> None:
    for i in range(40):
        (media / f"f{i}").mkdir()
        (media / f"f{i}" / "next").symlink_to(media / f"f{(i + 1) % 40}")
