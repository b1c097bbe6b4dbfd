"""What reaches a terminal: text without control characters, whatever is in names, cards and servers' answers.

An escape sequence in a file's name could clear the screen, change its title or write what looks like an
answer of ours. `escaped` writes such characters as Python does in a literal; `guarded` holds for all that a
command prints, `show` for its tables. Bars and colours of our own go past the guard.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

_OBEYED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline; \x9b is \x1b[ in one
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # they turn the direction: `gpj.exe` looks like `exe.jpg`
    "\u2028\u2029\ufff9-\ufffb\ud800-\udfff]"  # ends of lines, notes, bytes that are no UTF-8
)
_OBEYED_IN_A_LINE: Final = re.compile(f"{_OBEYED.pattern}|[\t\n]")

LONGEST_WORD: Final = 400
"""Characters without a space that are shown of a message: a long path, not a value of megabytes."""

LONGEST_LINE: Final = 2_000
"""Characters of a message."""

_LEFT_OUT: Final = "[...]"


def escaped(text: str) -> str:
    r"""Writes control characters of a text as they are written in Python.

    Args:
        text: One line; a newline in it is none of ours.

    Returns:
        The text on one line, such as `a\x1b[2Jb` for a name that would clear the screen.

    Example:
        >>> escaped("a\x1b[2Jb\n")
        'a\\x1b[2Jb\\n'
    """
    return _OBEYED_IN_A_LINE.sub(_literal, text)


def one_line(text: str) -> str:
    """Makes a line of a message: escaped, and without the middle of what is too long to be read.

    A name, a header or a value that is quoted in it may have come from anywhere and have megabytes. Its
    beginning and its end stay, and so do those of the message, where the mistake and the remedy are named.

    Args:
        text: The message.

    Returns:
        At most `LONGEST_LINE` characters, of each word at most `LONGEST_WORD`.

    Example:
        >>> len(one_line(f"{'x' * 10**7} not found: name another"))
        424
    """
    if len(text) <= LONGEST_WORD:
        return escaped(text)
    words = re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda word: _ends(word[0], LONGEST_WORD), escaped(text))
    return _ends(words, LONGEST_LINE)


def _ends(text: str, most: int) -> str:
    end = most // 3
    return text if len(text) <= most else text[: most - end - len(_LEFT_OUT)] + _LEFT_OUT + text[-end:]


def _escaped_lines(text: str) -> str:
    return _OBEYED.sub(_literal, text)


def _literal(found: "re.Match[str]") -> str:
    return ascii(found[0])[1:-1]


class _Guarded:
    """A text stream that lets no control character through but tab and newline.

    It says that it is no terminal, so that libraries draw neither bars nor colours on it, and it has no
    `buffer`, which click would write to.
    """

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    def write(self, text: str) -> int:
        self.raw.write(_escaped_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def isatty(self) -> bool:
        return False

    def close(self) -> None:
        """Leaves the stream open: a library's log handler that was made here closes what it has at exit."""

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self.raw, name)


@contextmanager
def guarded() -> Iterator[None]:
    """Keeps control characters out of what is printed to stdout and stderr in the block, by whomever."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_Guarded(raw(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def raw(stream: TextIO) -> TextIO:
    """Returns the stream behind a guard: for bars and colours of our own, whose texts are `escaped`."""
    return stream.raw if isinstance(stream, _Guarded) else stream


def show(table: "RenderableType") -> None:
    """Prints a table to stdout. What its cells say is text: neither markup nor names of emoji."""
    console().print(_Plain(table))


def console() -> "Console":
    """Returns a console on stdout that takes text for text; `show` prints tables on one."""
    from rich.console import Console

    return Console(file=raw(sys.stdout), markup=False, emoji=False)


def show_markdown(text: str) -> None:
    """Prints Markdown to stdout: laid out on a terminal, as it is written elsewhere."""
    from rich.markdown import Markdown

    screen = console()
    if screen.is_terminal:
        show(Markdown(text, hyperlinks=False))
    else:
        sys.stdout.write(text)


class _Plain:
    """Something that rich draws, without control characters in its texts."""

    def __init__(self, drawn: "RenderableType") -> None:
        self._drawn = drawn

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[Segment]":
        from rich.segment import Segment

        for segment in console.render(self._drawn, options):
            text = segment.text if segment.control else _escaped_lines(segment.text)
            yield Segment(text, segment.style, segment.control)


def show_bug(kind: Any, error: Any, trace: Any) -> None:
    """Prints a traceback, as `sys.excepthook` does, without control characters."""
    with guarded():
        sys.__excepthook__(kind, error, trace)


def use_what_there_is() -> None:
    """Lets stdout write what its encoding lacks as escapes, as stderr does anyway, and not fail.

    Where there is none of them, as in a service, what is said goes nowhere.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - while we run
    if hasattr(sys.stdout, "reconfigure"):
        with suppress(OSError):  # a stream that was exchanged below Python keeps its ways
            sys.stdout.reconfigure(errors="backslashreplace")
