"""Threads for work on many pictures at once."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

import cv2


@contextmanager
def workers(threads: int) -> Iterator[Executor]:
    """Gives threads that work on a picture each; on leaving early, what has not begun is dropped."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)  # a picture on each core is faster than each picture on all cores
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(before)
