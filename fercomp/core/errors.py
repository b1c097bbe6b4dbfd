"""The one exception a user is meant to read.

`FercompError` is shown by the command line as a single red line with exit code 1. Its text says what
was expected, what was received and what to do next. Everything else is a bug and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class FercompError(Exception):
    """A mistake or a condition outside the program, told in one line that says what to do."""


def last_line(error: BaseException) -> str:
    """Returns the last line of what another package says of its error, or the name of its class."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip()


def in_brief(error: BaseException, most: int = 200) -> str:
    """Returns what another package says of its error on one line, cut off after so many characters."""
    return " ".join(str(error).split())[:most]


def unknown_name(
    kind: str, name: str, known: Iterable[str], shown: Iterable[str] | None = None
) -> FercompError:
    """Builds the error for a name that is not in a list, with its nearest matches first.

    Args:
        kind: What the name stands for, such as `"backbone"`.
        name: The name received.
        known: All names that would have been accepted.
        shown: What stands for them where none is near; by default all.

    Returns:
        The error, to be raised by the caller.
    """
    names, typed = sorted(known), name.lower()
    near = get_close_matches(typed, names, n=5, cutoff=0.5)
    if not near and typed:  # a part of long names is not near to any
        near = [longer for longer in names if typed in longer][:5]
    rest = ", ".join(names if shown is None else shown)
    offer = f"did you mean {', '.join(near)}?" if near else f"known: {rest or 'none'}"
    return FercompError(f"unknown {kind} {name!r}: {offer}")
