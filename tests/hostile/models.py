"""Hostile cards through the doors that show or ask a model, and hostile decoded photos."""

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fercomp.core.tables import RECORDS

from .base import SIDE, fercomp
from .case import Case, Expected
from .sources import PLACES
from .tables import NUMBERS, TEXTS, VALUES, WRONG, changed, file_with

ANYTHING: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 2**70, 1e308, 5e-324),
    *("", "x" * 10**6, "a\nb", "\x1b[2J", "{name}", "[red]", "| a | b |"),
    *([], [[]], ["a", 1], {}, {"a": {}}, {"": None}),
)
DOORS: dict[str, list[str]] = {
    "models": ["models"],
    "models NAME": ["models", "tiny"],
    "relabel --model": ["relabel", "--model", "tiny"],
}
"""Commands that read a card, and what it says of training, scores and photos."""

TRAINED = ("params", "inference", "decision", "photos", "refit_of", "precision", "taught_sha256", "packages")
SCORES = ("accuracy", "macro_f1", "n", "calibration_error")
TRAITS = ("colour", "sharpness", "framing", "confidence")
ANNOTATE = ["annotate", "precious", "--model"]
NOBODY = ("nobody", "", "models", "datasets", "models/tiny/graph")


def model_cases() -> Iterator[Case]:
    """Gives all cases of cards and opinions, and of decoded photos."""
    for door, words in DOORS.items():
        for key in TRAINED:
            for value in ANYTHING:
                yield _card(door, words, f"trained.{key} is", value, partial(_trained, key, value))
        for key in SCORES:
            for value in ANYTHING:
                yield _card(door, words, f"scores.{key} is", value, partial(_scores, key, value))
        yield _card(door, words, "scores without", "macro_f1", lambda card: card["scores"].pop("macro_f1"))
        yield _card(door, words, "scores without", "n", lambda card: card["scores"].pop("n"))
    for change in ("mean", "spread"):
        for trait in (*TRAITS, "colours"):
            for value in (*ANYTHING, [0.0], [1e6], [-1e6], [0.0] * 36, [1e-300] * 36, ["nan"], [0.0] * 10**4):
                name = f"kind.{change}.{trait} is"
                edit = partial(_kind, change, trait, value)
                yield _card("predict", ["predict", "--model", "tiny"], name, value, edit)
    for name in NOBODY:
        words = ["relabel", "--model", name]
        yield Case("models", f"relabel --model {name!r}", partial(_words, words), "refused")
    for name in (*RECORDS, "raw_sad", "image_path", "nose_x", "valence_target"):
        edit = partial(_class, name)
        yield _card(
            "annotate", ["annotate", "precious", "--model", "tiny"], "a class is", name, edit, "refused"
        )
    yield from _decision_cases()
    for name, change in {**WRONG, **NUMBERS}.items():
        yield Case("models", f"robustness.csv: {name}", partial(_measured, change))
    yield from _cache_cases()


def _decision_cases() -> Iterator[Case]:
    words = [*ANNOTATE, "tiny", "--output", "out"]
    for name, text in TEXTS.items():
        decision = partial(file_with, "models/tiny/decision.json", text, words)
        yield Case("models", f"decision.json: {name}", decision, "refused")
        for file, kind in (("run.json", "csv"), ("records.csv", "csv"), ("records.jsonl", "jsonl")):
            earlier = partial(_earlier, file, text, [*words, "--records", kind])
            yield Case("models", f"out/{file}: {name}", earlier)
    for key in ("threshold", "threshold_on", "bias", "fitted_on", "scores", "more"):
        for value in VALUES:
            said = json.dumps({"fitted_on": "holdout_probs.csv", "scores": {}, key: value}).encode()
            decision = partial(file_with, "models/tiny/decision.json", said, words)
            yield Case("models", f"decision.json: {key} is {value!r}", decision)


def _measured(change: Callable[[str], bytes], work: Path) -> list[str]:
    """Writes what `robustness` measured of the model, and changes it."""
    rows = [
        f"{name},9,0.111111,0.022222,0.019891,0.435000" for name in ("unchanged,0", "blur,0.01", "blur,0.02")
    ]
    table = work / "models/tiny/robustness.csv"
    table.write_text("\n".join(["change,strength,n,accuracy,macro_f1,accuracy_low,accuracy_high", *rows, ""]))
    return changed("models/tiny/robustness.csv", change, ["models", "tiny"], work)


def _earlier(file: str, text: bytes, words: list[str], work: Path) -> list[str]:
    """Puts something in the place of what an earlier run left, and beside it what makes the folder ours."""
    (work / "out").mkdir()
    (work / "out/run.json").write_text(json.dumps({"fercomp": "0", "fingerprint": "0"}))
    return file_with(f"out/{file}", text, words, work)


def _card(
    door: str,
    words: list[str],
    name: str,
    value: Any,
    edit: Callable[[Any], object],
    expected: Expected = "either",
) -> Case:
    def build(work: Path) -> list[str]:
        path = work / "models/tiny/card.json"
        card = json.loads(path.read_text())
        edit(card)
        path.write_text(json.dumps(card))
        return words

    return Case("models", f"{door}: {name} {value!r}"[:90], build, expected)


def _trained(key: str, value: Any, card: Any) -> None:
    card["trained"][key] = value


def _scores(key: str, value: Any, card: Any) -> None:
    card["scores"][key] = value


def _kind(change: str, trait: str, value: Any, card: Any) -> None:
    numbers = {name: [0.5] * (36 if name == "framing" else 1) for name in TRAITS}
    card |= {"format": 4, "kind": {"photos": 40, "side": 40, "mean": dict(numbers), "spread": dict(numbers)}}
    card["kind"][change][trait] = value


def _class(name: str, card: Any) -> None:
    card["classes"] = [*card["classes"][:-1], name]


def _words(words: list[str], work: Path) -> list[str]:
    return words


def _cache_cases() -> Iterator[Case]:
    for name, change in _KEPT.items():
        yield Case("models", f"decoded photos: {name}", partial(_kept, change), "done", _same_probabilities)
    for name, make in PLACES.items():
        for file in ("", "files.jsonl", f"{SIDE}-2.pixels", f"{SIDE}-2.records", ".lock"):
            expected: Expected = "either" if file == ".lock" else "done"
            change = partial(_instead, make, file)
            yield Case(
                "models", f"decoded photos: {file or 'folder'} is {name}", partial(_kept, change), expected
            )


def _kept(change: Callable[[Path], object], work: Path) -> list[str]:
    """Has photos decoded by a prediction, whose answer is to stay the same, and makes them hostile."""
    fercomp(work, "predict", "--model", "tiny")
    shutil.copyfile(work / "models/tiny/test_probs.csv", work / "wanted.csv")
    change(work / "datasets/.photos")
    return ["predict", "--model", "tiny"]


def _same_probabilities(work: Path) -> str:
    same = (work / "models/tiny/test_probs.csv").read_bytes() == (work / "wanted.csv").read_bytes()
    return "" if same else "other probabilities than before"


def _instead(make: Callable[[Path], object], file: str, kept: Path) -> None:
    if file:
        (kept / file).unlink(missing_ok=True)
    else:
        shutil.rmtree(kept)
    make(kept / file if file else kept)


def _edit(ending: str, change: Callable[[bytes], bytes], kept: Path) -> None:
    for path in kept.glob(f"*{ending}"):
        path.write_bytes(change(path.read_bytes()))


def _link_outside(kept: Path) -> None:
    pixels = next(kept.glob("*.pixels"))
    pixels.unlink()
    pixels.symlink_to("../../precious/notes.txt")


_KEPT: dict[str, Callable[[Path], object]] = {
    "pixels of zeros": partial(_edit, ".pixels", lambda data: bytes(len(data))),
    "pixels in another order": partial(_edit, ".pixels", lambda data: data[::-1]),
    "pixels cut off": partial(_edit, ".pixels", lambda data: data[: len(data) // 2]),
    "pixels cut off by a byte": partial(_edit, ".pixels", lambda data: data[:-1]),
    "no pixels": partial(_edit, ".pixels", lambda data: b""),
    "pixels of another size": partial(_edit, ".pixels", lambda data: data * 3),
    "records of zeros": partial(_edit, ".records", lambda data: bytes(len(data))),
    "records of ones": partial(_edit, ".records", lambda data: b"\xff" * len(data)),
    "records in another order": partial(_edit, ".records", lambda data: data[28:] + data[:28]),
    "records twice": partial(_edit, ".records", lambda data: data * 2),
    "records cut off": partial(_edit, ".records", lambda data: data[:-3]),
    **{
        f"notes {name}": partial(_edit, "files.jsonl", change)
        for name, change in {
            "that are none": lambda data: b'[\n{}\n1\nnull\n"a"\n\xff\n' + b"[" * 10**5,
            "of other types": lambda data: b'[[], {}, null, 1, "00"]\n[1, 2, 3, 4, 5]\n',
            "that name other photos": lambda data: data.replace(b"0.jpg", b"1.jpg"),
            "of bytes that are none": lambda data: data.replace(b'"]', b'x"]'),
        }.items()
    },
    "a folder of somebody else in it": lambda kept: (kept / "9-9.records").mkdir(),
    "files of somebody else in it": lambda kept: (kept / "notes.txt").write_text("mine"),
    "pixels that are a link": _link_outside,
    "nobody may read them": lambda kept: [path.chmod(0) for path in kept.iterdir()],
    "nobody may write there": lambda kept: kept.chmod(0o500),
}
