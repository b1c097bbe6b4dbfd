"""The pace of questions that are asked until something has happened."""

import itertools

import pytest

from fercomp.core import polling as module


@pytest.fixture
def slept(monkeypatch):
    """What was slept, by a clock that does nothing else."""
    pauses = []

    class Clock:
        sleep = staticmethod(pauses.append)
        monotonic = staticmethod(lambda: sum(pauses))

    monkeypatch.setattr(module, "time", Clock)
    return pauses


def test_pauses_grow_up_to_the_longest(slept):
    assert len(list(itertools.islice(module.paced(2.0, longest=8.0), 7))) == 7
    assert slept == [2.0, 3.0, 4.5, 6.75, 8.0, 8.0]


def test_the_last_look_is_when_patience_ends(slept):
    assert len(list(module.paced(3.0, patience=7.0))) == 4
    assert slept == [3.0, 3.0, 1.0]
    assert len(list(module.paced(3.0, patience=0.0))) == 1
