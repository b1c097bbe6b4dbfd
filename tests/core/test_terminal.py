"""Whatever is in names, cards and answers: nothing that a terminal would obey is printed."""

import io
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.core.progress import say, track, waiting
from fercomp.core.terminal import (
    LONGEST_LINE,
    LONGEST_WORD,
    escaped,
    guarded,
    one_line,
    raw,
    show,
    show_bug,
    use_what_there_is,
)

HOSTILE = [
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;aGk=\x07",
    "\x9b31mred",
    "\x1bc",
    "a\rerror",
    "a\nerror: b",
    "a\x08\x08b",
    "\x00",
    "\x7f",
    "\x85",
    "\u2028next",
    "gpj\u202eexe",
    "\u2066\u2069",
    "\udcff\udc80",
    "\ud83d",
]
MARKUP = ["[red]", "[/red]", "[link=http://evil.example]x[/link]", ":smile:", "[bold", "\\[", "[/]"]
FINE = ["a b.jpg", "naïve joy", "радость", "悲しみ", "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{GIRL}", "[x]", ""]


def obeyed(text: str) -> set[str]:
    """The characters of a text that a terminal would obey, or that turn what follows."""
    turning = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cs") or c in turning} - {"\n"}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_a_terminal_would_obey_is_written_as_in_python(text):
    shown = escaped(text)
    assert obeyed(shown) == set() and "\n" not in shown
    assert shown == ascii(text)[1:-1].replace("\\\\", "\\")


@pytest.mark.parametrize("text", FINE + MARKUP, ids=ascii)
def test_other_text_stays_what_it_is(text):
    assert escaped(text) == text


@given(st.text(st.characters()))
def test_any_text_is_printable_on_one_line(text):
    shown = escaped(text)
    assert obeyed(shown) == set() and "\n" not in shown
    shown.encode("utf-8")
    assert escaped(shown) == shown


@pytest.mark.parametrize(
    "value", ["x" * 10**7, "\n" * 10**6, "\x1b[2J" * 10**5, "a b " * 10**6, "'x', " * 10**5]
)
def test_a_message_keeps_its_beginning_and_its_end(value):
    shown = one_line(f"error: unknown model {value!r}: train one")
    assert len(shown) <= LONGEST_LINE
    assert shown.startswith("error: unknown model ") and shown.endswith(": train one")
    assert "[...]" in shown
    assert one_line(shown) == shown


@given(st.lists(st.text(st.characters(), max_size=5).map(lambda piece: piece * 200)).map(" ".join))
def test_any_message_is_short_and_on_one_line(text):
    shown = one_line(text)
    assert len(shown) <= LONGEST_LINE and max(map(len, shown.split(" "))) <= LONGEST_LINE
    assert obeyed(shown) == set() and "\n" not in shown


@pytest.mark.parametrize("text", [*FINE, "x" * LONGEST_WORD, "word " * (LONGEST_LINE // 5)])
def test_a_message_that_can_be_read_stays_as_it_is(text):
    assert one_line(text) == text


@pytest.mark.parametrize("text", HOSTILE + MARKUP + FINE, ids=ascii)
def test_every_way_to_the_terminal_is_guarded(text, capsys):
    from rich.table import Table

    table = Table(title=text)
    table.add_column(text)
    table.add_row(text)
    with guarded():
        sys.stdout.write(text + "\n")
        sys.stdout.writelines([text, "\n"])
        sys.stderr.write(text + "\n")
        say(text)
        show(table)
        show(text)
    for _ in track([1], text, "thing"):
        pass
    with waiting(text):
        pass
    out, err = capsys.readouterr()
    assert obeyed(out) == obeyed(err) == set()
    if text in MARKUP:
        assert out.count(text) >= 4 and err.count(text) >= 2


def test_a_traceback_has_no_control_characters(capsys):
    try:
        raise ValueError("\x1b[2J\r bad \udcff")
    except ValueError as error:
        show_bug(type(error), error, error.__traceback__)
    err = capsys.readouterr().err
    assert obeyed(err) == set()
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith("ValueError: \\x1b[2J\\r bad \\udcff\n")


def test_the_guard_is_taken_away_whatever_happens():
    before = sys.stdout, sys.stderr
    with pytest.raises(ZeroDivisionError), guarded():
        assert sys.stdout is not before[0]
        assert raw(sys.stdout) is before[0]
        assert not sys.stdout.isatty()
        with guarded():  # a command within a command
            assert raw(sys.stderr) is before[1]
        raise ZeroDivisionError
    assert (sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_an_encoding_lacks_is_escaped(monkeypatch, encoding):
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", screen)
    use_what_there_is()
    with guarded():
        sys.stdout.write("\u00e9 \u60b2\u3057\u307f")
        show("\u00e9 \u60b2\u3057\u307f")
    screen.flush()
    shown = screen.buffer.getvalue().decode(encoding)
    assert ascii("\u00e9 \u60b2")[1:-1] in ascii(shown).replace("\\\\", "\\")


def test_without_a_terminal_or_file_what_is_said_goes_nowhere(monkeypatch):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    use_what_there_is()
    with guarded():
        sys.stdout.write("said")
        sys.stderr.write("said")
        show("said")


def test_bars_and_colours_of_our_own_go_past_the_guard(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with guarded():
        for _ in track(range(3), "evil \x1b[2J", "thing"):
            import time

            time.sleep(0.4)
    drawn = screen.getvalue()
    assert "evil \\x1b[2J" in drawn and "\r" in drawn
    assert "\x1b[2J" not in drawn
