"""How annotated copies and timelines are called: no two alike, and none too long."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final, NamedTuple

from fercomp.annotate.sources import Photo, Video
from fercomp.media.image_formats import HEIC_SUFFIXES, IMAGE_SUFFIXES

TIMELINE: Final = ".timeline.png"

MOST_NAME_BYTES: Final = 255
"""Bytes of a name that file systems take."""

RESERVED: Final = (
    *("run.json", "records.csv", "records.jsonl", "records.parquet"),
    *("people.csv", "report.html", "summary.csv"),
)
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


def output_names(
    sources: Sequence[Photo | Video], owners: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Names]:
    """Says by `file` what is written for each source.

    Names are told apart as on file systems that do not know large letters from small ones. Where two clips
    would meet, they are called by their whole names; what still meets is numbered.

    Args:
        sources: What is annotated.
        owners: By name, the `file` of which it is on record; nothing else is called so.
    """
    plain = {source.file: plain_name(source) for source in sources}
    met = Counter(_folded(name) for name in plain.values())
    earlier = {_folded(name): file for name, file in owners.items()}
    taken = earlier | {_folded(name): "" for name in RESERVED}
    names = {}
    for source in sorted(sources, key=lambda s: isinstance(s, Video)):  # photos keep their names
        wish = plain[source.file]
        if isinstance(source, Video):
            whole = f"{source.file}.mp4"
            owner = earlier.get(_folded(fitted(wish)))
            meets = met[_folded(wish)] > 1 if owner is None else owner != source.file
            if meets or earlier.get(_folded(fitted(whole))) == source.file:
                wish = whole
        names[source.file] = _first_free(source.file, wish, isinstance(source, Video), taken)
    return names


def _first_free(file: str, wish: str, has_timeline: bool, taken: dict[str, str]) -> Names:
    for copy in _variants(PurePosixPath(wish)):
        timeline = str(copy.with_suffix(TIMELINE)) if has_timeline else ""
        names = Names(fitted(str(copy)), fitted(timeline))
        folded = {_folded(name) for name in names.all()}
        if all(taken.get(name, file) == file for name in folded):
            taken |= dict.fromkeys(folded, file)
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
