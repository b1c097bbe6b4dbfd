"""Zip archives from elsewhere, unpacked with suspicion.

An archive may be damaged, or made to write outside of its folder or to fill the disk. Everything its
table of contents says is checked before the first byte is written; what it does not say truly is
noticed while writing.
"""

import errno
import re
import stat
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final
from unicodedata import normalize
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from fercomp.core.errors import FercompError
from fercomp.core.files import is_disk_full, require_space
from fercomp.core.progress import track, waiting

MAX_MEMBER_BYTES: Final = 60 * 10**9
"""Largest sum of unpacked sizes. The competition has about 9 GB."""

MAX_MEMBERS: Final = 1_000_000

MAX_RATIO: Final = 200
"""Largest unpacked size as a multiple of the packed one, for members above `RATIO_FROM`. Tables reach
about 20, photos 1; a bomb has about 1,000, the most that deflate can do."""

MAX_FOLDERS: Final = 20
"""Folders that a member may lie in, one in another; the competition's lie in two."""

RATIO_FROM: Final = 2**20

_CHUNK: Final = 2**20

_DAMAGES: Final = (BadZipFile, zlib.error, EOFError, UnicodeDecodeError, NotImplementedError)
"""What zipfile raises for a damaged archive."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a zip archive.

    Args:
        archive: The archive.
        folder: Where its members go: an empty folder, which may hold some of them after an error.

    Raises:
        FercompError: It is not a zip archive, is damaged or incomplete, is not one that is safe to
            unpack, or the disk has no room for it.
    """
    try:
        with ZipFile(archive) as file:
            members = file.infolist()
            with waiting(f"checking {archive.name}"):
                paths = check_members(members, archive)
            require_space(folder, sum(member.file_size for member in members))
            made: set[Path] = set()
            for member, path in track(list(zip(members, paths, strict=True)), "unpacking", "file"):
                target = folder / path
                parent = target if member.is_dir() else target.parent
                if parent not in made:
                    parent.mkdir(parents=True, exist_ok=True)
                    made.add(parent)
                if not member.is_dir():
                    _write(file, member, target, archive)
    except (*_DAMAGES, OSError) as error:
        if isinstance(error, OSError) and not _leads_outside(error):
            if is_disk_full(error):
                raise
            raise FercompError(f"cannot unpack {archive}: {error.strerror}: {error.filename}") from error
        raise FercompError(
            f"expected a whole zip archive, received {archive} ({error}): "
            "download it again, or give the folder of the unpacked files"
        ) from error


def find_fault(archive: Path) -> str | None:
    """Reads an archive to its end, as `ZipFile.testzip` does.

    Args:
        archive: The archive.

    Returns:
        What is wrong with it, `None` where it is whole.

    Raises:
        FercompError: It is not one that is safe to unpack.
    """
    try:
        with ZipFile(archive) as file:
            members = file.infolist()
            check_members(members, archive)
            for member in track(members, "verifying", "file"):
                with file.open(member) as source:
                    size = sum(len(chunk) for chunk in iter(partial(source.read, _CHUNK), b""))
                if size != member.file_size:
                    return f"{member.filename} has {size:,} bytes and says {member.file_size:,}"
    except (*_DAMAGES, OSError) as error:
        if isinstance(error, OSError) and not _leads_outside(error):
            raise
        return str(error) or type(error).__name__
    return None


def _leads_outside(error: OSError) -> bool:
    """Says whether a damaged table of contents has led to where no file has bytes."""
    return error.errno == errno.EINVAL and error.filename is None


def find_difference(archive: Path, sizes: Sequence[tuple[str, int]]) -> str | None:
    """Compares the table of contents of a whole archive with a list of files.

    Args:
        archive: The archive.
        sizes: Files that should be in it, with their unpacked sizes in bytes; 0 where one is not known.
            A name without its folders stands for any file of that name.

    Returns:
        The first difference, `None` where there is none.
    """
    with ZipFile(archive) as file:
        members = file.infolist()
    by_name: dict[str, set[int]] = {}
    for member in members:
        for name in {member.filename, PurePosixPath(member.filename).name}:
            by_name.setdefault(name, set()).add(member.file_size)
    for name, size in sizes:
        found = by_name.get(name)
        if not found:
            return f"{name} is not in it"
        if size and size not in found:
            return f"{name} has {min(found):,} bytes, {size:,} were expected"
    return None


def check_members(members: Sequence[ZipInfo], archive: Path) -> list[PurePosixPath]:
    """Checks an archive's table of contents.

    Args:
        members: What the archive says it holds.
        archive: Its path, for the errors.

    Returns:
        Where each member goes, relative to the folder it is unpacked to.

    Raises:
        FercompError: A member would be written elsewhere, is a link or device, is encrypted or packed
            absurdly well, two share a name, or there are too many or too large.
    """
    if len(members) > MAX_MEMBERS:
        raise _unsafe(archive, f"{len(members):,} members, at most {MAX_MEMBERS:,} were expected")
    total = sum(member.file_size for member in members)
    if total > MAX_MEMBER_BYTES:
        raise _unsafe(
            archive, f"{total / 1e9:,.1f} GB unpacked, at most {MAX_MEMBER_BYTES / 1e9:,.1f} were expected"
        )
    paths = []
    for member in members:
        if fault := _fault(member):
            raise _unsafe(archive, f"member {member.orig_filename[:100]!r} {fault}")
        paths.append(PurePosixPath(member.orig_filename))
    # Disks of macOS and Windows hold `A.jpg` and `a.jpg`, and two spellings of `é`, to be one name.
    files: set[str] = set()
    for member, path in zip(members, paths, strict=True):
        if not member.is_dir():
            name = _folded(path)
            if name in files:
                raise _unsafe(archive, f"the name {str(path)!r} stands in it twice")
            files.add(name)
    folders = {path for path, member in zip(paths, members, strict=True) if member.is_dir()}
    folders.update(path.parent for path in paths)
    folders.update([parent for folder in folders for parent in folder.parents])
    for folder in folders:
        if _folded(folder) in files:
            raise _unsafe(archive, f"{str(folder)!r} is a file and a folder in it")
    return paths


def name_fault(name: str) -> str | None:
    """Says why a member's name is not one to write to; `None` for a plain relative path."""
    if not name.strip("./"):
        return "has no name"
    if re.search("[\x00-\x1f\x7f\ud800-\udfff]", name):
        return "has control characters in its name"
    if "\\" in name:
        return "has a backslash in its name"
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        return "has an absolute path"
    if ".." in name.split("/"):
        return "leads out of the folder"
    if name.count("/") > MAX_FOLDERS:
        return f"lies more than {MAX_FOLDERS} folders deep"
    return None


def _fault(member: ZipInfo) -> str | None:
    """Says why a member is not to be unpacked."""
    kind = stat.S_IFMT(member.external_attr >> 16)  # zero where the archive was not made on Unix
    if fault := name_fault(member.orig_filename):
        return fault
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if member.is_dir() and member.file_size:
        return "is a folder with content"
    if member.flag_bits & 0x1:
        return "is encrypted"
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "is packed in an unusual way"  # and the others unpack into memory without a limit
    if member.file_size > max(RATIO_FROM, MAX_RATIO * member.compress_size):
        return f"says it is {member.file_size:,} bytes, packed into {member.compress_size:,}"
    return None


def _write(file: ZipFile, member: ZipInfo, target: Path, archive: Path) -> None:
    left = member.file_size
    with file.open(member) as source, target.open("xb") as sink:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                break
            sink.write(chunk)
    if left != 0:
        raise _unsafe(archive, f"member {member.filename!r} does not have the size it says")


def _folded(path: PurePosixPath) -> str:
    return normalize("NFC", str(path)).casefold()


def _unsafe(archive: Path, why: str) -> FercompError:
    return FercompError(f"{archive} is not safe to unpack: {why}; download it again or pack it anew")
