"""Hostile tables, cards, journals: what a stage wrote, changed by hand, by a disk or by somebody else."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fercomp.core.classes import EMOTIONS
from fercomp.data.own_form import NOTE, ORIGINAL_FOLDER, OWN_SAMPLE, OwnForm

from .case import Case, Expected

_SUFFIX = ("--set", "fetch.layout.suffix=.jpg")
TABLES: dict[str, list[str]] = {
    "datasets/photos.csv": ["predict", "--model", "tiny"],
    "models/tiny/test_probs.csv": ["submission", "--model", "tiny"],
    "models/tiny/holdout_probs.csv": ["evaluate", "--model", "tiny"],
    "datasets/raw/train.csv": ["prepare"],
    "datasets/raw/sample_submission.csv": ["submission", "--model", "tiny"],
    "submissions/tiny.csv": ["submit", "submissions/tiny.csv", "--dry-run"],
    "models/crossval/oof.csv": ["relabel"],
}
"""Each table, and a command that reads it."""

HISTORY = "models/tiny/history.csv"
"""A table that `evaluate` needs only where it is there."""
_EPOCHS = "epoch,phase,loss,accuracy,holdout_loss,holdout_accuracy,learning_rate\n"
_EPOCHS += "1,head,2.1,0.2,2,0.3,0.001\n2,whole,1.9,0.3,1.8,0.4,0.0001\n"

BESIDE = "models/tiny/robustness.csv"
"""A table that no command needs: `models` tells what is wrong with it, `robustness` writes it anew."""

Change = Callable[[str], bytes]


def _lines(change: Callable[[list[str]], list[str]]) -> Change:
    return lambda text: "\n".join(change(text.splitlines())).encode() + b"\n"


def _cells(change: Callable[[list[str]], list[str]]) -> Change:
    """Changes the cells of the first row of data."""
    return _lines(lambda rows: [rows[0], ",".join(change(rows[1].split(","))), *rows[2:]])


def _last_cell(value: str) -> Change:
    return _cells(lambda cells: [*cells[:-1], value])


WRONG: dict[str, Change] = {
    "empty": lambda text: b"",
    "only a header": _lines(lambda rows: rows[:1]),
    "zeros": lambda text: b"\0" * 500,
    "binary": lambda text: bytes(range(256)) * 8,
    "latin-1": lambda text: text.encode() + b"\xe9,\xe9\n",
    "a zero byte": lambda text: text.replace(",", ",\0", 1).encode(),
    "no header": _lines(lambda rows: rows[1:]),
    "a column missing": _lines(lambda rows: [row.rpartition(",")[0] for row in rows]),
    "a column twice": _lines(lambda rows: [f"{row},{row.split(',')[-1]}" for row in rows]),
    "cut in the middle of a row": lambda text: text[: len(text) * 2 // 3].rpartition(",")[0].encode(),
    "first cell empty": _cells(lambda cells: ["", *cells[1:]]),
    "last cell empty": _last_cell(""),
    "last cell is no such thing": _last_cell("nonsense"),
    "path leads outside": _cells(lambda cells: ["../../../etc/passwd" if ".jpg" in c else c for c in cells]),
    "absolute path": _cells(lambda cells: ["/etc/passwd" if ".jpg" in c else c for c in cells]),
    "control characters": _cells(lambda cells: [*cells[:-1], "\x1b[31mred\x07"]),
    "open quote": _cells(lambda cells: [*cells[:-1], '"open']),
    "a folder in its place": lambda text: b"FOLDER",
    "a pipe in its place": lambda text: b"PIPE",
}
"""What every table must be refused for, or done in spite of with the row left out and a word."""

NUMBERS: dict[str, Change] = {
    f"last number {value}": _last_cell(value)
    for value in ("nan", "inf", "-inf", "-1", "2", "1e308", "1e999", "0x1", "1_0", "\u0661", "True")
} | {
    "a row twice": _lines(lambda rows: [*rows, rows[1]]),
    "all zero": _cells(
        lambda cells: [c if ".jpg" in c or not c.replace(".", "").isdigit() else "0" for c in cells]
    ),
    "all nan": _lines(lambda rows: [rows[0], *(",".join(_nan(c) for c in r.split(",")) for r in rows[1:])]),
}
"""What tables of probabilities must be refused for. What is as good as 0 is a probability."""


def _nan(cell: str) -> str:
    return "nan" if cell.replace(".", "").isdigit() else cell


def table_cases() -> Iterator[Case]:
    """Gives all cases of tables, cards and journals."""
    for table, words in TABLES.items():
        raw = table.startswith("datasets/raw")
        for name, change in WRONG.items():
            expected: Expected = "either" if raw or name in ("latin-1", "control characters") else "refused"
            yield Case("tables", f"{table}: {name}", partial(changed, table, change, words), expected)
        if "probs" in table or "oof" in table:
            for name, change in NUMBERS.items():
                yield Case("tables", f"{table}: {name}", partial(changed, table, change, words), "refused")
    for name, change in (WRONG | NUMBERS).items():
        build = partial(changed, BESIDE, change, ["models", "tiny"])
        yield Case("tables", f"{BESIDE}: {name}", build, "done")
        if name in ("a folder in its place", "a pipe in its place", "zeros"):
            build = partial(changed, BESIDE, change, ["robustness", "--model", "tiny", "--photos", "2"])
            yield Case("tables", f"{BESIDE}: {name}, measured again", build, "either")
    for split in ("train", "test"):
        build = partial(_split, split, ["robustness", "--model", "tiny"])
        yield Case("tables", f"robustness: all photos are of {split}", build, "refused")
    for name, change in WRONG.items():
        for table in ("train.csv", "sample_submission.csv"):
            yield Case(
                "tables", f"{table} of another layout: {name}", partial(_fetched, table, change), "either"
            )
        for file in (NOTE, OWN_SAMPLE):
            yield Case("tables", f"{file}: {name}", partial(_own_form, file, change), "either")
    for name, change in WRONG.items():
        yield Case("tables", f"{HISTORY}: {name}", partial(_history, change), "either")
    yield from _cards()
    yield from _journals()


def _history(change: Change, work: Path) -> list[str]:
    (work / HISTORY).write_text(_EPOCHS)
    return changed(HISTORY, change, ["evaluate", "--model", "tiny"], work)


def _fetched(table: str, change: Change, work: Path) -> list[str]:
    """Has `fetch` read a table of a competition with ids that lack `.jpg`."""
    (work / "datasets" / "raw").rename(work / "there")
    return changed(f"there/{table}", change, ["fetch", "--source", "there", *_SUFFIX], work)


def _own_form(file: str, change: Change, work: Path) -> list[str]:
    """Has `submission` read what `fetch` writes down about another layout."""
    raw = work / "datasets" / "raw"
    (raw / ORIGINAL_FOLDER).mkdir()
    (raw / OWN_SAMPLE).write_bytes((raw / "sample_submission.csv").read_bytes())
    form = OwnForm(photo="image_path", label="emotion", names={name: name for name in EMOTIONS})
    (raw / NOTE).write_text(form.model_dump_json(indent=1))
    return changed(f"datasets/raw/{file}", change, ["submission", "--model", "tiny"], work)


def _split(split: str, words: list[str], work: Path) -> list[str]:
    path = work / "datasets" / "photos.csv"
    path.write_text(path.read_text().replace(",holdout,", f",{split},"))
    return words


def changed(table: str, change: Change, words: list[str], work: Path) -> list[str]:
    path = work / table
    data = change(path.read_text())
    path.unlink()
    if data == b"FOLDER":
        path.mkdir()
    elif data == b"PIPE":
        os.mkfifo(path)
    else:
        path.write_bytes(data)
    return words


VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1e308,
    1e-308,
    "",
    "a\nb",
    "\x1b[31m",
    [],
    {},
    ["a", "a"],
    "nan",
    2**70,
)
KEYS = (
    *(
        "format",
        "name",
        "backbone",
        "classes",
        "head",
        "size",
        "margin",
        "flip",
        "views",
        "members",
        "threshold",
    ),
    *("bias", "temperature", "runtime", "trained", "scores", "kind", "files", "graph"),
)
NO_DEFAULT = {"classes", "size", "runtime", "trained", "scores", "name", "margin"}


def _cards() -> Iterator[Case]:
    words = ["annotate", "precious", "--model", "tiny", "--output", "out"]
    for key in KEYS:
        for value in VALUES:
            yield Case("cards", f"{key} is {value!r}", partial(_card_with, {key: value}, words), "either")
    classes = [
        ["happy"] * 9,
        ["", *"abcdefgh"],
        ["\x1b[31m", *"abcdefgh"],
        ["x1", *"abcdefgh"],
        ["happy", "Happy", *"abcdefg"],
    ]
    for names in classes:
        yield Case("cards", f"classes {names[:2]}", partial(_card_with, {"classes": names}, words), "refused")
    for scores in ({"accuracy": float("nan")}, {"accuracy": float("inf")}, {"accuracy": "high"}):
        yield Case("cards", f"scores {scores}", partial(_card_with, {"scores": scores}, words), "either")
    for name, text in TEXTS.items():
        yield Case("cards", name, partial(file_with, "models/tiny/card.json", text, words), "refused")
    for name, text in TEXTS.items():
        graph = partial(file_with, "models/tiny/graph/graph.xml", text, words)
        yield Case("cards", f"graph: {name}", graph, "refused")
    yield Case(
        "cards",
        "weights of another size",
        partial(file_with, "models/tiny/graph/graph.bin", b"12", words),
        "refused",
    )
    nan = b"\x00\x00\xc0\x7f" * (32 * 32 * 3 * 9)
    yield Case(
        "cards",
        "weights that are NaN",
        partial(file_with, "models/tiny/graph/graph.bin", nan, words),
        "refused",
    )
    yield Case(
        "cards",
        "NaN to predict",
        partial(file_with, "models/tiny/graph/graph.bin", nan, ["predict", "--model", "tiny"]),
        "refused",
    )


TEXTS: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "not UTF-8": b'{"name": "\xff"}',
    "zeros": b"\0" * 100,
    "a long number": b'{"size": ' + b"9" * 10_000 + b"}",
}


def _card_with(values: dict[str, Any], words: list[str], work: Path) -> list[str]:
    path = work / "models" / "tiny" / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    (work / "precious" / "photo.jpg").write_bytes((work / "datasets/raw/test_kaggle/0.jpg").read_bytes())
    return words


def file_with(name: str, text: bytes, words: list[str], work: Path) -> list[str]:
    (work / name).write_bytes(text)
    (work / "precious" / "photo.jpg").write_bytes((work / "datasets/raw/test_kaggle/0.jpg").read_bytes())
    return words


def _journals() -> Iterator[Case]:
    lines = (
        *(
            b"{",
            b"[]",
            b"null",
            b"1",
            b'"a"',
            b"\0\0\0",
            b"\xff\xfe",
            b"{}",
            b'{"image_path": 1}',
            b"[" * 50_000,
        ),
        *(
            b'{"image_path": "../../x", "sha1": "", "label": "happy"}',
            b'{"image_path": "x", "sha1": "", "label": "happy", "same_step": [1]}',
            b"\x1b[31m",
            b"x" * 10**6,
            b"NaN",
            b"\n" * 1000,
        ),
    )
    for line in lines:
        build = partial(file_with, "datasets/review.jsonl", line + b"\n", ["relabel"])
        yield Case("journal", f"line {line[:30]!r}", build, "either")
    decision = b'{"image_path": "x", "sha1": "", "label": "happy"}'
    for text in (b"\r".join([decision] * 40), b"[" + b",".join([decision] * 40) + b"]", b"[]", b"\0\0"):
        for words in (["relabel"], ["review", "--no-browser"]):
            build = partial(file_with, "datasets/review.jsonl", text, words)
            name = f"{words[0]} of {text[:60]!r} without a line end"
            yield Case("journal", name, build, "refused")
