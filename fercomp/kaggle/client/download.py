"""All files of a competition as one zip: downloaded in pieces, over several runs if need be, and verified.

    <competition>.zip.part        what has come so far
    <competition>.zip.part.json   of which archive: its ETag or date, and its size
    <competition>.zip             verified: read to its end, every checksum is right
    <competition>.zip.json        SHA-256 and size of the verified archive, and of Kaggle's list of files

Bytes are only added to those of the same archive. What was verified is not downloaded again. The list says
whether there is something new; where it cannot be had, or says something else than the archive, that is told.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256, write_json
from fercomp.core.progress import say, waiting
from fercomp.data.archive import find_difference, find_fault
from fercomp.kaggle.client.competition import Kaggle, connect
from fercomp.kaggle.client.receive import forget, part_of, read_record, receive, record_of


def fetch_archive(competition: str, folder: Path) -> Path:
    """Brings a competition's files as one verified zip.

    Args:
        competition: The last part of the competition's address at Kaggle.
        folder: Where the archive is kept.

    Returns:
        The archive. Beside it stands a `.json` with its SHA-256.

    Raises:
        FercompError: Kaggle refuses or does not answer, the disk has no room, or the archive is damaged,
            unsafe or not what Kaggle lists, also after another download.
    """
    archive = folder / f"{competition}.zip"
    record = read_record(record_of(archive))
    verified = archive.is_file() and record.get("sha256") == sha256(archive)
    with ExitStack() as stack:
        try:
            kaggle = stack.enter_context(connect(competition))
            files, lost = _list(kaggle)
            if lost and verified:
                raise lost
        except FercompError as error:
            if not verified:
                raise
            say(f"{error}; going on with {archive}, verified at {record.get('verified')}")
            return archive
        if verified and _is_listed(archive, record, files):
            forget(part_of(archive))  # its marker, where a run was killed between the last two steps
            say(f"{archive} is what Kaggle has, verified at {record.get('verified')}: not downloaded again")
            return archive
        folder.mkdir(parents=True, exist_ok=True)
        if lost:
            say(f"Kaggle's list of files ends after {len(files):,} ({lost}): its sizes are not compared")
        _download(kaggle, archive, files, whole=lost is None)
    return archive


def _list(kaggle: Kaggle) -> tuple[list[tuple[str, int]], FercompError | None]:
    """Asks for the list of files.

    Returns:
        As much of it as came, and what it ended with, `None` where it is whole.
    """
    files: list[tuple[str, int]] = []
    with waiting("reading Kaggle's list of files"):
        try:
            for file in kaggle.data_files():
                files.append(file)
        except FercompError as error:
            return files, error
    return files, None


def _is_listed(archive: Path, record: dict[str, Any], files: Sequence[tuple[str, int]]) -> bool:
    """Says whether a verified archive is what a whole list is about."""
    if record.get("files_sha256"):
        return bool(record["files_sha256"] == _digest(files))
    if find_difference(archive, files):  # it came without a whole list
        return False
    write_json(record_of(archive), {**record, "files_sha256": _digest(files)})
    return True


def _download(kaggle: Kaggle, archive: Path, files: Sequence[tuple[str, int]], whole: bool) -> None:
    part = part_of(archive)
    for once_more in (True, False):
        receive(kaggle, part, sum(size for _, size in files))
        try:
            fault = find_fault(part)
        except FercompError:
            forget(part)
            raise
        if fault is None:
            break
        forget(part)
        if not once_more:
            raise FercompError(
                f"the archive that Kaggle sent is not whole ({fault}), also when it was sent again: try "
                "later, or download it with a browser and give its path as --source"
            )
        say(f"the downloaded archive is not whole ({fault}): downloading it once more")
    if difference := find_difference(part, files):
        say(f"the archive is whole, but not what Kaggle lists: {difference}; it is kept")
    digest = sha256(part)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    size = part.stat().st_size
    listed = _digest(files) if whole else ""
    record = {"sha256": digest, "bytes": size, "files_sha256": listed, "verified": now}
    write_json(record_of(archive), record)
    part.replace(archive)
    forget(part)
    say(f"{archive}: {decimal(size)}, {len(files):,} files, sha256 {digest}")


def _digest(files: Sequence[tuple[str, int]]) -> str:
    return hashlib.sha256(json.dumps(sorted(files)).encode()).hexdigest()
