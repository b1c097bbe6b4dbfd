"""How annotated copies and timelines are called: no two alike, and none too long."""

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from fercomp.annotate.sources.found import Found, suffix_of
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


def plain_name(file: str, is_video: bool) -> str:
    """Returns how a copy is called where nothing is in its way: clips are MP4s, HEICs become JPEGs."""
    if is_video:
        return str(PurePosixPath(file).with_suffix(".mp4"))
    suffix = suffix_of(file)
    if suffix in HEIC_SUFFIXES:
        return f"{file}.jpg"
    return file if suffix in IMAGE_SUFFIXES else f"{file}.png"


class OutputNames:
    """How what is written is called; only names that are not the plain ones are in memory.

    Args:
        others: By `file`, the names of all clips, and of photos whose plain name is another's.
    """

    def __init__(self, others: Mapping[str, Names]) -> None:
        self._others = others

    def of(self, file: str) -> Names:
        """Returns the names of what is written for a source, which is one of those."""
        return self._others.get(file) or Names(fitted(plain_name(file, is_video=False)), "")


def output_names(sources: Found, owners: Mapping[str, str] = MappingProxyType({})) -> OutputNames:
    """Says what is written for each source.

    Names are told apart as on file systems that do not know large letters from small ones. Where two clips
    would meet, they are called by their whole names; what still meets is numbered.

    Of a photo that meets nobody, no more than a hash of its name is held meanwhile. Where hashes are equal by
    chance, a photo is looked at that need not be, which changes nothing.

    Args:
        sources: What is annotated.
        owners: By name, the `file` of which it is on record; nothing else is called so.
    """
    earlier = {_folded(name): file for name, file in owners.items()}
    taken = earlier | {_folded(name): "" for name in RESERVED}
    hashes = np.empty(len(sources), np.int64)
    met = set()
    for i, file in enumerate(sources.files):
        is_video = sources.is_video(file)
        name = _folded(fitted(plain_name(file, is_video)))
        hashes[i] = hash(name)
        if is_video or taken.get(name, file) != file:
            met.add(hash(name))
    plain, counts = np.unique(hashes, return_counts=True)
    met |= set(plain[counts > 1].tolist())
    while True:
        tried = _Tried(taken, plain, met)
        some = {sources.files[i] for i in np.flatnonzero(np.isin(hashes, list(met)))}
        names = _told_apart(sources.only(some.__contains__), earlier, tried)
        if tried.met <= met:
            return OutputNames(names)
        met |= tried.met  # a number has led to the plain name of one more


class _Tried:
    """Which names are still free among those of sources that meet."""

    def __init__(self, taken: Mapping[str, str], plain: np.ndarray, met: Set[int]) -> None:
        self._taken, self._plain, self._looked_at = dict(taken), plain, met
        self.met: set[int] = set()

    def take(self, names: Names, file: str) -> bool:
        """Takes names for a file, all or none."""
        folded = {_folded(name) for name in names.all()}
        met = {hash(name) for name in folded if self._is_plain(hash(name))}
        self.met |= met
        if not met <= self._looked_at or any(self._taken.get(name, file) != file for name in folded):
            return False
        self._taken |= dict.fromkeys(folded, file)
        return True

    def _is_plain(self, hash_: int) -> bool:
        place = np.searchsorted(self._plain, hash_)
        return bool(place < len(self._plain) and self._plain[place] == hash_)


def _told_apart(sources: Found, earlier: Mapping[str, str], tried: _Tried) -> dict[str, Names]:
    plain = {file: plain_name(file, sources.is_video(file)) for file in sources.files}
    met = Counter(map(_folded, plain.values()))
    names = {}
    for file in sorted(sources.files, key=sources.is_video):  # photos keep their names
        wish, is_video = plain[file], sources.is_video(file)
        if is_video:
            whole = f"{file}.mp4"
            owner = earlier.get(_folded(fitted(wish)))
            meets = met[_folded(wish)] > 1 if owner is None else owner != file
            if meets or earlier.get(_folded(fitted(whole))) == file:
                wish = whole
        names[file] = _first_free(file, wish, is_video, tried)
    return names


def _first_free(file: str, wish: str, has_timeline: bool, tried: _Tried) -> Names:
    for copy in _variants(PurePosixPath(wish)):
        timeline = str(copy.with_suffix(TIMELINE)) if has_timeline else ""
        names = Names(fitted(str(copy)), fitted(timeline))
        if tried.take(names, file):
            return names
    raise AssertionError("there are always more numbers")


def would_overwrite(written: Iterable[str], sources: Found) -> bool:
    """Says whether one of the paths that are to be written is that of a source, by whatever links."""
    real_folder = cache(os.path.realpath)

    def real(path: str) -> tuple[str, str]:
        folder, name = os.path.split(path)
        return real_folder(folder), name

    # Mostly nothing is written into a folder with sources, so that little is held here.
    folders = {real(str(source.path))[0] for source in sources}
    beside = {place for place in map(real, written) if place[0] in folders}
    return bool(beside) and any(real(str(source.path)) in beside for source in sources)


def without_copies(folder: Path, files: Sequence[str], names_of: Callable[[str], Sequence[str]]) -> list[str]:
    """Returns the files of which a name is not there; lists each folder once, and holds only hashes."""
    places = {os.path.split(name)[0] for file in files for name in names_of(file)}
    there = np.fromiter(_listed(folder, places), np.int64)
    named = np.fromiter((hash(name) for file in files for name in names_of(file)), np.int64)
    owners = np.fromiter((i for i, file in enumerate(files) for _ in names_of(file)), np.int64)
    there.sort()
    seen = np.searchsorted(there, named, "right") > np.searchsorted(there, named)  # `isin` needs more memory
    unseen = (files[i] for i in np.unique(owners[~seen]).tolist())
    # A disk may list a name in other letters than it was given.
    return [file for file in unseen if not all((folder / name).is_file() for name in names_of(file))]


def _listed(folder: Path, places: Iterable[str]) -> Iterator[int]:
    for place in places:
        with suppress(OSError), os.scandir(folder / place) as entries:
            yield from (hash(f"{place}/{entry.name}" if place else entry.name) for entry in entries)


def _variants(wish: PurePosixPath) -> Iterator[PurePosixPath]:
    yield wish
    for number in count(2):
        yield wish.with_name(f"{wish.stem} ({number}){wish.suffix}")


def fitted(name: str) -> str:
    """Returns the name with every part that is too long cut short, and marked so that it stays its own."""
    if len(name.encode()) <= MOST_NAME_BYTES:
        return name
    return "/".join(map(_fitted_part, name.split("/")))


def _fitted_part(part: str) -> str:
    if len(part.encode()) <= MOST_NAME_BYTES:
        return part
    suffix = TIMELINE if part.endswith(TIMELINE) else PurePosixPath(part).suffix[-20:]
    mark = f"~{hashlib.sha256(part.encode()).hexdigest()[:8]}{suffix}"
    return part.encode()[: MOST_NAME_BYTES - len(mark.encode())].decode("utf-8", "ignore") + mark


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
