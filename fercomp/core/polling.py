"""The pace of questions that are asked until something has happened."""

import math
import time
from collections.abc import Iterator


def paced(pause: float, longest: float = 0.0, patience: float = math.inf) -> Iterator[None]:
    """Paces a loop: the first turn is at once, each further one after a pause.

        for _ in paced(2.0, longest=30.0, patience=1200.0):
            if is_scored():
                break

    Args:
        pause: Seconds of the first pause.
        longest: Each pause is half as long again as the one before, up to so many seconds.
        patience: Seconds after which the last turn begins.
    """
    end = time.monotonic() + patience
    while True:
        yield
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(pause, left))
        pause = max(pause, min(1.5 * pause, longest))
