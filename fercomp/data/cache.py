"""Photos at a network's size, decoded once and kept on disk for all experiments, folds and predictions.

There is a shelf for each size. A photo is known by the bytes of its file; which bytes a file holds is noted
with its size and times, so that it is read again only when it has changed.
"""

import hashlib
import json
import os
import shutil
import time
import zlib
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.locks import LOCK, Busy, locked
from fercomp.core.parallel import in_order, thread_pool, threads
from fercomp.core.progress import count, say, track
from fercomp.data.inputs import MOST_WAITING, Photos, face_of
from fercomp.data.shelf import KeptFace, KeptPhotos, Shelf, checksum, files_of, is_strange
from fercomp.media.images import read_file
from fercomp.media.problems import ImageProblem

PIXELS: Final = 3
"""Version of the files: raised where `face_of` gives other pixels, or records hold another sum."""

KEPT_FREE: Final = 10**9
"""Bytes of the disk that are left to others."""

_BESIDE: Final = 200
"""Bytes of a photo's record and note, about."""

_TOGETHER: Final = 16
"""Photos that a thread decodes in a row."""

_JUST_NOW: Final = 2 * 10**9
"""Nanoseconds: a file that changes again so soon may keep its size and times."""

_LOOK: Final = 0.5
"""Seconds after which a waiting process looks again."""

_Key = tuple[str, int, int, int]
"""A file as it was: path, size, and the times of its last writing and last change in nanoseconds."""


class _Read(NamedTuple):
    key: _Key
    sha1: bytes
    decoded: KeptFace | None  # None where there is no need of it, or no room


@dataclass(frozen=True)
class PhotoCache:
    """Where decoded photos are kept.

    Attributes:
        folder: The folder, made where it is missing. It may be deleted whenever nothing runs.
        most_gb: Largest size of the folder in GB, 0 for none. Where it is reached, sizes that were not used
            for longest go; photos that find no room even then are decoded whenever they are needed.
    """

    folder: Path
    most_gb: float = 20.0

    def photos(self, raw: Path, paths: Sequence[str], size: int) -> Photos:
        """Returns photos, once those are decoded that there is room for.

        Args:
            raw: The folder that `paths` are relative to.
            paths: N paths.
            size: Side of the model's input in pixels, S.

        Raises:
            ImageProblem: A photo cannot be used.
        """
        if self.most_gb <= 0:
            return Photos(raw, paths, size)
        shelved = self.folder / f"{size}-{PIXELS}"
        if strange := [path for path in (self._noted_file, *files_of(shelved)) if is_strange(path)]:
            say(
                f"decoded photos cannot be kept ({strange[0]} is a link, a folder, a pipe or a device: "
                "remove it): they are decoded when needed"
            )
            return Photos(raw, paths, size)
        now = time.time_ns()
        keys = [_key(raw, path) for path in paths]
        shelf, known = Shelf(shelved, size), self._noted()
        try:
            if any(known.get(key) not in shelf.rows for key in keys):
                with self._alone():
                    shelf.read()
                    known = self._noted()
                    lacking = [key for key in keys if known.get(key) not in shelf.rows]
                    self._add(shelf, raw, lacking, known, now - _JUST_NOW)
        except ImageProblem:
            raise
        except (FercompError, OSError) as error:
            say(f"decoded photos cannot be kept in {self.folder} ({error}): they are decoded when needed")
        with suppress(OSError):
            os.utime(shelf.records)
        rows = [shelf.rows.get(known.get(key, b""), -1) for key in keys]
        return KeptPhotos(raw, paths, shelf, np.array(rows, dtype=np.int64))

    def _alone(self) -> ExitStack:
        """Waits until no other process adds photos, of whatever size: all share the room and the notes."""
        held, told = ExitStack(), False
        while True:
            with suppress(Busy):
                held.enter_context(locked(self.folder / LOCK, "another process decodes photos"))
                return held
            if not told:
                say("another process decodes photos: waiting for it")
            told = True
            time.sleep(_LOOK)

    def _add(self, shelf: Shelf, raw: Path, keys: list[_Key], known: dict[_Key, bytes], settled: int) -> None:
        """Adds photos that are not on the shelf, and notes what files hold that were not changed since."""
        room = self._room(shelf, len(keys))
        # What was never read may be there under another name.
        todo = [key for key in keys if room > shelf.n or key not in known]
        chunks = [todo[start : start + _TOGETHER] for start in range(0, len(todo), _TOGETHER)]
        with thread_pool(threads()) as pool, self._noted_file.open("a", encoding="utf-8") as notes:
            notes.write("\n")  # the last line may be a half one
            read, ahead = partial(_read, raw, shelf, room), 4 * threads()
            found = in_order(pool, read, chunks, ahead, lambda chunk: len(chunk) * shelf.bytes, MOST_WAITING)
            for chunk in track(found, "decoding photos, once", "batch", total=len(chunks)):
                shelf.append([each.decoded for each in chunk if each.decoded], room)
                known |= {each.key: each.sha1 for each in chunk}
                notes.writelines(_note(each) for each in chunk if max(each.key[2:]) < settled)
        if left := sum(known[key] not in shelf.rows for key in keys):
            say(
                f"{self.folder} has no room for {count(left, 'photo')} at {shelf.size} pixels, which are "
                "decoded whenever they are needed: raise machine.cache_gb, or make room on the disk"
            )

    def _room(self, shelf: Shelf, wanted: int) -> int:
        """Returns how many photos the shelf may hold at most, once older ones of other sizes are gone."""
        mine = (shelf.pixels, shelf.records)

        def free() -> int:
            taken = sum(file.stat().st_size for file in self.folder.iterdir() if file not in mine)
            disk = shutil.disk_usage(self.folder).free - KEPT_FREE + shelf.n * shelf.bytes
            return max(0, min(int(self.most_gb * 1e9) - taken, disk)) // (shelf.bytes + _BESIDE)

        others = set(self.folder.glob("*.records")) - set(mine)
        for records in sorted(others, key=lambda file: file.stat().st_mtime):
            if free() >= shelf.n + wanted:
                break
            with suppress(OSError):  # Windows removes no file that somebody has open
                records.with_suffix(".pixels").unlink(missing_ok=True)
                records.unlink()
        return free()

    @property
    def _noted_file(self) -> Path:
        return self.folder / "files.jsonl"

    def _noted(self) -> dict[_Key, bytes]:
        """Returns the SHA-1 of files that were read before."""
        known: dict[_Key, bytes] = {}
        with suppress(OSError), self._noted_file.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                # A killed process leaves half a line, a damaged disk anything.
                with suppress(ValueError, TypeError, RecursionError):
                    *noted, found = json.loads(line)
                    path, size, written, changed, sha1 = noted
                    if found == _sum(noted):
                        known[path, size, written, changed] = bytes.fromhex(sha1)
        return known


def open_photos(raw: Path, paths: Sequence[str], size: int, cache: PhotoCache | None) -> Photos:
    """Returns photos as `PhotoCache.photos` does; without a cache, they are decoded whenever taken."""
    return Photos(raw, paths, size) if cache is None else cache.photos(raw, paths, size)


def _key(raw: Path, path: str) -> _Key:
    try:
        status = os.stat(os.path.join(raw, path))  # noqa: PTH116, PTH118 - a tenth of a second for 50,000
    except (OSError, ValueError):  # whoever reads it says what is wrong
        return path, -1, 0, 0
    return path, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(raw: Path, shelf: Shelf, room: int, keys: Sequence[_Key]) -> list[_Read]:
    """Reads files, and decodes what the shelf lacks and has room for."""
    found = []
    for key in keys:
        path = raw / key[0]
        data = read_file(path)
        sha1 = hashlib.sha1(data, usedforsecurity=False).digest()
        decoded = None
        if sha1 not in shelf.rows and shelf.n < room:
            face = face_of(data, shelf.size, str(path))
            decoded = KeptFace(sha1, face, checksum(face, sha1))
        found.append(_Read(key, sha1, decoded))
    return found


def _note(found: _Read) -> str:
    noted = [*found.key, found.sha1.hex()]
    return json.dumps([*noted, _sum(noted)]) + "\n"


def _sum(noted: list[object]) -> int:
    return zlib.crc32(json.dumps(noted).encode())
