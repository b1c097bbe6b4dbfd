"""Files that are either the old ones or the new ones, never a half of one."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

from fercomp.core.errors import FercompError
from fercomp.core.temporary import WRITING, part_name, sweep_once


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path` and renames it into place when the block ends well.

    The temporary name keeps the suffix, since writers choose a format by it. Missing parent folders
    are made. When the block raises, the temporary file is removed and `path` stays as it was.

    Args:
        path: The file to be written.

    Yields:
        The path to write to.

    Raises:
        FercompError: `path` is a folder or cannot be written to.
    """
    path = Path(path)
    require_kind(path, folder=False)
    with _sibling(path, folder=False) as temporary:
        yield temporary
        # Windows flushes only what is open for writing; elsewhere a writer may have left a file read-only.
        with temporary.open("r+b" if os.name == "nt" else "rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Gives an empty temporary folder beside `path` that takes its place when the block ends well.

    An older `path` is kept until the new one is complete: it is renamed aside, the new one is renamed
    in, then the old one is removed. When the block raises, `path` stays as it was; `sweep_parts` brings it
    back after a kill between the two. Where `path` is a link to a folder, that folder is replaced and the
    link stays.

    Args:
        path: The folder to be made or replaced.

    Yields:
        The folder to fill.

    Raises:
        FercompError: `path` is a file or cannot be written to.
    """
    path = followed(path)
    require_kind(path, folder=True)
    with _sibling(path, folder=True) as temporary:
        yield temporary
        old = temporary.with_name(f"{temporary.name}.{path.name}.old")
        if path.exists():
            path.replace(old)
        try:
            temporary.replace(path)
        except BaseException:
            if old.exists():
                old.replace(path)
            raise
        shutil.rmtree(old, ignore_errors=True)


def require_kind(path: Path, folder: bool) -> None:
    """Checks that where a file or a folder is to be written nothing else is.

    Raises:
        FercompError: Something else is.
    """
    expected = "folder" if folder else "file"
    if path.exists() and not (path.is_dir() if folder else path.is_file()):
        what = "folder" if path.is_dir() else "file" if path.is_file() else "device or a pipe"
        raise FercompError(f"{path} is a {what}, a {expected} was expected: choose another name")


def followed(path: Path) -> Path:
    """Returns where a path leads, links followed.

    Raises:
        FercompError: It is a link to itself.
    """
    try:
        return path.resolve()
    except (RuntimeError, OSError) as error:
        raise FercompError(f"{path} is a link that leads nowhere: remove it") from error


@contextmanager
def _sibling(path: Path, folder: bool) -> Iterator[Path]:
    sweep_once(path.parent.absolute())
    try:
        try:
            temporary = _create(path, folder)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = _create(path, folder)
    except OSError as error:
        if is_disk_full(error):
            raise
        raise FercompError(f"cannot write {path}: {error.strerror}; choose another folder") from error
    try:
        yield temporary
    except BaseException:
        if not folder:
            temporary.unlink(missing_ok=True)
        raise
    finally:
        WRITING.discard(temporary.name)
        if folder:
            shutil.rmtree(temporary, ignore_errors=True)


def _create(path: Path, folder: bool) -> Path:
    """Makes an empty file or folder beside `path` under a name that nobody else has."""
    # Not its own name: with an addition it could be too long.
    temporary = path.with_name(part_name("" if folder else path.suffix))
    if folder:
        temporary.mkdir()
    else:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return temporary


def flush_folder(folder: Path) -> None:
    """Makes sure that a file just made is still in its folder after a power cut.

    Where folders cannot be opened, as on Windows, their entries need no flush of their own.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_in_place(file: FileIO, path: Path) -> bool:
    """Says whether an open file is still what its path leads to: what is added to another one is lost."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def set_aside(path: Path) -> Path:
    """Gives a file a name of its own beside where it is, such as `records.1.csv`, and returns that."""
    names = (path.with_stem(f"{path.stem}.{number}") for number in range(1, 10**6))
    aside = next(other for other in names if not other.exists())
    path.replace(aside)
    return aside


def append_whole(file: FileIO, data: bytes, durable: bool = False) -> None:
    """Adds bytes to the end of an unbuffered file, and takes back what was added where not all can be.

    Args:
        file: Open for reading and adding.
        data: What is added.
        durable: Wait until it is on disk.
    """
    end, left = file.seek(0, os.SEEK_END), memoryview(data)
    try:
        while left:
            left = left[file.write(left) :]
        if durable:
            os.fsync(file.fileno())
    except BaseException:
        file.truncate(end)
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file, atomically."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8 with the line ends that it has, atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON with a final newline, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def link_or_copy(source: Path, target: Path) -> None:
    """Gives a file that is never written to a second name, or, where links cannot be, copies it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def sha256(path: Path) -> str:
    """Returns the hexadecimal SHA-256 of a file's bytes.

    Raises:
        FercompError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FercompError(f"cannot read {path}: {error.strerror}; change its permissions") from error


def require_space(folder: Path, needed: int) -> None:
    """Checks that the disk under `folder` has room.

    Args:
        folder: A folder, which need not exist yet.
        needed: Bytes that are about to be written.

    Raises:
        FercompError: Fewer than `needed` bytes are free.
    """
    from rich.filesize import decimal

    existing = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise FercompError(
            f"not enough disk under {existing}: {decimal(needed)} needed, {decimal(free)} free; "
            "make room or work in a folder on another disk"
        )


def is_disk_full(error: OSError) -> bool:
    """Says whether an error means that no more bytes can be written."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
