"""Threads for work on many pictures at once."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

import cv2

from fercomp.core.parallel import thread_pool


@contextmanager
def workers(threads: int) -> Iterator[Executor]:
    """Gives threads that work on a picture each; on leaving early, what has not begun is dropped."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)  # a picture on each core is faster than each picture on all cores
    try:
        with thread_pool(threads) as pool:
            yield pool
    finally:
        cv2.setNumThreads(before)
