"""Hostile sources for `fetch`, and what may stand in the place of a file or folder of ours."""

import os
import socket
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .case import Case, Expected

Make = Callable[[Path], object]


def source_cases() -> Iterator[Case]:
    """Gives all cases of sources and places."""
    for name, make in PLACES.items():
        for end in ("", "/", "/x"):
            yield Case("sources", f"{name}, {end!r}", partial(_source, make, end), "refused")
        yield Case("sources", f"{name} as datasets/raw", partial(_raw, make), "either")
        for file, words in FILES.items():
            # A record of ours that is empty, or that the disk cannot read, is made anew.
            mild = (
                name.startswith("an empty")
                or file.endswith((".lock.shard-1-of-2", ".part-1-of-1.csv", ".parquet"))
                or (name == "memory" and file == "out/run.json")
            )
            expected: Expected = "either" if mild else "refused"
            yield Case("sources", f"{file} is {name}", partial(_place, file, make, words), expected)
    for depth in (21, 1000, 30_000):
        yield Case("sources", f"a member {depth} deep", partial(_deep_member, depth), "refused")
    yield Case("sources", "folders 300 deep", _deep_folder, "refused")


def _socket(path: Path) -> None:
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)  # the path of a socket has to be short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)
    os.fchdir(here)
    os.close(here)


PLACES: dict[str, Make] = {
    "a pipe": lambda path: os.mkfifo(path),
    "a socket": _socket,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "memory": lambda path: path.symlink_to("/proc/self/mem"),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "an empty folder": Path.mkdir,
    "an empty file": Path.touch,
}
PREDICT = ["predict", "--model", "tiny"]
ANNOTATE = ["annotate", "--model", "tiny", "--output", "out"]
ANNOTATE_SHARD = [
    "annotate",
    "datasets/raw/test_kaggle",
    "--model",
    "tiny",
    "--output",
    "out",
    "--shard",
    "1/2",
]
ANNOTATE_PEOPLE = [*ANNOTATE_SHARD[:-2], "--people", "--force"]
ANNOTATE_REPORT = [*ANNOTATE_SHARD[:-2], "--report"]
FILES: dict[str, list[str]] = {
    "params.yaml": PREDICT,
    "datasets/photos.csv": PREDICT,
    "datasets/review.jsonl": ["relabel"],
    "models/tiny/card.json": PREDICT,
    "models/tiny/decision.json": PREDICT,
    "models/tiny/graph/graph.xml": PREDICT,
    "models/tiny/model.keras": ["submit", "--kernel", "--model", "tiny"],
    "models/tiny/test_probs.csv": ["submission", "--model", "tiny"],
    "models/tiny/holdout_probs.csv": ["evaluate", "--model", "tiny"],
    "submissions/history.csv": ["submissions"],
    "submissions/.sending.json": ["submit", "submissions/tiny.csv"],
    "out/run.json": ["annotate", "datasets/raw/test_kaggle", "--model", "tiny", "--output", "out"],
    "out/records.csv": ["annotate", "datasets/raw/test_kaggle", "--model", "tiny", "--output", "out"],
    "models/tiny/test_probs.shard-1-of-1.csv": [*PREDICT, "--merge"],
    "models/tiny/test_probs.part-1-of-1.csv": PREDICT,
    "out/records.parquet": [*ANNOTATE_SHARD[:-2], "--records", "parquet"],
    "out/report.html": ANNOTATE_REPORT,
    "out/summary.csv": ANNOTATE_REPORT,
    "out/people.csv": ANNOTATE_PEOPLE,
    "out/people-data": ANNOTATE_PEOPLE,
    "out/people-data/embeddings.csv": ANNOTATE_PEOPLE,
    "out/people-data/people.npy": ANNOTATE_PEOPLE,
    "photos.txt": [*ANNOTATE, "photos.txt"],
    "photos.parquet": [*ANNOTATE, "photos.parquet"],
    "out/run.shard-1-of-2.json": ANNOTATE_SHARD,
    "out/run.shard-2-of-2.json": ANNOTATE_SHARD,
    "out/records.shard-1-of-2.csv": ANNOTATE_SHARD,
    "out/.lock.shard-1-of-2": ANNOTATE_SHARD,
}
"""Each file, and a command that reads it."""


def _source(make: Make, end: str, work: Path) -> list[str]:
    make(work / "files.zip")
    return ["fetch", "--source", f"files.zip{end}"]


def _raw(make: Make, work: Path) -> list[str]:
    (work / "datasets/raw").rename(work / "files")
    make(work / "datasets/raw")
    return ["fetch", "--source", "files"]


def _place(file: str, make: Make, words: list[str], work: Path) -> list[str]:
    path = work / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    make(path)
    return words


def _deep_member(depth: int, work: Path) -> list[str]:
    with zipfile.ZipFile(work / "files.zip", "w") as archive:
        archive.writestr("d/" * depth + "x", b"x")
    return ["fetch", "--source", "files.zip"]


def _deep_folder(work: Path) -> list[str]:
    (work / "datasets/raw").rename(work / "files")
    (work / "files/train" / Path(*["d"] * 300)).mkdir(parents=True)
    return ["fetch", "--source", "files"]
