"""Where pictures come from."""

import os
import re
from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from fercomp.annotate.sources.found import Found, Photo, Video
from fercomp.core.errors import FercompError
from fercomp.core.shards import Shard
from fercomp.media.containers import CLIP_SUFFIXES
from fercomp.media.image_formats import IMAGE_SUFFIXES

_MEDIA = IMAGE_SUFFIXES | CLIP_SUFFIXES


@dataclass
class Sources:
    """What there is to annotate.

    Attributes:
        root: The folder that all of it is in.
        found: Photos and clips in the order of their names.
        problems: Why folders could not be looked into, by their names on record.
        left_out: Number of files by suffix that are neither, and of hidden photos and clips.
        url: Address of the folder in an object store that all of it is in; empty for files.
    """

    root: Path
    found: Found = field(default_factory=Found)
    problems: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def part(self, shard: Shard | None) -> Self:
        """Returns what falls into a shard; all of it without one."""
        if shard is None:
            return self
        found = self.found.only(shard.holds)
        problems = {file: reason for file, reason in self.problems.items() if shard.holds(file)}
        return replace(self, found=found, problems=problems)

    def told_left_out(self) -> str:
        """Returns one line on what was left out; empty where nothing was."""
        kinds = ", ".join(f"{n:,} {recordable(kind)}" for kind, n in self.left_out.most_common())
        return kinds and f"left out: {kinds}"


def find_sources(paths: Sequence[Path], output: Path, listed: Sequence[Path] = ()) -> Sources:
    """Finds the photos and clips of files and folders, with the folders' sub-folders.

    Hidden files and folders are left out, and so is the output folder where it lies inside. A linked
    sub-folder is looked into like any other; none is looked into twice, whatever leads there.

    Args:
        paths: Folders and files. A file is taken for a photo unless its name ends as that of a clip.
        output: The folder that annotated copies go to.
        listed: More of them, which need not be there: they are on a list, and one of many may be missing.

    Returns:
        What was found, named relative to the folder that all the paths are in.

    Raises:
        FercompError: There is no such path, or there are neither photos nor clips.
    """
    folders = [path for path in paths if _is_folder(path)]
    folders += [path for path in listed if os.path.isdir(path)]  # noqa: PTH112 - true or false of any text
    paths = [*paths, *listed]
    named = set(folders)
    sources = Sources(_root(paths, named))
    is_relative = sources.root.is_absolute() and not any(path.is_absolute() for path in paths)
    walk = _Walk(sources, output, folders, is_relative)
    for path in paths:
        if path in named:
            walk.look_into(path)
        else:
            walk.add(path)
    sources.found = Found(walk.at, walk.found)
    if not sources.found and not sources.problems:
        kinds = ", ".join(sorted(suffix.lstrip(".") for suffix in _MEDIA))
        held = f"; {sources.told_left_out()}" if sources.left_out else ""
        where = ", ".join(map(str, paths))
        raise FercompError(f"{where} holds no photos and no videos ({kinds}){held}: name another folder")
    return sources


def recordable(name: str) -> str:
    """Returns the name as one line of UTF-8 text: control characters and bytes that are no text are escaped.

    The `csv` module writes a carriage return as it is, which would end the row for most readers. A backslash
    that stands before what looks like an escape is escaped itself, so that no two names become one.
    """
    name = re.sub(r"\\(?=x[0-9a-f]{2}|u[0-9a-f]{4})", r"\\x5c", name)
    one_line = re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", name)
    return one_line.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_folder(path: Path) -> bool:
    """Says whether a path that the user gave is a folder.

    Raises:
        FercompError: There is no such path, or it may not be looked at.
    """
    try:
        path.stat()
    except OSError as error:
        reason = "not found" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise FercompError(f"{path} {reason}: name a photo, a video or a folder of them") from error
    return path.is_dir()


def _root(paths: Sequence[Path], folders: Collection[Path]) -> Path:
    """Returns the folder that all the paths are in; that of a single folder is itself."""
    around = list(dict.fromkeys(path if path in folders else path.parent for path in paths))
    if not around:
        raise FercompError("nothing to annotate: name a photo, a video or a folder of them")
    try:
        return around[0] if len(around) == 1 else Path(os.path.commonpath([_absolute(p) for p in around]))
    except ValueError as error:
        raise FercompError(
            "these paths are on different drives: annotate them one after the other"
        ) from error


class _Walk:
    """Looks through folders, each of them once.

    Args:
        sources: What is to be filled.
        output: A folder that is no source.
        folders: The folders that the user named.
        is_relative: The root is not what the user named, but what relative paths have in common.

    Attributes:
        at: The folder of which most paths begin.
        found: What `Found` takes.
    """

    def __init__(self, sources: Sources, output: Path, folders: Sequence[Path], is_relative: bool) -> None:
        self.found: dict[str, Photo | Video | None] = {}
        # Most paths are this and the name on record, so that only the names need to be in memory.
        self.at = Path(os.path.relpath(sources.root)) if is_relative else sources.root
        self._before = str(self.at / "x").removesuffix("x")
        self._sources, self._absolute_root = sources, _absolute(sources.root)
        # What the root lies in, a link would lead to in a circle, with all of the disk on the way.
        around = [Path(os.path.realpath(sources.root)), *Path(os.path.realpath(sources.root)).parents]
        named = {_identity(folder) for folder in folders}
        self._seen = {_identity(folder) for folder in (output, *around)} - named
        self._output = _identity(output)

    def look_into(self, folder: Path) -> None:
        """Adds what a folder holds: first what lies in it, then what links lead to."""
        real, linked = deque([folder]), deque[Path]()
        while real or linked:
            here = real.popleft() if real else linked.popleft()
            identity = _identity(here)
            if identity in self._seen or (identity == self._output and here != folder):
                continue
            self._seen.add(identity)
            for entry in self._entries(here):
                self._take(Path(entry.path), entry, real, linked)

    def add(self, path: Path) -> None:
        """Adds a file, once however often and in whatever way it is named."""
        file = self._name(path)
        if file not in self.found:
            kind = Video if path.suffix.lower() in CLIP_SUFFIXES else Photo
            is_plain = str(path) == self._before + file.replace("/", os.sep)
            self.found[file] = None if is_plain else kind(path, file)

    def _take(self, path: Path, entry: "os.DirEntry[str]", real: deque[Path], linked: deque[Path]) -> None:
        is_media = path.suffix.lower() in _MEDIA
        if entry.name.startswith("."):
            self._sources.left_out["hidden"] += is_media
        elif path.is_dir():
            (linked if entry.is_symlink() else real).append(path)
        elif is_media:
            self.add(path)
        else:
            self._sources.left_out[path.suffix.lower() or "without suffix"] += 1

    def _entries(self, folder: Path) -> list["os.DirEntry[str]"]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            reason = "permission_denied" if isinstance(error, PermissionError) else "unreadable"
            self._sources.problems[f"{self._name(folder)}/"] = reason
            return []

    def _name(self, path: Path) -> str:
        return recordable(os.path.relpath(_absolute(path), self._absolute_root).replace(os.sep, "/"))


def _absolute(path: Path) -> str:
    """Returns the path from the disk's root on; links in it stay what they are called."""
    return os.path.normpath(path.absolute())


def _identity(folder: Path) -> tuple[int, int] | None:
    """Returns what tells a folder from all others, by whatever name; `None` where there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
