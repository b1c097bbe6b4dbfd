"""Hostile records of runs at Kaggle, names of runs, and files for `repro`. Nobody is signed in here."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .case import Case, Expected
from .settings import PATHS
from .sources import PLACES

RECORD = "models/.kaggle/train-tiny.json"
GOOD: dict[str, Any] = {
    "name": "train-tiny",
    "run": "0" * 64,
    "fingerprint": "0" * 64,
    "words": ["train"],
    "gpu": True,
    "competition": "faces",
    "owner": "ada",
    "leaves": ["models/tiny"],
    "dataset": "",
    "pulled": False,
    "parts": [{"slug": "fercomp-train-tiny-000000-1", "state": "running", "files": ""}],
}
CHANGES: dict[str, dict[str, Any]] = {
    "a slug that leads out": {"parts": [{"slug": "../../x", "state": "running"}]},
    "a slug with an escape": {"parts": [{"slug": "\x1b[31mred", "state": "running"}]},
    "a state of its own": {"parts": [{"slug": "fercomp-x-1", "state": "sold"}]},
    "parts of text": {"parts": "running"},
    "a run that is none": {"run": "../x"},
    "a number as words": {"words": 7},
    "an unknown field": {"token": "KGAT_0"},
    "a name that leads out": {"name": "../../x"},
    "another name": {"name": "other"},
    "an owner with an escape": {"owner": "\x1b[31mada"},
    "no parts": {"parts": []},
}
TEXTS = {
    "nothing": "",
    "brackets": "[" * 100_000,
    "a list": "[]",
    "half of it": json.dumps(GOOD)[:100],
    "a long number": '{"run": ' + "9" * 10_000 + "}",
    "a NUL": "\0",
    "two megabytes": " " * 2**21,
}
NAMES = (
    "../train-tiny",
    "nobody",
    "\x1b[31m",
    "x" * 5000,
    "a\nb",
    "~nosuchuser",
    "models/.kaggle/train-tiny",
)
ACTIONS = ("show", "pull", "cancel")


def run_cases() -> Iterator[Case]:
    """Gives all cases of runs at Kaggle."""
    for name, change in CHANGES.items():
        text = json.dumps({**GOOD, **change})
        yield Case("runs", f"{name}", partial(_record, text, ["kernels"]), "refused")
    for name, text in TEXTS.items():
        yield Case("runs", f"a record of {name}", partial(_record, text, ["kernels"]), "refused")
    for name, make in PLACES.items():
        expected: Expected = "either" if name == "an empty file" else "refused"
        yield Case("runs", f"a record is {name}", partial(_place, make, ["kernels"]), expected)
    for action in ACTIONS:
        words = ["kernels", action]
        yield Case("runs", f"{action}, not signed in", partial(_record, json.dumps(GOOD), words), "refused")
        for name in NAMES:
            words = ["kernels", action, name]
            yield Case(
                "runs", f"{action} {name!r}"[:60], partial(_record, json.dumps(GOOD), words), "refused"
            )
    for path in PATHS:
        words = ["repro", "--on", "kaggle", "--yes", path]
        yield Case("runs", f"repro {path!r}"[:60], partial(_record, json.dumps(GOOD), words), "refused")
    for command in ("train", "crossval", "predict"):
        words = [command, "--on", "kaggle", "--yes"]
        yield Case("runs", f"{command}, not signed in", partial(_record, json.dumps(GOOD), words), "refused")


def _record(text: str, words: list[str], work: Path) -> list[str]:
    (work / RECORD).parent.mkdir()
    (work / RECORD).write_text(text)
    if "pipe" in words:
        os.mkfifo(work / "pipe")
    return words


def _place(make: Callable[[Path], object], words: list[str], work: Path) -> list[str]:
    (work / RECORD).parent.mkdir()
    make(work / RECORD)
    return words
