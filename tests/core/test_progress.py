"""How far work is, where nobody sees a bar."""

import pytest

from fercomp.core import progress
from fercomp.core.progress import track


def test_without_a_terminal_each_tenth_is_a_line(capfd, monkeypatch):
    monkeypatch.setattr(progress, "_BETWEEN", 0.0)
    assert list(track(range(40), "counting", "number")) == list(range(40))
    lines = capfd.readouterr().err.splitlines()
    assert lines == [f"counting: {tenth}0 %, 0 s" for tenth in range(1, 10)]
    with track(range(3), "epoch 1", "batch") as bar:
        for i in range(3):
            bar.set_postfix(loss=f"{i}", refresh=False)
            bar.update()
    assert capfd.readouterr().err.splitlines() == ["epoch 1: 30 %, loss 0, 0 s", "epoch 1: 60 %, loss 1, 0 s"]


@pytest.mark.parametrize("between", [0.0, 100.0])
def test_short_work_and_work_of_unknown_length_have_no_line(capfd, monkeypatch, between):
    monkeypatch.setattr(progress, "_BETWEEN", between)
    assert list(track(iter("abc"), "reading", "letter")) == ["a", "b", "c"]
    assert sum(track(range(100) if between else [], "counting", "number")) in (0, 4950)
    assert capfd.readouterr().err == ""
