"""Freed memory stays with the process that trains."""

import subprocess
import sys

import pytest

PROBE = """
import resource, sys
from fercomp.modeling.backend.memory import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    [b"x" * 2**24 for _ in range(6)]  # 4,096 pages each
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is asked")
def test_pages_that_were_freed_are_not_cleared_anew():
    def faults(way: str) -> int:
        done = subprocess.run([sys.executable, "-c", PROBE, way], capture_output=True, text=True, check=True)
        return int(done.stdout)

    assert faults("kept") < 2 * 6 * 4096 < faults("given back")
