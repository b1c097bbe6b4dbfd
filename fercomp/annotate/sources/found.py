"""What is to be annotated: little more than its names in memory, however much it is."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

from fercomp.media.containers import CLIP_SUFFIXES

Stamp = list[int]
"""Size, time of the last change in nanoseconds, and inode of a file."""


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

    def now(self) -> Stamp | None:
        """Returns what tells the file from another one that takes its place; `None` where there is none."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return [status.st_size, status.st_mtime_ns, status.st_ino]


class Photo(Source):
    """A photo to be annotated."""


class Video(Source):
    """A clip to be annotated."""


def suffix_of(file: str) -> str:
    """Returns the suffix of a name on record as `Path` has it, in small letters, without making a `Path`."""
    name = file.rpartition("/")[2]
    dot = name.rfind(".")
    return name[dot:].lower() if 0 < dot < len(name) - 1 else ""


def by_folders(file: str) -> str:
    """Returns by what names on record are sorted: folder by folder, as their paths would be.

    No name has a NUL, and there is nothing before it.
    """
    return file.rstrip("/").replace("/", "\0")


class Found:
    """Photos and clips in the order of their names.

    Of most of them only the name is in memory, since a source is made anew whenever it is asked for.

    Args:
        folder: The folder that they are in.
        sources: By name, the source; `None` where its path is the name in the folder, and its kind that of
            its suffix.

    Attributes:
        files: Their names on record.
    """

    def __init__(
        self, folder: Path = Path(), sources: Mapping[str, Photo | Video | None] = MappingProxyType({})
    ) -> None:
        self._folder = folder
        self.files = sorted(sources, key=by_folders)
        self._others = {file: source for file, source in sources.items() if source is not None}

    @classmethod
    def of(cls, sources: Iterable[Photo | Video]) -> Self:
        """Returns these, wherever they are."""
        return cls(Path(), {source.file: source for source in sources})

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Photo | Video]:
        return map(self.named, self.files)

    def __getitem__(self, number: int) -> Photo | Video:
        return self.named(self.files[number])

    def __contains__(self, file: object) -> bool:
        """Says whether one of them has this name."""
        if not isinstance(file, str):
            return False
        place = bisect_left(self.files, by_folders(file), key=by_folders)
        return place < len(self.files) and self.files[place] == file

    def named(self, file: str) -> Photo | Video:
        """Returns the source of a name, which is one of these."""
        return self._others.get(file) or (Video if self.is_video(file) else Photo)(self._folder / file, file)

    def is_video(self, file: str) -> bool:
        """Says whether a name, which is one of these, is that of a clip."""
        other = self._others.get(file)
        return isinstance(other, Video) if other else suffix_of(file) in CLIP_SUFFIXES

    def only(self, is_wanted: Callable[[str], bool]) -> Self:
        """Returns those whose names are wanted."""
        some = type(self)(self._folder)
        some.files = [file for file in self.files if is_wanted(file)]
        some._others = self._others
        return some
