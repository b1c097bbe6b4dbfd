"""Times in words, and when they are said."""

import time

import pytest

from fercomp.core.timing import duration, say_duration, seconds_each, sleepless


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3_590, "1 h"),
        (3_700, "1 h 2 min"),
        (12_000, "3 h 20 min"),
        (36_000 - 1, "10 h"),
        (50_000, "14 h"),
        (86_400, "1 day"),
        (200_000, "2 days 8 h"),
    ],
)
def test_times_in_words(seconds, words):
    assert duration(seconds) == words


def test_what_is_short_is_not_said_and_of_what_is_long_what_else_would_do(capfd):
    say_duration("training", 59, gpu=False, instead="a GPU")
    assert capfd.readouterr().err == ""
    say_duration("training", 3_500, gpu=False, instead="a GPU")
    assert capfd.readouterr().err == "training: about 58 min on this CPU\n"
    say_duration("training", 36_000, gpu=True, instead="a GPU")
    assert capfd.readouterr().err == "training: about 10 h on this GPU\n"
    say_duration("training", 36_000, gpu=False, instead="a GPU")
    assert capfd.readouterr().err.splitlines()[1:] == ["in less time: a GPU"]


def test_the_first_call_is_not_timed():
    waits = iter((0.5, 0.01, 0.01))
    assert 0.01 <= seconds_each(lambda: time.sleep(next(waits))) < 0.3


@pytest.mark.parametrize("clock", ["CLOCK_BOOTTIME", "CLOCK_MONOTONIC"])
def test_a_clock_goes_on_while_the_computer_sleeps(clock, monkeypatch):
    if not hasattr(time, "CLOCK_BOOTTIME"):
        pytest.skip("only Linux has both clocks")
    if clock == "CLOCK_MONOTONIC":  # as on macOS
        monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    asked = []
    monkeypatch.setattr(time, "clock_gettime", lambda number: asked.append(number) or 7.0)
    assert (sleepless(), asked) == (7.0, [getattr(time, clock)])
