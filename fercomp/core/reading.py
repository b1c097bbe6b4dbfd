"""Small files that may come from anywhere: what is no file, too large, or no JSON or YAML, is told."""

import json
import os
import re
import stat
import warnings
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any, Final, Never

from fercomp.core.errors import FercompError

LARGEST_YAML: Final = 2**16
"""Bytes. Ours have 5,000, and the parser takes seconds for a megabyte of nothing."""

_MOST_NODES: Final = 5_000
"""Values and keys of a YAML text, each counted as often as an alias repeats it. Ours has some 200."""

_DEEPEST: Final = 50
"""Values inside values of a YAML text."""

_NUMBERS: Final = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_LONGEST_NUMBER: Final = 100
"""Characters of a number in a YAML text: Python refuses to write one of 4,300 digits, even in an error."""


def is_there(path: Path) -> bool:
    """Says whether there is a file, and tells of what is in its place: reading a pipe may never end.

    Raises:
        FercompError: A folder, a pipe, a device or a link to nothing has its name, or it cannot be asked for.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if not path.is_symlink():
            return False
        raise FercompError(f"{path} is a link that leads nowhere: mend it, or remove it") from error
    except (OSError, ValueError) as error:  # a link to itself, a folder that may not be entered, a NUL
        why = getattr(error, "strerror", None) or error
        raise FercompError(f"cannot read {path}: {why}; look at its place") from error
    if stat.S_ISREG(mode):
        return True
    what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
    raise FercompError(f"{path} is {what}, a file was expected: move it away")


def read_at_most(path: Path, most: int) -> bytes:
    """Reads a small file that may come from anywhere.

    Args:
        path: The file.
        most: How many bytes it may have.

    Raises:
        FercompError: It cannot be read, is something else than a file, or is larger.
    """
    if not is_there(path):
        raise FercompError(f"{path} not found")
    try:
        with path.open("rb") as file:
            # Python takes as much memory as it is told to read; what is no disk file says it has no size.
            data = file.read(min(most, os.fstat(file.fileno()).st_size or most) + 1)
    except OSError as error:
        raise FercompError(f"cannot read {path}: {error.strerror}; change its permissions") from error
    if len(data) > most:
        raise FercompError(f"{path} has more than {most:,} bytes: no such file of ours is that large")
    return data


def read_json(path: Path, most: int, remedy: str) -> dict[str, Any]:
    """Reads a JSON object of ours that may come from anywhere.

    Args:
        path: The file, which is there.
        most: How many bytes it may have.
        remedy: What a user does where it is damaged.

    Raises:
        FercompError: It is not one, or holds a number that JSON does not have.
    """

    def refuse(constant: str) -> Never:
        raise ValueError(f"{constant} is no number of JSON")

    try:
        values = json.loads(read_at_most(path, most), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise FercompError(f"{path} is damaged ({error}): {remedy}") from error
    if not isinstance(values, dict):
        raise FercompError(f"{path} is damaged (it holds {type(values).__name__}): {remedy}")
    return values


def parse_yaml(text: str | bytes, place: str) -> Any:
    """Reads YAML as plain values.

    Args:
        text: A few thousand values at most; a few lines of aliases of aliases would be as many as stars.
        place: Where it stands, for an error.

    Raises:
        FercompError: It is not YAML, has too many values, or one that holds itself.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.composer import Composer
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import AliasEvent

    class Bounded(Composer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.sizes: dict[int, int] = {}

        def compose_node(self, parent: Any, index: Any) -> Any:
            repeated = self.parser.check_event(AliasEvent)
            node = super().compose_node(parent, index)
            if node.tag in _NUMBERS and len(node.value) > _LONGEST_NUMBER:
                raise ValueError(f"a number of {len(node.value):,} characters")
            if not repeated:
                values = node.value if node.id == "sequence" else ()
                values = chain(*node.value) if node.id == "mapping" else values
                self.sizes[id(node)] = 1 + sum(self.sizes[id(value)] for value in values)
            if max(len(self.sizes), self.sizes.get(id(node), inf)) > _MOST_NODES:
                raise ValueError(f"more than {_MOST_NODES:,} values, or one that holds itself")
            return node

    try:
        parser = YAML(typ="safe", pure=True)
        parser.Composer = Bounded
        parser.max_depth = _DEEPEST
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # an anchor that stands twice
            return parser.load(text)
    # Wrong UTF-8 and impossible dates come as ValueError, endless brackets as RecursionError, `!!bool x` as
    # KeyError, `!!int x` as others.
    except (YAMLError, ValueError, KeyError, TypeError, AttributeError, RecursionError, Warning) as error:
        why = " ".join(str(error).split())
        if "max_depth" in why:
            why = f"more than {_DEEPEST} brackets within each other"
        raise FercompError(f"{place} is not YAML: {why}") from error


def first_problem(error: ValueError) -> str:
    """Returns the first thing that pydantic has found wrong, after its place; the text of any other error."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {in_plain(first['msg'])}"


def in_plain(problem: str) -> str:
    """Returns what pydantic says of a value in plain words.

    Examples:
        >>> in_plain("Input should be a valid integer, unable to parse string as an integer")
        'should be a valid integer'
        >>> in_plain("Input should be a valid dictionary or instance of TrainParams")
        'should be names with their values'
    """
    problem = re.sub("^(Value error, |Input |Tuple )|, unable to parse.*$| after validation", "", problem)
    return re.sub(r"a valid dictionary( or instance of \w+)?$", "names with their values", problem)
