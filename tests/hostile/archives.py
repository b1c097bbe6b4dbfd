"""Hostile archives for `fetch`: names that lead elsewhere, bombs, damage."""

import io
import shutil
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from .case import Case

NAMES = (
    *(
        "../escaped",
        "../../escaped",
        "/tmp/escaped",
        "a/../../escaped",
        "..",
        "C:\\escaped",
        "a\\..\\escaped",
        "\\\\host\\x",
    ),
    *(
        "./x",
        "a//b",
        " ",
        ".",
        "a/./b",
        "\x1b[31mred",
        "a\0b",
        "a\nb",
        "nul",
        "con.jpg",
        "x" * 300,
        "é" * 200,
    ),
    *(
        "d/" * 1000 + "x",
        "train.csv/x",
        "TRAIN.CSV",
        "train/happy",
        "datasets/raw/train.csv",
        "~root/x",
        "$HOME/x",
    ),
)


def archive_cases() -> Iterator[Case]:
    """Gives all cases of archives."""
    for name in NAMES:
        yield _case(f"member {name[:40]!r}", lambda whole, name=name: _with_member(whole, name))
    rng = np.random.default_rng(13)
    for i in range(60):
        yield _case(
            f"wrong bytes, {i}", partial(_wrong_bytes, int(rng.integers(2**31)), 1 + i // 4, i % 2 == 0)
        )
    for cut in (0, 1, 4, 22, 100, 1000):
        yield _case(f"first {cut} bytes", lambda whole, cut=cut: whole[:cut])
        yield _case(f"without its last {cut + 1} bytes", lambda whole, cut=cut: whole[: -cut - 1])
    for name, make in _KINDS.items():
        yield _case(name, make)
        yield Case("archives", f"in the zip: {name}", partial(_nested, make), "either", _all_or_nothing)
    for name in NAMES:
        make = partial(_named_member, name)
        yield Case(
            "archives", f"in the zip: {name[:40]!r}", partial(_nested, make), "either", _all_or_nothing
        )


def _named_member(name: str, whole: bytes) -> bytes:
    return _with_member(whole, name)


def _nested(make: Callable[[bytes], bytes], work: Path) -> list[str]:
    """Packs the photos once more, hostile, into a competition that is whole besides."""
    raw = work / "datasets" / "raw"
    (raw / "train.zip").write_bytes(make(_whole(raw / "train")))
    shutil.rmtree(raw / "train")
    raw.rename(work / "there")
    return ["fetch", "--source", "there", "--set", "fetch.layout.suffix=.jpg"]


def _case(name: str, make: Callable[[bytes], bytes]) -> Case:
    def build(work: Path) -> list[str]:
        (work / "hostile.zip").write_bytes(make(_whole(work / "datasets" / "raw")))
        (work / "datasets" / "raw").rename(work / "was_raw")
        return ["fetch", "--source", "hostile.zip"]

    return Case("archives", name, build, "either", _all_or_nothing)


def _all_or_nothing(work: Path) -> str:
    raw = work / "datasets" / "raw"
    if not raw.exists():
        return ""
    whole = (raw / "train.csv").is_file() and (raw / "sample_submission.csv").is_file()
    return "" if whole else "half of the files arrived"


def _whole(raw: Path) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(raw.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(raw))
    return file.getvalue()


def _added(whole: bytes, *members: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO(whole)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        for info, data in members:
            archive.writestr(info, data)
    return file.getvalue()


def _with_member(whole: bytes, name: str) -> bytes:
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    return _added(whole, (info, b"escaped"))


def _wrong_bytes(seed: int, count: int, at_the_end: bool, whole: bytes) -> bytes:
    rng = np.random.default_rng(seed)
    data = np.frombuffer(whole, np.uint8).copy()
    first = len(data) - 2000 if at_the_end else 0
    data[rng.integers(first, len(data), count)] = rng.integers(0, 256, count)
    return data.tobytes()


def _moded(mode: int, data: bytes, whole: bytes) -> bytes:
    info = zipfile.ZipInfo("strange")
    info.create_system = 3
    info.external_attr = mode << 16
    return _added(whole, (info, data))


def _bomb(whole: bytes) -> bytes:
    file = io.BytesIO(whole)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 200_000_000)
    return file.getvalue()


def _said_size(size: int, whole: bytes) -> bytes:
    """Changes the size that the directory says of the last member."""
    place = whole.rfind(b"PK\1\2")
    return whole[: place + 24] + struct.pack("<I", size) + whole[place + 28 :]


def _without(name: str, whole: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(file, "w") as new:
        for info in old.infolist():
            if not info.filename.startswith(name):
                new.writestr(info, old.read(info))
    return file.getvalue()


_KINDS: dict[str, Callable[[bytes], bytes]] = {
    "a link": partial(_moded, stat.S_IFLNK | 0o777, b"/etc/passwd"),
    "a pipe": partial(_moded, stat.S_IFIFO | 0o777, b""),
    "a device": partial(_moded, stat.S_IFCHR | 0o777, b""),
    "setuid": partial(_moded, stat.S_IFREG | 0o6777, b"x"),
    "a bomb": _bomb,
    "a member that says it is small": partial(_said_size, 1),
    "a member that says it is huge": partial(_said_size, 2**32 - 2),
    "no train.csv": partial(_without, "train.csv"),
    "no sample": partial(_without, "sample_submission.csv"),
    "no photos": partial(_without, "train/"),
    "only text": lambda whole: b"not a zip",
    "zeros": lambda whole: b"\0" * 1000,
    "twice the same member": lambda whole: _added(
        whole, (zipfile.ZipInfo("x"), b"1"), (zipfile.ZipInfo("x"), b"2")
    ),
    "names that differ in case": lambda whole: _added(
        whole, (zipfile.ZipInfo("x"), b"1"), (zipfile.ZipInfo("X"), b"2")
    ),
    "something before it": lambda whole: b"#!/bin/sh\n" + whole,
    "something after it": lambda whole: whole + b"more",
    "ten thousand empty members": lambda whole: _added(
        whole, *((zipfile.ZipInfo(f"e/{i}"), b"") for i in range(10_000))
    ),
}
