"""Memory that is freed stays with the process, since a training asks for the same again in every step.

Otherwise it goes back to the system, which clears each page anew: a third of the processor time of a training
(`benchmarks/on_processor.py`). With TensorFlow's own pool, `TF_CPU_ALLOCATOR_USE_BFC`, the largest backbone
took 18 GB instead of 14.6.
"""

import ctypes
import sys
from typing import Final

# From glibc's malloc.h. The threshold is the largest that it takes.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_SETTINGS: Final = {_TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 2**28, _MMAP_THRESHOLD: 2**25}


def keep_freed_memory() -> bool:
    """Asks the C library to keep what is freed; returns False where it is not glibc, which alone is asked."""
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # not in musl
    return mallopt is not None and all(mallopt(setting, value) for setting, value in _SETTINGS.items())
