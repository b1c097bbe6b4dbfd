"""Hostile class folders for `relabel --import-folders`. One photo in each was moved, which is a decision."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .case import Case, Expected
from .photos import NAMES
from .sources import PLACES

Change = Callable[[Path], object]
"""Makes class folders, which are a copy of the training photos, hostile."""

LISTS = {
    "of bytes": b"\xff\x00" * 40,
    "of other columns": b"a,b\n1,2\n",
    "with a label that is no class": b"file,image_path,emotion,label\na,train/sad/1.jpg,sad,glad\n",
    "with a photo twice": b"file,image_path,emotion,label\na,x.jpg,sad,sad\nb,x.jpg,sad,sad\n",
    "of photos that are not there": b"file,image_path,emotion,label\n../../x,../../x,sad,sad\n",
    "without rows": b"file,image_path,emotion,label\n",
    "that is empty": b"",
}


def folder_cases() -> Iterator[Case]:
    """Gives all cases of class folders."""
    for name, change in _TAKEN.items():
        yield _case(name, change, "done")
    for name, change in _REFUSED.items():
        yield _case(name, change, "refused")
    for name in NAMES:
        yield _case(f"a photo called {name!r}"[:80], partial(_call, name), "done")
    for name, make in PLACES.items():
        yield _case(f"{name} among the photos", lambda mine, make=make: make(mine / "sad" / "x.jpg"), "done")
        yield _case(f"{name} as a class", partial(_replace, make), "either")
        yield _case(f"{name} instead of folders", partial(_instead, make), "refused")
        if name != "an empty file":
            yield _case(f"{name} as list", lambda mine, make=make: make(mine / "photos.csv"), "refused")
    for name, data in LISTS.items():
        expected: Expected = "done" if name in ("of photos that are not there", "without rows") else "refused"
        yield _case(
            f"a list {name}", lambda mine, data=data: (mine / "photos.csv").write_bytes(data), expected
        )


def _case(name: str, change: Change, expected: Expected) -> Case:
    def build(work: Path) -> list[str]:
        mine = work / "sorted"
        shutil.copytree(work / "datasets/raw/train", mine)
        (mine / "sad/1.jpg").rename(mine / "happy/moved.jpg")
        (work / "datasets/review.jsonl").unlink()  # the campaign looks for changes in it
        change(mine)
        return ["relabel", "--import-folders", "sorted", *(["--drop-removed"] if "dropped" in name else [])]

    return Case("folders", name, build, expected, partial(_one_decision, expected))


def _one_decision(expected: Expected, work: Path) -> str:
    journal = work / "datasets/review.jsonl"
    lines = journal.read_text().splitlines() if journal.is_file() else []
    if expected == "refused":
        return f"{len(lines)} decisions, though it was refused" if lines else ""
    wrong = [line for line in lines if '"train/sad/1.jpg"' not in line or '"label": "happy"' not in line]
    if wrong or len(lines) > 1:
        return f"decided what nobody has: {(wrong or lines)[-1]}"
    return "" if lines or expected == "either" else "the photo that was moved is not decided"


def _call(name: str, mine: Path) -> None:
    (mine / "anger/2.jpg").rename(mine / "anger" / name)


def _replace(make: Change, mine: Path) -> None:
    shutil.rmtree(mine / "fear")
    make(mine / "fear")


def _instead(make: Change, mine: Path) -> None:
    shutil.rmtree(mine)
    make(mine)


def _two_classes(mine: Path) -> None:
    for name in ("anger", "fear", "sad"):
        shutil.copyfile(mine / "neutral/2.jpg", mine / name / "again.jpg")


def _test_photos(mine: Path) -> None:
    for photo in (mine.parent / "datasets/raw/test_kaggle").iterdir():
        shutil.copyfile(photo, mine / "sad" / f"test-{photo.name}")


def _sparse(mine: Path) -> None:
    with (mine / "sad/huge.jpg").open("wb") as file:
        file.truncate(2**40)


def _bytes_that_are_no_text(mine: Path) -> None:
    _call(os.fsdecode(b"\xff\xfe.jpg"), mine)


def _loop(mine: Path) -> None:
    (mine / "sad/round").symlink_to(mine)
    (mine / "round").symlink_to(mine)


_TAKEN: dict[str, Change] = {
    "photos in several classes": _two_classes,
    "photos of the test": _test_photos,
    "a tera of nothing": _sparse,
    "a name that is no text": _bytes_that_are_no_text,
    "links in a circle": _loop,
    "a photo beside the folders": lambda mine: (mine / "fear/3.jpg").rename(mine / "3.jpg"),
    "a photo in a folder that is no class": lambda mine: (mine / "fear").rename(mine / "\x1b[31mlater"),
    "a photo that was edited": lambda mine: (mine / "fear/3.jpg").write_bytes(b"\xff\xd8\xff"),
    "a photo that is an empty file": lambda mine: (mine / "fear/3.jpg").write_bytes(b""),
    "a class without photos": lambda mine: [path.unlink() for path in (mine / "fear").iterdir()],
    "a class that is gone": lambda mine: shutil.rmtree(mine / "fear"),
    "photos 300 folders deep": lambda mine: (mine / "fear" / "/".join("d" * 300)).mkdir(parents=True),
    "a folder called as a photo": lambda mine: (mine / "fear/x.jpg").mkdir(),
}

_REFUSED: dict[str, Change] = {
    "a class that is misspelt": lambda mine: (mine / "surprise").rename(mine / "suprise"),
    "a class in capitals": lambda mine: (mine / "fear").rename(mine / "FEAR"),
    "no class at all": lambda mine: [path.rename(mine / f"{i}") for i, path in enumerate(mine.iterdir())],
    "no folder": shutil.rmtree,
    "dropped without a list": lambda mine: (mine / "fear/3.jpg").unlink(),
    "a class that is a link": lambda mine: _replace(lambda path: path.symlink_to(mine / "sad"), mine),
}
