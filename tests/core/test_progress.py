"""How far work is, where nobody sees a bar."""

import io
import sys
import time

import pytest

from fercomp.core import progress
from fercomp.core.progress import count_done, track


def test_without_a_terminal_each_tenth_is_a_line(capfd, monkeypatch):
    monkeypatch.setattr(progress, "_BETWEEN", 0.0)
    assert list(track(range(40), "counting", "number")) == list(range(40))
    lines = capfd.readouterr().err.splitlines()
    assert lines == [f"counting: {tenth}0 %, after 0 s" for tenth in range(1, 10)]
    with track(range(3), "epoch 1", "batch") as bar:
        for i in range(3):
            bar.set_postfix(loss=f"{i}", refresh=False)
            bar.update()
    assert capfd.readouterr().err.splitlines() == [
        "epoch 1: 30 %, loss 0, after 0 s",
        "epoch 1: 60 %, loss 1, after 0 s",
    ]


@pytest.mark.parametrize("between", [0.0, 100.0])
def test_short_work_and_work_of_unknown_length_have_no_line(capfd, monkeypatch, between):
    monkeypatch.setattr(progress, "_BETWEEN", between)
    assert list(track(iter("abc"), "reading", "letter")) == ["a", "b", "c"]
    numbers = range(100) if between else []
    assert list(track(numbers, "counting", "number")) == list(numbers)
    assert capfd.readouterr().err == ""


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_there_at_once_and_its_first_item_is_left_out_of_the_estimate(monkeypatch):
    monkeypatch.setattr(sys, "stderr", screen := _Screen())
    with track(range(100), "classifying", "batch", at_once=True) as bar:
        assert "0/100 batches" in screen.getvalue()
        time.sleep(0.5)
        count_done(bar, 10, is_first=True)
        assert bar.format_dict["elapsed"] < 0.25 and bar.n == 10
        time.sleep(0.11)
        count_done(bar, 10, is_first=False)
        assert bar.format_dict["rate"] > 40  # all time counted, it would be 33 at the most
    assert "20/100 batches [" in screen.getvalue()
