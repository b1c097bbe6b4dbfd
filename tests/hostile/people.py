"""Hostile names of people, and what somebody else has put among their data."""

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from .case import Case, Expected
from .sources import ANNOTATE_PEOPLE
from .tables import TEXTS

WORDS = [*ANNOTATE_PEOPLE, "--detector", "whole", "--report"]
NAMES: dict[str, tuple[bytes, Expected]] = {
    "cp1252": ("person,name\n0,Zoë\n".encode("cp1252"), "refused"),
    "UTF-16": ("person\tname\n0\tZoë\n".encode("utf-16"), "done"),
    "half of UTF-16": ("person\tname\n0\tZoë\n".encode("utf-16")[:-1], "refused"),
    "rows of nothing": (b"person,name\n,\n\n,,,\n", "done"),
    "a person of 5,000 digits": (b"person,name\n" + b"9" * 5000 + b",Anna\n", "refused"),
    "a person twice": (b"person,name\n0,Anna\n0,Ben\n", "refused"),
    "a name of a megabyte": (b"person,name\n0," + b"x" * 2**20 + b"\n", "refused"),
    "markup and a formula": (b"person,name\n0,<script>\n1,=1+1\n", "done"),
    "a person twice, one with a remark": (b"person,name,note\n0,,here\n0,,\n", "refused"),
    "a name of 201 letters": (b"person,name\n0," + b"x" * 201 + b"\n", "refused"),
    "a column of one's own": (b"phone;name;person;;\n1;Anna;0;;\n2;;7000\n", "done"),
    "a column twice": (b"phone;name;person;phone\n1;Anna;0;3\n", "refused"),
    "a column without a heading": (b"phone;name;person;\n1;Anna;0;2\n", "refused"),
    "more cells than headings": (b"name,person\nAnna,0,tall\n", "refused"),
    "a quote without an end": (b'person,name\n0,"Anna\n', "refused"),
    "a NUL": (b"person,name\n0,A\0B\n", "done"),
}


def _saved(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _bomb() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    data = bytearray(file.getvalue())
    start = data.find(b"\xff\xc0") + 5
    data[start : start + 4] = b"\xff\xf0\xff\xf0"
    return bytes(data)


DATA: dict[str, tuple[str, bytes, Expected]] = {
    "numbers in a zip": ("people.npy", _saved(x=np.zeros(3)), "refused"),
    "half a zip": ("people.npy", _saved(x=np.zeros(3))[:40], "refused"),
    "a header without an end": ("people.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': '[((((", "refused"),
    "a bomb as a face": ("person-99.jpg", _bomb(), "done"),
    "three megabytes as a face": ("person-0.jpg", bytes(3 * 2**20), "done"),
}


def people_cases() -> Iterator[Case]:
    """Gives all cases of people."""
    for name, (text, expected) in NAMES.items():
        yield Case("tables", f"people.csv: {name}", partial(_file, "people.csv", text), expected)
    for name, text in TEXTS.items():
        expected = "done" if name == "empty" else "refused"
        yield Case("tables", f"people.csv: {name}", partial(_file, "people.csv", text), expected)
        path = "people-data/people.npy"
        yield Case("tables", f"people.npy: {name}", partial(_file, path, text), "refused")
    for name, (file, text, expected) in DATA.items():
        yield Case("tables", name, partial(_file, f"people-data/{file}", text), expected)
    yield Case("tables", "a folder as a face", _folder, "done")
    yield Case("tables", "people-data that is a link", _link, "refused")


def _file(name: str, text: bytes, work: Path) -> list[str]:
    path = work / "out" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    return WORDS


def _folder(work: Path) -> list[str]:
    (work / "out" / "people-data" / "person-99.jpg").mkdir(parents=True)
    return WORDS


def _link(work: Path) -> list[str]:
    (work / "out").mkdir(exist_ok=True)
    (work / "out" / "people-data").symlink_to(work / "precious")
    return WORDS
