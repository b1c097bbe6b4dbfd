"""The journal of a review: one line for each decision, on disk before it is answered for."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Any, Final, Self

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.files import append_whole, flush_folder, is_in_place
from fercomp.core.locks import locked
from fercomp.core.progress import say
from fercomp.core.reading import is_there, read_at_most
from fercomp.labels.steps import ReviewSteps

DROP: Final = "drop"
"""The decision that a photo is not to be learned from."""

_LARGEST: Final = 2**28
"""Bytes of a journal; a decision has some 120."""

_BEGINNING: Final = b'{"image_path": "'
_TORN: Final = re.compile(rb"[ -~]{,32768}")
"""What may stand in a torn line: a path of 4,096 bytes, as JSON in ASCII, has at most 24,576."""

_NO_DECISION: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading something else than a decision raises."""

Key = tuple[str, str]
"""A photo: its path and the SHA-1 of its bytes, so that a decision is never taken for another photo's."""


@dataclass(frozen=True)
class Verdict:
    """What a reviewer said of a photo.

    Attributes:
        image_path: The photo, as in table `PHOTOS`.
        sha1: Of its bytes.
        label: A class, `drop`, or `None` where an earlier decision is taken back.
        same_step: Whether it was made together with the decision before it, by one key.
    """

    image_path: str
    sha1: str
    label: str | None
    same_step: bool = False

    @property
    def key(self) -> Key:
        """What the decision is about."""
        return self.image_path, self.sha1


class Journal:
    """An append-only file of decisions that one process at a time may write.

    A line that was torn by a kill or a power cut is cut off when the journal is opened, and said; a decision
    that lacks its line end only is given one. A file that ends in something else is refused, and left as it
    is. What was answered for is never torn: `append` returns when the bytes are on disk.

    Args:
        path: The journal, made where it is missing.

    Attributes:
        steps: What was done; its `decided` are the decisions that hold: of each photo the last one, unless
            it was taken back.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps: ReviewSteps[Key] = ReviewSteps()
        self._file: FileIO | None = None
        self._held = ExitStack()

    @property
    def decided(self) -> dict[Key, str]:
        """The decisions that hold."""
        return self.steps.decided

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            lock = self.path.with_name(f".{self.path.name}.lock")
            busy = f"another `fercomp review` writes {self.path}: use its page, or end it with Ctrl-C"
            stack.enter_context(locked(lock, busy))
            is_there(self.path)  # a pipe would be read for ever
            try:
                file = stack.enter_context(self.path.open("a+b", buffering=0))
            except OSError as error:
                raise FercompError(f"cannot write {self.path}: {error.strerror}; make it writable") from error
            self.steps = ReviewSteps()
            _take(self.steps, self._repaired(file))
            self._held = stack.pop_all()
        self._file = file
        flush_folder(self.path.parent)
        return self

    def __exit__(self, *_: object) -> None:
        self._file = None
        self._held.close()

    def append(self, decisions: Iterable[Verdict]) -> None:
        """Writes decisions and waits until they are on disk. The first of them begins a step.

        Raises:
            FercompError: They could not be written; then none of them is in the journal.
        """
        if self._file is None:
            raise ValueError("the journal is not open")
        if not is_in_place(self._file, self.path):  # by git, or an editor
            raise FercompError(
                f"{self.path} was removed or replaced meanwhile, so nothing was decided: end `fercomp "
                "review` with Ctrl-C, and type it again"
            )
        decisions = [replace(each, same_step=each.same_step and i > 0) for i, each in enumerate(decisions)]
        try:
            append_whole(self._file, b"".join(_line(decision) for decision in decisions), durable=True)
        except OSError as error:
            raise FercompError(f"cannot write {self.path}: {error.strerror}; nothing was decided") from error
        _take(self.steps, decisions)

    def _repaired(self, file: FileIO) -> list[Verdict]:
        file.seek(0)
        data = file.read()
        whole = _whole(data)
        decisions = _parsed(whole, self.path)
        if len(whole) < len(data):
            file.truncate(len(whole))
            os.fsync(file.fileno())
            torn = data[len(whole) :].decode()
            say(f"{self.path} ended in a torn line of {len(torn)} bytes, which was cut off: {torn}")
        elif len(whole) > len(data):
            append_whole(file, b"\n", durable=True)
        return decisions


def read_decisions(path: Path) -> dict[Key, str]:
    """Returns the decisions that hold, none where there is no journal; a torn last line is left out.

    Raises:
        FercompError: The file is not a journal.
    """
    if not is_there(path):
        return {}
    steps: ReviewSteps[Key] = ReviewSteps()
    _take(steps, _parsed(_whole(read_at_most(path, _LARGEST)), path))
    return steps.decided


def _whole(data: bytes) -> bytes:
    """Returns the lines of a journal without a torn last one; another that lacks its line end has it."""
    end = data.rfind(b"\n") + 1
    return data[:end] if _is_torn(data[end:]) else data + b"\n"


def _is_torn(line: bytes) -> bool:
    """Says whether a last line can be the beginning of one decision as `_line` writes it, or is empty."""
    begun = line.startswith(_BEGINNING) or _BEGINNING.startswith(line)
    if not begun or line.count(_BEGINNING) > 1 or not _TORN.fullmatch(line):
        return False
    try:
        json.JSONDecoder().raw_decode(line.decode())
    except (ValueError, RecursionError):
        return True
    return False  # a whole decision, whatever comes after it


def _parsed(data: bytes, path: Path) -> list[Verdict]:
    decisions = []
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            decisions.append(_decision(json.loads(line)))
        except _NO_DECISION as error:
            raise FercompError(
                f"{path}, line {number} is not a decision: expected one as `fercomp review` writes it, with "
                "\\n at its end; mend the line, take it out, or move the file away"
            ) from error
    return decisions


def _decision(value: Mapping[str, Any]) -> Verdict:
    decision = Verdict(value["image_path"], value["sha1"], value["label"], value.get("same_step", False))
    if not (isinstance(decision.image_path, str) and isinstance(decision.sha1, str)):
        raise TypeError("text was expected")
    if type(decision.same_step) is not bool:
        raise TypeError("true or false was expected")
    if decision.label not in (*EMOTIONS, DROP, None):
        raise ValueError("unknown label")
    return decision


def _line(decision: Verdict) -> bytes:
    value = {"image_path": decision.image_path, "sha1": decision.sha1, "label": decision.label}
    together = {"same_step": True} if decision.same_step else {}
    return json.dumps(value | together).encode() + b"\n"


def _take(steps: ReviewSteps[Key], decisions: Iterable[Verdict]) -> None:
    step: list[tuple[Key, str | None]] = []
    for decision in decisions:
        if not decision.same_step:
            steps.take(step)
            step = []
        step.append((decision.key, decision.label))
    steps.take(step)
