"""All files of a competition as one zip: downloaded in pieces, over several runs if need be, and verified.

    <competition>.zip.part        what has come so far
    <competition>.zip.part.json   of which archive: its ETag or date, and its size
    <competition>.zip             verified: read to its end, and compared with Kaggle's list of files
    <competition>.zip.json        SHA-256 and size of the verified archive, and of the list

Bytes are only added to those of the same archive. What was verified is not downloaded again.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fercomp.core.errors import FercompError
from fercomp.core.files import require_space, sha256, write_json
from fercomp.core.progress import meter, say, waiting
from fercomp.core.reading import read_json
from fercomp.data.archive import find_fault
from fercomp.kaggle.client import Kaggle, connect
from fercomp.kaggle.refusals import Unanswered

if TYPE_CHECKING:
    import requests

TRIES = 6
"""How often in a row a download may break off without a byte gained."""

PAUSE = 2.0
"""Seconds before going on after the first break, twice as many after each further one."""

_CHUNK: Final = 2**18

Identity = dict[str, Any]
"""Which archive it is: `identity` (its ETag or date) and `bytes`, either may be `None`."""


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
    record = _read_json(_record(archive))
    verified = archive.is_file() and record.get("sha256") == sha256(archive)
    with ExitStack() as stack:
        try:
            kaggle = stack.enter_context(connect(competition))
            with waiting("reading Kaggle's list of files"):
                files = kaggle.data_files()
        except FercompError as error:
            if not verified:
                raise
            say(f"{error}; going on with {archive}, verified at {record.get('verified')}")
            return archive
        if verified and record.get("files_sha256") == _digest(files):
            _forget(_part(archive))  # its marker, where a run was killed between the last two steps
            say(f"{archive} is what Kaggle has, verified at {record.get('verified')}: not downloaded again")
            return archive
        folder.mkdir(parents=True, exist_ok=True)
        _download(kaggle, archive, files)
    return archive


def _download(kaggle: Kaggle, archive: Path, files: Sequence[tuple[str, int]]) -> None:
    part = _part(archive)
    for once_more in (True, False):
        _receive(kaggle, part, sum(size for _, size in files))
        try:
            fault = find_fault(part, files)
        except FercompError:
            _forget(part)
            raise
        if fault is None:
            break
        _forget(part)
        if not once_more:
            raise FercompError(
                f"the archive that Kaggle sent is not whole ({fault}), also when it was sent again: try "
                "later, or download it with a browser and give its path as --source"
            )
        say(f"the downloaded archive is not whole ({fault}): downloading it once more")
    digest = sha256(part)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    size = part.stat().st_size
    record = {"sha256": digest, "bytes": size, "files_sha256": _digest(files), "verified": now}
    write_json(_record(archive), record)
    part.replace(archive)
    _forget(part)
    say(f"{archive}: {size / 1e6:,.1f} MB, {len(files):,} files, sha256 {digest}")


def _receive(kaggle: Kaggle, part: Path, unpacked: int) -> None:
    """Downloads until all bytes are there, over as many connections as it takes."""
    failures = 0
    while True:
        before = _size(part)
        try:
            return _stream(kaggle, part, unpacked)
        except Unanswered as error:
            failures = 0 if _size(part) > before else failures + 1
            if failures == TRIES:
                kept = f"{_size(part) / 1e6:,.1f} MB are kept, the same command goes on from there"
                raise FercompError(f"the download does not get on: {error}; {kept}") from error
            seconds = PAUSE * 2 ** max(0, failures - 1)
            say(f"the download broke off at {_size(part) / 1e6:,.1f} MB ({error}): going on in {seconds:g} s")
            time.sleep(seconds)


def _stream(kaggle: Kaggle, part: Path, unpacked: int) -> None:
    """Downloads what is missing, over one connection."""
    with ExitStack() as stack:
        answer = stack.enter_context(closing(kaggle.archive()))
        identity = _identity(answer)
        total, name = identity["bytes"], identity["identity"]
        have = _size(part) if name and _read_json(_marker(part)) == identity else 0
        if have and have == total:
            return
        require_space(part.parent, max(0, (total or 0) - have) + unpacked)
        if have:
            answer = stack.enter_context(closing(kaggle.archive_from(answer.url, have, name)))
            if not _goes_on(answer, have, total):
                if answer.status_code >= 500 or answer.status_code == 429:
                    raise Unanswered(f"the storage answers {answer.status_code}")
                have = 0
                if answer.status_code != 200:
                    _forget(part)
                    raise Unanswered("the storage does not send what is missing, so all is sent again")
                identity = _identity(answer)
        if not have:
            _forget(part)
            write_json(_marker(part), identity)
        with (
            part.open("ab" if have else "wb") as file,
            meter("downloading", identity["bytes"], have) as bar,
        ):
            for chunk in _chunks(kaggle, answer):
                file.write(chunk)
                bar.update(len(chunk))
    if identity["bytes"] is not None and _size(part) != identity["bytes"]:
        if _size(part) > identity["bytes"]:
            _forget(part)
        raise Unanswered(f"{identity['bytes']:,} bytes were expected")


def _chunks(kaggle: Kaggle, answer: "requests.Response") -> Iterator[bytes]:
    with kaggle.told():
        chunks = answer.iter_content(_CHUNK)
    while True:
        with kaggle.told():
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


def _identity(answer: "requests.Response") -> Identity:
    length = answer.headers.get("Content-Length", "")
    packed = "Content-Encoding" in answer.headers  # then the length is not that of what is written
    return {
        "identity": answer.headers.get("ETag") or answer.headers.get("Last-Modified"),
        "bytes": int(length) if length.isdecimal() and not packed else None,
    }


def _goes_on(answer: "requests.Response", have: int, total: int | None) -> bool:
    """Says whether an answer is the rest of the archive, from the byte that is missing."""
    place = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if answer.status_code != 206 or not place or int(place[1]) != have:
        return False
    return place[2] == "*" or total is None or int(place[2]) == total


def _digest(files: Sequence[tuple[str, int]]) -> str:
    return hashlib.sha256(json.dumps(sorted(files)).encode()).hexdigest()


def _part(archive: Path) -> Path:
    return archive.with_name(f"{archive.name}.part")


def _record(archive: Path) -> Path:
    return archive.with_name(f"{archive.name}.json")


_marker = _record


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)  # first: a part without a marker is never added to
    _marker(part).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _read_json(path: Path) -> dict[str, Any]:
    """Reads one of our own records; one that is damaged counts as missing."""
    try:
        return read_json(path, 2**16, "")
    except FercompError:
        return {}
