"""Decoded photos of one size on disk: a file of pixels, photo after photo, and one of records.

A record says whose pixels these are, by the SHA-1 of the photo's file, and has a CRC-32 of both. Pixels are
written before their record and never moved: what a killed process left unfinished is written over, and who
has the file open sees the same photos whatever is added. They are read, not mapped into memory: a mapped
file that somebody cuts short ends the process.
"""

import os
import stat
import threading
import weakref
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np

from fercomp.data.inputs import Photos

_RECORD: Final = np.dtype([("sha1", "V20"), ("sum", "<u8")])


class KeptFace(NamedTuple):
    """A decoded photo: SHA-1 of its file, its pixels `(S, S, 3)` uint8 RGB, and their `checksum`."""

    sha1: bytes
    face: np.ndarray
    sum: int


def files_of(path: Path) -> tuple[Path, Path]:
    """Returns the files of the pixels and of the records of a shelf, whose path has no ending."""
    return path.with_name(f"{path.name}.pixels"), path.with_name(f"{path.name}.records")


def is_strange(path: Path) -> bool:
    """Says whether something else than a file has its name: to read a pipe or a device may never end.

    A link counts, too: it may lead to somebody else's file, which would be written to.
    """
    try:
        return not stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


class Shelf:
    """The photos of one size on disk.

    Args:
        path: Of its two files, without an ending.
        size: Side in pixels, S.

    Attributes:
        rows: Where in the pixels a photo is, by its SHA-1.
        n: Number of photos.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.pixels, self.records = files_of(path)
        self.size = size
        self.bytes = size * size * 3
        self.read()

    def read(self) -> None:
        """Reads the records of photos whose pixels are there."""
        try:
            n = self.pixels.stat().st_size // self.bytes
            data = self.records.read_bytes()
        except OSError:
            n, data = 0, b""
        records = np.frombuffer(data, _RECORD, min(n, len(data) // _RECORD.itemsize))
        self._sums: list[int] = records["sum"].tolist()
        self._sha1s: list[bytes] = [sha1.tobytes() for sha1 in records["sha1"]]
        self.rows = {sha1: row for row, sha1 in enumerate(self._sha1s)}
        self.n = len(records)

    def holds(self, face: np.ndarray, row: int) -> bool:
        """Says whether these are the pixels of a row, and its SHA-1 is theirs."""
        return checksum(face, self._sha1s[row]) == self._sums[row]

    def opened(self) -> FileIO | None:
        """Opens the pixels to be read; `None` where there are none."""
        with suppress(OSError):
            return self.pixels.open("rb", buffering=0)
        return None

    def append(self, found: Sequence[KeptFace], room: int) -> None:
        """Adds photos, up to a number of all."""
        new = {each.sha1: each for each in found if each.sha1 not in self.rows}
        added = list(new.values())[: max(0, room - self.n)]
        if not added:
            return
        with _opened(self.pixels, self.n * self.bytes) as file:
            file.writelines(each.face.tobytes() for each in added)
        records = np.array([(each.sha1, each.sum) for each in added], _RECORD)
        with _opened(self.records, self.n * _RECORD.itemsize) as file:
            file.write(records.tobytes())
            file.truncate()
        self.rows |= {each.sha1: self.n + i for i, each in enumerate(added)}
        self._sums += [each.sum for each in added]
        self._sha1s += [each.sha1 for each in added]
        self.n += len(added)


class KeptPhotos(Photos):
    """Photos of a shelf, and such that found no room there."""

    def __init__(self, raw: Path, paths: Sequence[str], shelf: Shelf, rows: np.ndarray) -> None:
        super().__init__(raw, paths, shelf.size)
        self._shelf = shelf
        self._rows = rows
        self._pixels = shelf.opened()
        self._seeking = threading.Lock()
        self._is_checked = np.zeros(len(rows), dtype=bool)
        self._state = (-1, -1)  # of the file when it was last read: size and time of writing
        if self._pixels is not None:
            weakref.finalize(self, self._pixels.close)

    def face(self, i: int) -> np.ndarray:
        """Returns photo i as `Photos.face` does; a damaged one is decoded and mended."""
        row = int(self._rows[i])
        if row < 0 or self._pixels is None:
            return super().face(i)
        face = np.empty((self._size, self._size, 3), dtype=np.uint8)
        if not self._read(row, face):
            return self._mended(i, row)
        if not self._is_checked[i]:
            if not self._shelf.holds(face, row):
                return self._mended(i, row)
            self._is_checked[i] = True
        return face

    def _read(self, row: int, face: np.ndarray) -> bool:
        """Reads pixels; where somebody has written to the file, all have to be checked anew."""
        file = self._pixels
        if file is None:
            return False
        try:
            with self._seeking:
                file.seek(row * self._shelf.bytes)
                read = file.readinto(face.data)
            status = os.fstat(file.fileno())
        except OSError:
            return False
        if (now := (status.st_size, status.st_mtime_ns)) != self._state:
            self._state = now
            self._is_checked[:] = False
        return read == face.nbytes

    def _mended(self, i: int, row: int) -> np.ndarray:
        face = super().face(i)
        if self._shelf.holds(face, row):  # else the file has changed meanwhile
            with suppress(OSError), _opened(self._shelf.pixels, row * self._shelf.bytes) as file:
                file.write(face.tobytes())
        return face


def checksum(face: np.ndarray, sha1: bytes) -> int:
    """Returns a CRC-32, which tells damaged pixels, such in another order, and those of another photo."""
    return zlib.crc32(np.ascontiguousarray(face).data, zlib.crc32(sha1))


@contextmanager
def _opened(path: Path, at: int) -> Iterator[BinaryIO]:
    """Opens a file to be written from some byte on; it is made where it is missing."""
    path.touch()
    with path.open("r+b") as file:
        file.seek(at)
        yield file
