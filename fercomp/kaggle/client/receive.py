"""One file's bytes from Kaggle's storage, in pieces, over as many connections as it takes.

    <competition>.zip.part        what has come so far
    <competition>.zip.part.json   of which archive: its ETag or date, and its size

Bytes are only added to those of the same archive, and only thrown away for the beginning of another zip.
"""

import math
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from rich.filesize import decimal

from fercomp.core.errors import FercompError
from fercomp.core.files import require_space, write_json
from fercomp.core.progress import meter, say
from fercomp.core.reading import read_json
from fercomp.kaggle.client.refusals import Unanswered, storage_says
from fercomp.kaggle.client.transport import pieces

if TYPE_CHECKING:
    import requests

TRIES: Final = 6
"""How often in a row a download may break off without having got further than ever."""

LEAST_GAIN: Final = 2**16
"""Bytes beyond the most that was ever there which count as having got further."""

RESTARTS: Final = 3
"""How often a run throws away what is there, because the storage begins anew."""

PAUSE = 2.0
"""Seconds before going on after the first break, twice as many after each further one."""

BY_HAND: Final = "download it with a browser and give its path as --source"
"""What a user does where the competition's archive does not come."""

Identity = dict[str, Any]
"""Which archive it is: `identity` (its ETag or date) and `bytes`, either may be `None`."""


class Download(Protocol):
    """Where a file comes from."""

    def archive(self) -> "requests.Response":
        """Begins to download it: the answer, of which only the headers were read."""

    def archive_from(self, address: str, start: int, identity: str) -> "requests.Response":
        """Goes on with the download, see `Kaggle.archive_from`."""

    def told(self) -> AbstractContextManager[None]:
        """Tells errors that come up in a block, in which the content is read."""


def part_of(archive: Path) -> Path:
    """Returns where an archive's bytes gather."""
    return archive.with_name(f"{archive.name}.part")


def record_of(archive: Path) -> Path:
    """Returns where it stands what an archive, or a part of one, is."""
    return archive.with_name(f"{archive.name}.json")


def forget(part: Path) -> None:
    """Removes what has come so far."""
    part.unlink(missing_ok=True)  # first: a part without its record is never added to
    record_of(part).unlink(missing_ok=True)


def read_record(path: Path) -> dict[str, Any]:
    """Reads one of our own records; one that is damaged counts as missing."""
    try:
        return read_json(path, 2**16, "")
    except FercompError:
        return {}


@dataclass
class _Course:
    """How a download has gone so far.

    Attributes:
        most: Bytes of the archive that were ever here.
        failures: Breaks in a row that brought no more than that.
        restarts: How often what was here has been thrown away.
        refused: How often the storage did not send the rest.
        remedy: What a user does where it does not get on.
        begins: The first bytes of such a file; anything else does not take the place of what is here.
        limit: Bytes that it has at the most.
    """

    remedy: str
    begins: bytes
    limit: float
    most: int = 0
    failures: int = 0
    restarts: int = 0
    refused: int = 0

    def broke_off(self, size: int) -> None:
        """Counts a break that left so many bytes."""
        self.failures = 0 if size >= self.most + LEAST_GAIN else self.failures + 1
        self.most = max(self.most, size)

    def check(self, size: int) -> None:
        """Ends a download that has more bytes than it may have."""
        if size > self.limit:
            raise FercompError(f"the download has more than {self.limit:,.0f} bytes: {self.remedy}")

    def begin_anew(self, part: Path) -> None:
        """Throws away what is here, where there is something."""
        if _size(part):
            self.restarts += 1
        if self.restarts > RESTARTS:
            raise FercompError(
                f"the download does not get on: it began anew {RESTARTS} times and never got beyond "
                f"{decimal(self.most)}: {self.remedy}"
            )
        forget(part)


def receive(
    source: Download,
    part: Path,
    unpacked: int,
    remedy: str = BY_HAND,
    begins: bytes = b"PK",
    limit: float = math.inf,
) -> None:
    """Downloads until all bytes are there.

    Args:
        source: Where they come from.
        part: Where they gather.
        unpacked: Bytes that the disk needs besides.
        remedy: What a user does where it does not get on.
        begins: Bytes that such a file begins with, two at the most.
        limit: Bytes that it has at the most.

    Raises:
        FercompError: Kaggle refuses, the disk has no room, or the download does not get on; what has come
            is kept.
    """
    course = _Course(remedy, begins, limit)
    while True:
        try:
            return _stream(source, part, unpacked, course)
        except Unanswered as error:
            course.broke_off(_size(part))
            if course.failures >= TRIES:
                kept = f"{decimal(_size(part))} are kept, the same command goes on from there"
                raise FercompError(f"the download does not get on: {error}; {kept}") from error
            seconds = max(error.pause, PAUSE * 2 ** max(0, course.failures - 1))
            say(f"the download broke off at {decimal(_size(part))} ({error}): going on in {seconds:g} s")
            time.sleep(seconds)


def _stream(source: Download, part: Path, unpacked: int, course: _Course) -> None:
    """Downloads what is missing, over one connection."""
    with ExitStack() as stack:
        answer = stack.enter_context(closing(source.archive()))
        identity = _identity(answer)
        total, name = identity["bytes"], identity["identity"]
        have = _size(part) if name and read_record(record_of(part)) == identity else 0
        if have and have == total:
            return
        course.check(total or 0)
        require_space(part.parent, max(0, (total or 0) - have) + unpacked)
        if have:
            course.most = max(course.most, have)
            answer = stack.enter_context(closing(source.archive_from(answer.url, have, name)))
            if not _goes_on(answer, have, total):
                _require_whole(answer, part, course)
                have, identity = 0, _identity(answer)
        chunks = _chunks(source, answer)
        first = next(chunks, b"")
        if not have:
            is_begin = first and course.begins.startswith(first[: len(course.begins)])
            if _size(part) and not is_begin:  # a page: what is here is worth more
                raise Unanswered("the storage sends something else than the archive")
            course.begin_anew(part)
            write_json(record_of(part), identity)
        with part.open("ab" if have else "wb") as file, meter("downloading", identity["bytes"], have) as bar:
            for chunk in chain((first,), chunks):
                course.check(file.tell() + len(chunk))
                file.write(chunk)
                bar.update(len(chunk))
    if identity["bytes"] is not None and _size(part) != identity["bytes"]:
        if _size(part) > identity["bytes"]:
            course.begin_anew(part)
        raise Unanswered(f"{identity['bytes']:,} bytes were expected")


def _require_whole(answer: "requests.Response", part: Path, course: _Course) -> None:
    """Checks that an answer which is not the rest is the archive from its beginning, and no refusal.

    A refusal may pass, and a fresh address help, so what is here stays; but not for ever, where the storage
    says that there is no such rest.
    """
    if answer.status_code == 200:
        return
    course.refused += answer.status_code in (206, 416)
    if course.refused > 1:
        course.refused = 0
        course.begin_anew(part)
    raise storage_says(answer)


def _chunks(source: Download, answer: "requests.Response") -> Iterator[bytes]:
    chunks = pieces(answer)
    while True:
        with source.told():
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


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
