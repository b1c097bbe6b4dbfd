"""Locks between processes: the same on Linux, macOS and Windows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.files import is_disk_full
from fercomp.core.temporary import sweep_parts

LOCK: Final = ".lock"
"""Name of a folder's lock file."""

_ATTEMPTS: Final = 10
_PAUSE: Final = 0.2
"""Seconds between two looks at whether the whole folder is locked."""


class Busy(FercompError):
    """Another process is where only one may be."""


@contextmanager
def locked(path: Path, busy: str) -> Iterator[None]:
    """Keeps other processes out of a block by a lock file, which is there only meanwhile.

    The system takes the lock back when the process ends, however that ends. What is locked is a file of its
    own: Windows opens no folders and lets nobody read a locked file, NFS locks only what may be written.
    Some network disks do not lock at all; there, nobody else is assumed.

    Args:
        path: The lock file. Its folder is made where it is missing.
        busy: What a second process is told.

    Raises:
        Busy: Another process is in the block.
        FercompError: The file cannot be made.
    """
    handle = _take(path, busy)
    try:
        yield
    finally:
        # While it is still held, so that nobody can be waiting for it. Windows removes no open files.
        with suppress(OSError):
            if os.fstat(handle).st_size == 0:  # or somebody else wrote into it
                path.unlink()
        os.close(handle)


def _take(path: Path, busy: str) -> int:
    """Returns the descriptor of the lock file, which is held."""
    from filelock import lock_descriptor

    while True:
        handle = _open(path)
        try:
            if not lock_descriptor(handle, blocking=False):
                raise Busy(busy)
            if os.fstat(handle).st_nlink:
                return handle
            # Removed by the process that held it, between our opening and our locking.
            os.close(handle)
        except Busy:
            os.close(handle)
            raise
        except OSError:
            return handle


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        if is_disk_full(error):
            raise
        raise FercompError(f"cannot write {path.parent}: {error.strerror}; choose another folder") from error


@contextmanager
def exclusive(folder: Path, busy: str) -> Iterator[None]:
    """Keeps other processes out of a block, and removes what killed ones left unfinished in the folder.

    Args:
        folder: What is locked; it is made where it is missing.
        busy: What a second process is told.

    Raises:
        Busy: Another process is in the block, or in that of a part (`exclusive_part`).
        FercompError: The folder cannot be made.
    """
    with locked(folder / LOCK, busy):
        for part in sorted(folder.glob(f"{LOCK}.shard-*-of-*")):
            with locked(part, busy):
                pass
        sweep_parts(folder)
        yield


@contextmanager
def exclusive_part(folder: Path, part: str, busy: str, busy_whole: str) -> Iterator[None]:
    """Keeps others that work at the same part of a folder out of a block, and those that need all of it.

    What killed processes of this machine left unfinished in the folder is removed.

    Args:
        folder: Where the part is; it is made where it is missing.
        part: Name of the part, `Shard.tag`.
        busy: What a second process at the same part is told.
        busy_whole: What is told where another process is in `exclusive`.

    Raises:
        Busy: Another process is in the block of this part, or of the whole folder.
        FercompError: The folder cannot be made.
    """
    with locked(folder / f"{LOCK}.{part}", busy):
        # After its own lock: of two that begin at once, at least one sees the other.
        for attempt in range(_ATTEMPTS):
            if not (folder / LOCK).exists():
                break
            try:
                # Left by a killed process, unless it is held. Another part may be looking just now.
                with locked(folder / LOCK, busy_whole):
                    break
            except Busy:
                if attempt + 1 == _ATTEMPTS:
                    raise
                sleep(_PAUSE)
        sweep_parts(folder, here=True)
        yield
