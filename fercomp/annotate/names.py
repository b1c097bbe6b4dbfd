"""How annotated copies and timelines are called: no two alike, and none too long."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from fercomp.annotate.sources import Photo, Video
from fercomp.media.image_formats import HEIC_SUFFIXES, IMAGE_SUFFIXES

TIMELINE: Final = ".timeline.png"

MOST_NAME_BYTES: Final = 255
"""Bytes of a name that file systems take."""

RESERVED: Final = ("run.json", "records.csv", "records.jsonl")
"""What else lies in the output folder."""


class Names(NamedTuple):
    """Names relative to the output folder, with forward slashes.

    Attributes:
        copy: The annotated copy.
        timeline: Of a clip; empty for a photo.
    """

    copy: str
    timeline: str

    def all(self) -> tuple[str, ...]:
        """Returns what is written for the source."""
        return (self.copy, self.timeline) if self.timeline else (self.copy,)


def plain_name(source: Photo | Video) -> str:
    """Returns how a copy is called where nothing is in its way: clips are MP4s, HEICs become JPEGs."""
    if isinstance(source, Video):
        return str(PurePosixPath(source.file).with_suffix(".mp4"))
    suffix = Path(source.file).suffix.lower()
    if suffix in HEIC_SUFFIXES:
        return source.file + ".jpg"
    return source.file if suffix in IMAGE_SUFFIXES else source.file + ".png"


def output_names(sources: Sequence[Photo | Video]) -> dict[str, Names]:
    """Says by `file` what is written for each source.

    Names are told apart as on file systems that do not know large letters from small ones. Where two clips
    would meet, they are called by their whole names; what still meets is numbered.
    """
    plain = {source.file: plain_name(source) for source in sources}
    met = Counter(_folded(name) for name in plain.values())
    taken = {_folded(name) for name in RESERVED}
    names = {}
    for source in sorted(sources, key=lambda s: isinstance(s, Video)):  # photos keep their names
        wish = plain[source.file]
        if isinstance(source, Video) and met[_folded(wish)] > 1:
            wish = f"{source.file}.mp4"
        names[source.file] = _first_free(wish, isinstance(source, Video), taken)
    return names


def _first_free(wish: str, has_timeline: bool, taken: set[str]) -> Names:
    for copy in _variants(PurePosixPath(wish)):
        timeline = str(copy.with_suffix(TIMELINE)) if has_timeline else ""
        names = Names(fitted(str(copy)), fitted(timeline))
        folded = {_folded(name) for name in names.all()}
        if not folded & taken:
            taken |= folded
            return names
    raise AssertionError("there are always more numbers")


def _variants(wish: PurePosixPath) -> Iterator[PurePosixPath]:
    yield wish
    for number in count(2):
        yield wish.with_name(f"{wish.stem} ({number}){wish.suffix}")


def fitted(name: str) -> str:
    """Returns the name with every part that is too long cut short, and marked so that it stays its own."""
    return "/".join(map(_fitted_part, name.split("/")))


def _fitted_part(part: str) -> str:
    if len(part.encode()) <= MOST_NAME_BYTES:
        return part
    suffix = TIMELINE if part.endswith(TIMELINE) else PurePosixPath(part).suffix[-20:]
    mark = f"~{hashlib.sha256(part.encode()).hexdigest()[:8]}{suffix}"
    return part.encode()[: MOST_NAME_BYTES - len(mark.encode())].decode("utf-8", "ignore") + mark


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
