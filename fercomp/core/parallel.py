"""Work on several threads with little in memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, Final, Self, TypeVar

A = TypeVar("A")
B = TypeVar("B")

_LOOK_UP: Final = 0.1
"""Seconds after which a waiting stage looks whether all is over; an item is passed on at once."""


_most: int | None = None


def limit_threads(most: int | None) -> None:
    """Sets how many threads any work of this process may have from now on (`machine.workers`).

    Args:
        most: At least 1; `None` for no limit.
    """
    global _most
    _most = most


def thread_limit() -> int | None:
    """Returns what `limit_threads` set."""
    return _most


def threads(wanted: int | None = None) -> int:
    """Returns how many threads to start: as many as wanted, or one for each core, within `limit_threads`."""
    wanted = wanted or os.cpu_count() or 1
    return wanted if _most is None else min(wanted, _most)


@contextmanager
def thread_pool(n: int) -> Iterator[ThreadPoolExecutor]:
    """Gives n threads; on leaving early, as after Ctrl-C, what has not begun is dropped."""
    pool = ThreadPoolExecutor(n)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def in_order(
    pool: Executor,
    function: Callable[[A], B],
    items: Iterable[A],
    ahead: int,
    weigh: Callable[[A], int] | None = None,
    most: int = 0,
) -> Iterator[B]:
    """Maps in a pool, in order, a few items ahead: `Executor.map` would take all of them at once.

    Args:
        pool: Where `function` runs.
        function: What is done with each item.
        items: Taken as results are taken.
        ahead: How many items may be in work or wait for their result to be taken.
        weigh: Says how many bytes an item takes in work and as a result.
        most: How many bytes may be taken at once; an item that takes more has no other beside it.

    Yields:
        The results in the order of the items.
    """
    waiting: deque[tuple[Future[B], int]] = deque()
    taken = 0

    def first() -> B:
        nonlocal taken
        future, freed = waiting.popleft()
        taken -= freed
        return future.result()

    for item in items:
        bytes_ = weigh(item) if weigh else 0
        while waiting and taken + bytes_ > most > 0:
            yield first()
        waiting.append((pool.submit(function, item), bytes_))
        taken += bytes_
        del item
        if len(waiting) > ahead:
            yield first()
    while waiting:
        yield first()


class Stages:
    """Stages of a stream of work that run at once, each in a thread of its own.

    A stage is an iterator that takes from the stage before. Between two stages lie a few items at most, so
    memory does not grow with the stream. An error in a stage is raised where its results are taken. Leaving
    the block ends all threads: after the last item, after an error, and on Ctrl-C alike.

    Args:
        size: Items that may lie between two stages.
    """

    _END: Final = object()

    def __init__(self, size: int) -> None:
        self._size = size
        self._stop = Event()
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def ahead(self, items: Iterable[A]) -> Iterator[A]:
        """Starts to take items in a new thread.

        Args:
            items: A stage, which only the new thread will touch.

        Returns:
            The same items in the same order.
        """
        lane: Queue[tuple[Any, BaseException | None]] = Queue(self._size)
        # A daemon, so that a call that never comes back cannot keep the program from ending.
        thread = Thread(target=self._work, args=(items, lane), daemon=True)
        self._threads.append(thread)
        thread.start()
        return self._results(lane)

    def _work(self, items: Iterable[A], lane: "Queue[tuple[Any, BaseException | None]]") -> None:
        last: tuple[Any, BaseException | None] = (self._END, None)
        try:
            for item in items:
                if not self._put(lane, (item, None)):
                    return
        # Whatever it is, it is raised again where somebody waits for this stage.
        except BaseException as error:
            last = (None, error)
        self._put(lane, last)

    def _put(self, lane: Queue[Any], item: object) -> bool:
        while not self._stop.is_set():
            try:
                lane.put(item, timeout=_LOOK_UP)
                return True
            except Full:
                continue
        return False

    def _results(self, lane: "Queue[tuple[Any, BaseException | None]]") -> Iterator[Any]:
        while not self._stop.is_set():
            try:
                item, error = lane.get(timeout=_LOOK_UP)
            except Empty:
                continue
            if error is not None:
                raise error
            if item is self._END:
                return
            yield item
