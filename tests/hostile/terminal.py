"""What a terminal would obey, or rich take for markup, through every door by which text comes in."""

import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .case import Case

TEXTS = (
    *(
        "\x1b[2J\x1b[H",
        "\x1b]0;title\x07",
        "\x1b]8;;http://a.example\x1b\\x\x1b]8;;\x1b\\",
        "\x1b]52;c;aA==\x07",
    ),
    *("\x9b31mred", "\x1bc", "a\rerror: b", "a\x08\x08b", "\x7f", "\x85", "\x0e", "\u2028next", "j\u202eexe"),
    *("\u2066\u2069", "\udcff\udc80", "[red]", "[/red]", "[link=http://a.example]x[/link]", ":smile:", "[b"),
)
PREDICT = ["predict", "--model", "tiny"]
SUBMIT = ["submit", "submissions/tiny.csv", "--dry-run"]
ANNOTATE = ["annotate", "precious", "--model", "tiny", "--output", "out"]


def terminal_cases() -> Iterator[Case]:
    """Gives every text through every door."""
    for door, build in _DOORS.items():
        for text in TEXTS:
            yield Case("terminal", f"{door}: {text!r}", partial(build, text), "either")


def _name(text: str) -> str:
    return text.replace("/", "_")


def _photo(good: bool, text: str, work: Path) -> list[str]:
    data = (work / "datasets/raw/test_kaggle/0.jpg").read_bytes() if good else b"no picture"
    (work / "precious" / f"{_name(text)}.jpg").write_bytes(data)
    return ANNOTATE


def _output(text: str, work: Path) -> list[str]:
    _photo(True, "photo", work)
    return [*ANNOTATE[:-1], f"out{_name(text)}"]


def _card(key: str, words: list[str], text: str, work: Path) -> list[str]:
    path = work / "models/tiny/card.json"
    card = json.loads(path.read_text())
    card[key] = [text, *card["classes"][1:]] if key == "classes" else text
    path.write_text(json.dumps(card))
    return words


def _model(text: str, work: Path) -> list[str]:
    (work / "models/tiny").rename(work / "models" / f"m{_name(text)}")
    return ["models"]


def _params(value: str, text: str, work: Path) -> list[str]:
    (work / "params.yaml").write_text(value % json.dumps(text))
    return ["predict", "--model", "tiny"]


def _cell(table: str, words: list[str], header: bool, text: str, work: Path) -> list[str]:
    path = work / table
    lines = path.read_text().splitlines()
    row = 0 if header else 1
    lines[row] = lines[row].rpartition(",")[0] + f',"{text}"'
    path.write_bytes("\n".join([*lines, ""]).encode("utf-8", "surrogateescape"))
    return words


def _member(text: str, work: Path) -> list[str]:
    with zipfile.ZipFile(work / "files.zip", "w") as archive:
        archive.writestr(text.encode("utf-8", "replace").decode(), "x")
    return ["fetch", "--source", "files.zip"]


def _typed(words: list[str], text: str, work: Path) -> list[str]:
    return [word.replace("%", text) for word in words]


_DOORS: dict[str, Callable[[str, Path], list[str]]] = {
    "name of a photo": partial(_photo, True),
    "name of no photo": partial(_photo, False),
    "name of the output": _output,
    "name of a model": _model,
    "class on a card": partial(_card, "classes", ["models"]),
    "backbone on a card": partial(_card, "backbone", ["models"]),
    "runtime on a card": partial(_card, "runtime", PREDICT),
    "key of a parameter": partial(_params, "train: {%s: 1}"),
    "value of a parameter": partial(_params, "train: {backbone: %s}"),
    "name of an experiment": partial(_params, "experiments: {%s: {epochs: x}}"),
    "column of a table": partial(_cell, "datasets/photos.csv", PREDICT, True),
    "class in train.csv": partial(_cell, "datasets/raw/train.csv", ["prepare"], False),
    "class in a submission": partial(_cell, "submissions/tiny.csv", SUBMIT, False),
    "member of an archive": _member,
    "word too many": partial(_typed, ["doctor", "%"]),
    "unknown option": partial(_typed, ["train", "--%"]),
    "unknown command": partial(_typed, ["%"]),
    "no number": partial(_typed, ["annotate", "precious", "--every", "%"]),
    "override": partial(_typed, ["predict", "--model", "tiny", "--set", "train.%=1"]),
}
