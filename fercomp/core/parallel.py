"""Work on several threads with little in memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def in_order(pool: Executor, function: Callable[[A], B], items: Iterable[A], ahead: int) -> Iterator[B]:
    """Maps in a pool, in order, a few items ahead: `Executor.map` would take all of them at once.

    Args:
        pool: Where `function` runs.
        function: What is done with each item.
        items: Taken as results are taken.
        ahead: How many items may be in work or wait for their result to be taken.

    Yields:
        The results in the order of the items.
    """
    waiting: deque[Future[B]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
