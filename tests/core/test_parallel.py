import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fercomp.core.isolated import isolated
from fercomp.core.parallel import Stages, in_order, limit_threads, threads


def test_no_work_has_more_threads_than_the_machine_can_bear():
    assert threads() == (os.cpu_count() or 1)
    assert threads(4) == 4
    try:
        limit_threads(1)
        assert (threads(), threads(4), isolated(threads, 4)) == (1, 1, 1)
        limit_threads(3)
        assert threads(2) == 2
    finally:
        limit_threads(None)


def test_in_order_keeps_the_order_and_few_items():
    taken = []

    def items():
        for i in range(50):
            taken.append(i)
            yield i

    with ThreadPoolExecutor(4) as pool:
        results = []
        for result in in_order(pool, lambda i: time.sleep(0.001 * (i % 3)) or i * i, items(), ahead=5):
            results.append(result)
            assert len(taken) <= len(results) + 5
    assert results == [i * i for i in range(50)]


def test_in_order_works_at_once():
    meeting = threading.Barrier(3, timeout=10)
    with ThreadPoolExecutor(3) as pool:
        assert len(list(in_order(pool, lambda _: meeting.wait(), range(6), ahead=3))) == 6


def test_in_order_passes_on_what_fails():
    with ThreadPoolExecutor(2) as pool, pytest.raises(ZeroDivisionError):
        list(in_order(pool, lambda i: 1 / (3 - i), range(9), ahead=2))


def test_stages_keep_the_order_and_run_at_once():
    meet = threading.Barrier(2, timeout=10)

    def meeting(items, at):
        for item in items:
            if item == at:
                meet.wait()  # passes only while the other stage is at work
            yield item

    with Stages(2) as stages:
        last = stages.ahead(meeting(stages.ahead(meeting(range(100), at=5)), at=3))
        assert list(last) == list(range(100))


def test_few_items_lie_between_stages():
    given = []

    def items():
        for i in range(1000):
            given.append(i)
            yield i

    with Stages(3) as stages:
        results = stages.ahead(stages.ahead(items()))
        for i in results:
            assert len(given) <= i + 10
            if i == 50:
                break
            time.sleep(0.001)


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_an_error_in_any_stage_is_raised_at_the_end_and_nothing_hangs(stage):
    def failing(items, fails):
        for item in items:
            if fails and item == 20:
                raise ZeroDivisionError(f"stage {stage}")
            yield item

    before = threading.active_count()
    got = []
    with pytest.raises(ZeroDivisionError, match=f"stage {stage}"), Stages(2) as stages:
        lane = stages.ahead(failing(range(1000), stage == 0))
        for i in (1, 2):
            lane = stages.ahead(failing(lane, stage == i))
        got.extend(lane)
    assert got == list(range(20))
    assert threading.active_count() == before


def test_leaving_early_ends_the_threads():
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), Stages(2) as stages:
        for i in stages.ahead(x for x in stages.ahead(iter(int, 1))):
            assert i == 0
            raise KeyboardInterrupt
    assert threading.active_count() == before


class Watched(ThreadPoolExecutor):
    """Notes what all that was handed in and not yet taken out weighs, each time something is handed in."""

    def __init__(self):
        super().__init__(2)
        self.inside, self.loads = [], []

    def submit(self, function, item):
        self.inside.append(item)
        self.loads.append(list(self.inside))
        return super().submit(function, item)


@pytest.mark.parametrize("ahead", [1, 4, 20])
def test_items_in_work_are_bounded_by_what_they_weigh(ahead):
    weights = [1, 1, 50, 60, 200, 1, 30, 30, 30, 30, 101, 1, 1, 100, 99, 2]
    with Watched() as pool:
        for got, expected in zip(
            in_order(pool, lambda n: n, weights, ahead, lambda n: n, 100), weights, strict=True
        ):
            assert got == expected
            pool.inside.pop(0)
    assert all(sum(load) <= 100 or len(load) == 1 for load in pool.loads)
    assert max(len(load) for load in pool.loads) == min(ahead + 1, 4)
    assert {load[0] for load in pool.loads if len(load) == 1} >= {200, 101}
