"""Hostile files for `report`: whatever is in them, there is a page, and only our own markup in it."""

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.report_files import Page

from .case import Case
from .runner import CONTROL
from .sources import PLACES, Make
from .tables import TEXTS, WRONG, changed, file_with
from .terminal import TEXTS as CONTROLS

REPORT = ["report"]
MARKUP = (
    *(
        "<script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "<!--",
        "]]>",
        "&lt;b&gt;",
        "'\" onfocus=1",
    ),
    *("<img src=x onerror=alert(1)>", "{{palette}}", "</title><b>", "javascript:alert(1)", "\\u003c"),
)
EMOTIONS = ("anger", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise", "uncertain")
TABLES: dict[str, str] = {
    "datasets/photos.csv": "",
    "datasets/problems.csv": "image_path,split,emotion,reason\ntrain/x.jpg,train,sad,empty\n",
    "models/tiny/holdout_probs.csv": "",
    "models/tiny/history.csv": "epoch,phase,loss,accuracy,holdout_loss,holdout_accuracy\n"
    "1,whole,1,0.5,1,0.5\n",
    "models/tiny/confusion.csv": "\n".join(
        [f"emotion,{','.join(EMOTIONS)}", *(f"{name},{','.join('1' * 9)}" for name in EMOTIONS), ""]
    ),
    "models/tiny/per_class.csv": "\n".join(
        ["emotion,precision,recall,f1,photos", *(f"{name},0.5,0.5,0.5,9" for name in EMOTIONS), ""]
    ),
    "submissions/history.csv": "time,file,sha256,message,git_commit,experiment,params,holdout_accuracy,"
    "public,private,ref,status\n2026-11-01T10:00:00+00:00,x.csv,0,m,c,tiny,{},0.5,0.5,0.5,1,complete\n",
}
"""Each table that is read, and what is in it where the base has none."""

NUMBERS = ("nan", "inf", "-1", "2", "1e308", "1e999", "9" * 400, "x", "")
STANDING = {"competition": "c", "time": "t", "team": "t", "rank": 1, "teams": 2}


def report_cases() -> Iterator[Case]:
    """Gives all cases of reports."""
    for table in TABLES:
        for name, change in WRONG.items():
            yield _case(f"{table}: {name}", partial(_table, table, change))
        for number in NUMBERS:
            change = partial(_last_cell, number)
            yield _case(f"{table}: a cell is {number[:20]!r}", partial(_table, table, change))
    for name, text in TEXTS.items():
        for file in ("submissions/standing.json", "models/tiny/card.json", "models/tiny/decision.json"):
            yield _case(f"{file}: {name}", partial(file_with, file, text, REPORT))
    for key in STANDING:
        for value in (None, -1, 1e308, "x" * 10**6, [], {}, True, "\x1b[2J"):
            text = json.dumps({**STANDING, key: value}).encode()
            yield _case(
                f"standing {key} {value!r}"[:60],
                partial(file_with, "submissions/standing.json", text, REPORT),
            )
    for text in (*MARKUP, *CONTROLS):
        for door, write in _DOORS.items():
            yield _case(f"{door}: {text!r}", partial(write, text))
    for name, make in PLACES.items():
        for file in (
            "models/tiny/card.json",
            "models/tiny/history.csv",
            "datasets/photos.csv",
            "submissions",
        ):
            yield _case(f"{file} is {name}", partial(_place, file, make))
        yield Case("reports", f"report.html is {name}", partial(_place, "report.html", make), "either")
    yield Case(
        "reports", "over somebody's notes", lambda work: [*REPORT, "-o", "precious/notes.txt"], "refused"
    )
    yield Case(
        "reports", "over a photo", lambda work: [*REPORT, "-o", "datasets/raw/train/sad/0.jpg"], "refused"
    )
    yield _case("no dvc.lock, a dvc.yaml of nonsense", partial(file_with, "dvc.yaml", b"stages: [\0", REPORT))


def _case(name: str, build: Callable[[Path], list[str]]) -> Case:
    return Case("reports", name, build, "done", _look)


def _look(work: Path) -> str:
    """Says what is in the page that should not be."""
    html = (work / "report.html").read_text(encoding="utf-8")
    if len(html) > 5_000_000:
        return f"the page has {len(html):,} letters"
    if found := CONTROL.search(html):
        return f"control character {found[0]!r} in the page"
    tags = Page(html).tags
    names = {name for _, attributes in tags for name in attributes}
    led = [attributes.get("href") or attributes.get("src") or "#" for _, attributes in tags]
    if [tag for tag, _ in tags].count("script") != 2 or any(
        n == "style" or n.startswith("on") for n in names
    ):
        return "markup of somebody else in the page"
    if away := [place for place in led if not place.startswith(("#", "data:"))]:
        return f"a way out of the page: {away[0]}"
    return ""


def _table(table: str, change: Callable[[str], bytes], work: Path) -> list[str]:
    for file, text in TABLES.items():
        if text:
            (work / file).write_text(text)
    return changed(table, change, REPORT, work)


def _last_cell(value: str, text: str) -> bytes:
    head, first, *rows = text.splitlines()
    return "\n".join([head, ",".join([*first.split(",")[:-1], value]), *rows, ""]).encode()


def _folder(text: str, work: Path) -> list[str]:
    name = text.replace("/", "_")
    shutil.copytree(work / "models/tiny", work / "models" / f"m{name}")
    return REPORT


def _message(text: str, work: Path) -> list[str]:
    quoted = text.replace('"', '""')
    row = f'\n,x.csv,,"{quoted}",,,,0.5,0.5,,1,complete\n'
    head = TABLES["submissions/history.csv"].partition("\n")[0]
    (work / "submissions/history.csv").write_text(head + row, errors="surrogateescape")
    return REPORT


def _trained(text: str, work: Path) -> list[str]:
    path = work / "models/tiny/card.json"
    card = json.loads(path.read_text())
    card["trained"] = {"params": {text: text, "x": {text: [text]}}, "git_commit": text, "refit_of": text}
    path.write_text(json.dumps({**card, "backbone": text}))
    return REPORT


def _photo(text: str, work: Path) -> list[str]:
    path = work / "models/tiny/holdout_probs.csv"
    head, first, *rows = path.read_text().splitlines()
    name = "train/" + text.replace('"', '""')
    row = ",".join([f'"{name}"', *first.split(",")[1:]])
    path.write_text("\n".join([head, row, *rows, ""]), errors="surrogateescape")
    return REPORT


_DOORS = {"name": _folder, "message": _message, "card": _trained, "path": _photo}
"""Ways by which a text comes into the page."""


def _place(file: str, make: Make, work: Path) -> list[str]:
    path = work / file
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    make(path)
    return REPORT
