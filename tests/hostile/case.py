"""What a hostile case is, and what may come of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Outcome = Literal["clear", "wrong", "traceback", "hang", "crash", "lost", "escape"]

OUTCOMES: tuple[Outcome, ...] = ("clear", "wrong", "traceback", "hang", "crash", "lost", "escape")
"""What came of a case, `clear` first:

- clear: done, or refused in one line that says why
- wrong: accepted in silence what should be refused, refused without a word, or gave up other work for it
- traceback: an error that nobody has thought of
- hang: no end within the time allowed
- crash: the process was ended by a signal
- lost: a file that was there before is gone or changed
- escape: a file outside of the folder, or control characters on the terminal
"""

Expected = Literal["refused", "done", "either"]


@dataclass(frozen=True)
class Case:
    """One hostile input.

    Attributes:
        area: The part of fercomp that it is aimed at.
        name: What is hostile about it.
        build: Writes the input into a folder, which holds a copy of the base workspace, and returns the words
            to type after `fercomp`.
        expected: `refused`: an exit code that is not 0, and an error line. `done`: exit code 0. `either`: one
            of the two, but no silence.
        check: Looks at the folder afterwards and returns what is wrong, or nothing.
        environment: Variables that are set.
    """

    area: str
    name: str
    build: Callable[[Path], list[str]]
    expected: Expected = "either"
    check: Callable[[Path], str] = lambda folder: ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What came of a case.

    Attributes:
        case: The case.
        outcome: What came of it.
        why: What was seen.
    """

    case: Case
    outcome: Outcome
    why: str
