import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fercomp.core.parallel import in_order


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
