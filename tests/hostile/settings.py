"""Hostile parameters and options: wrong types, bombs, no files, numbers that are none."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from fercomp.core.params import Params
from fercomp.core.params.group import keys_of

from .case import Case, Expected

VALUES = (
    "nan",
    "-.inf",
    "[]",
    "{a: 1}",
    "''",
    "2020-01-01",
    "1e999",
    "!!python/object:os.system x",
    "*x",
    '"\\e[31m"',
)
NUMBERS = ("nan", "inf", "-inf", "-1", "1e999", "", "x", "0x10", "\u0663", "1_000", "1e-400")

OPTIONS: dict[str, list[str]] = {
    "--min-size": ["annotate", "precious", "--model", "tiny", "--output", "out"],
    "--min-score": ["annotate", "precious", "--model", "tiny", "--output", "out"],
    "--start": ["annotate", "precious", "--model", "tiny", "--output", "out"],
    "--end": ["annotate", "precious", "--model", "tiny", "--output", "out"],
    "--every": ["annotate", "precious", "--model", "tiny", "--output", "out"],
    "--shard": ["annotate", "precious", "--model", "tiny", "--output", "out"],
    "predict --shard": ["predict", "--model", "tiny"],
    "predict --on": ["predict", "--model", "tiny"],
    "crossval --on": ["crossval"],
    "--on": ["annotate", "precious", "--model", "tiny", "--output", "out"],
    "live --min-size": ["live", "--no-browser", "--model", "nobody"],
    "live --min-score": ["live", "--no-browser", "--model", "nobody"],
    "--photos": ["robustness", "--model", "tiny"],
    "--port": ["live", "--no-browser", "--model", "nobody"],
}
SET = ["predict", "--model", "tiny", "--set"]
ABSURD = {
    "brackets": "[" * 10_000,
    "pairs": "{a: " * 10_000,
    "digits": "9" * 10_000,
    "fewer digits": "9" * 4_000,
    "a hexadecimal number": "0x" + "f" * 10_000,
    "times": ":".join(["59"] * 3_000),
    "an exponent": "1e999",
    "true": "true",
    "text": "x" * 10**5,
}
NUMBER_KEYS = ("train.epochs", "train.dropout", "machine.workers")
OVERRIDES = {
    **{f"{name} for {key}": f"{key}={value}" for key in NUMBER_KEYS for name, value in ABSURD.items()},
    "a deep key": "a." * 10_000 + "a=1",
    "a deep key of ours": "train.epochs" + ".a" * 10_000 + "=1",
    "a long key": "x" * 10**5 + "=1",
    "lines": "train.x\nerror: y=1",
}
PATHS = (
    "",
    " ",
    "~nosuchuser/x",
    "/dev/null",
    "/dev/zero",
    "/proc/self/mem",
    "nowhere",
    "a\nb",
    "\x1b[31m",
    "x" * 5000,
    "pipe",
)
READS: dict[str, list[str]] = {
    "annotate": ["--model", "tiny", "--output", "out"],
    "fetch": ["--source"],
    "submit": ["--dry-run"],
    "submit --kernel": ["--model"],
    "predict": ["--model"],
    "export": ["--model", "tiny"],
}


_ADDRESSES, _COUNT, _NUMBER = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)
HOSTS: dict[str, dict[str, str]] = {
    "no number": {_ADDRESSES: "127.0.0.1:9", _COUNT: "2"},
    "a number beyond the count": {_ADDRESSES: "127.0.0.1:9", _COUNT: "2", _NUMBER: "2"},
    "a number that is none": {_ADDRESSES: "127.0.0.1:9", _COUNT: "2", _NUMBER: "1\x1b[31m"},
    "very many": {_ADDRESSES: "127.0.0.1:9", _COUNT: "9" * 5000, _NUMBER: "0"},
    "no port": {_ADDRESSES: "127.0.0.1", _COUNT: "2", _NUMBER: "1"},
    "too many addresses": {_ADDRESSES: "a:1,b:2,c:3", _COUNT: "2", _NUMBER: "1"},
    "another backend": {_ADDRESSES: "127.0.0.1:9", _COUNT: "2", _NUMBER: "1", "KERAS_BACKEND": "tensorflow"},
    "nobody answers": {_ADDRESSES: "127.0.0.1:9", _COUNT: "2", _NUMBER: "1", "KERAS_BACKEND": "jax"},
    "no such host": {_ADDRESSES: "x" * 300 + ":9", _COUNT: "2", _NUMBER: "1", "KERAS_BACKEND": "jax"},
}


def setting_cases() -> Iterator[Case]:
    """Gives all cases of parameters, options and paths."""
    for key in keys_of(Params):
        for value in VALUES:
            yield Case("params", f"{key}: {value}", partial(_params_text, _nested(key, value)), "either")
    for name, text in _TEXTS.items():
        yield Case("params", name, partial(_params_text, text), "refused")
    for name, make in _PLACES.items():
        yield Case("params", f"params.yaml is {name}", partial(_params_place, make), "refused")
    for name, typed in OVERRIDES.items():
        yield Case("params", f"--set of {name}", partial(_words, [*SET, typed]), "refused")
    for option, words in OPTIONS.items():
        for number in NUMBERS:
            typed = [*words, f"{option.split()[-1]}={number}"]
            meant: Expected = "either" if number in ("1_000", "1e-400") else "refused"  # 1000 and 0
            yield Case("options", f"{option} {number!r}", partial(_words, typed), meant)
    for name, variables in HOSTS.items():
        words = ["train", "--set", "machine.hosts_wait=1"]
        yield Case("options", f"hosts: {name}", partial(_words, words), "refused", environment=variables)
    for command, rest in READS.items():
        for path in PATHS:
            if command == "export" and path.startswith(("/dev", "/proc")):
                continue  # a campaign run by root must not depend on its own success
            words = (
                [*command.split(), *rest, path]
                if rest[-1].startswith("--") and rest != ["--dry-run"]
                else [command, path, *rest]
            )
            expected: Expected = "either" if command == "export" else "refused"  # a folder may be called so
            yield Case("paths", f"{command} {path!r}"[:60], partial(_words, words), expected)


def _nested(key: str, value: str) -> str:
    words = key.split(".")
    return (
        "".join(f"{'  ' * i}{word}:\n" for i, word in enumerate(words[:-1]))
        + f"{'  ' * (len(words) - 1)}{words[-1]}: {value}\n"
    )


def _params_text(text: str, work: Path) -> list[str]:
    (work / "params.yaml").write_text(text)
    return ["predict", "--model", "tiny"]


def _params_place(make: Callable[[Path], object], work: Path) -> list[str]:
    make(work / "params.yaml")
    return ["predict", "--model", "tiny"]


def _words(words: list[str], work: Path) -> list[str]:
    os.mkfifo(work / "pipe")
    (work / "precious" / "photo.jpg").write_bytes((work / "datasets/raw/test_kaggle/0.jpg").read_bytes())
    return words


_LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)
)
_MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i}\n  <<: [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n  k{i}: 1\n" for i in range(1, 30)
)
_TEXTS = {
    "alias bomb": _LAUGHS,
    "merge bomb": _MERGES,
    "deep": "[" * 20_000,
    "deep map": "".join(" " * i + f"a{i}:\n" for i in range(2000)),
    "one alias often": "a: &a [1, 2, 3]\nb: [" + "*a, " * 5000 + "]",
    "one merge often": "a: &a {x: 1, y: 2}\n" + "".join(f"b{i}: {{<<: *a}}\n" for i in range(2500)),
    "many values": "[" + "1, " * 20_000 + "]",
    "a key often": "a: 1\n" * 10_000,
    "braces": "{" * 20_000,
    "questions": "? " * 30_000,
    "dashes": "- " * 30_000,
    "loop": "train: &x\n  backbone: *x\n",
    "tag": "train: !!python/object/apply:os.system ['touch escaped']\n",
    "two documents": "train: {}\n---\ntrain: {}\n",
    "a list": "- train\n",
    "a word": "train\n",
    "tabs": "train:\n\tepochs: 1\n",
    "key twice": "train: {epochs: 1}\ntrain: {epochs: 2}\n",
    "control characters": "train: {backbone: \x07}\n",
    "long line": "train: {backbone: " + "x" * 10**6 + "}\n",
}
_PLACES: dict[str, Callable[[Path], object]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": lambda path: os.mkfifo(path),
    "a link to a pipe": lambda path: (os.mkfifo(path.with_name("other")), path.symlink_to("other")),
    "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "a broken link": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to("params.yaml"),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a huge file": lambda path: _sparse(path, 2**33),
}


def _sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)
