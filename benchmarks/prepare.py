"""Compares `prepare` with nothing but decoding the same photos.

Usage: python benchmarks/prepare.py datasets/raw
"""

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fercomp.core.params import PrepareParams
from fercomp.data.competition_files import photos_on_disk
from fercomp.media.images import read_image
from fercomp.stages.prepare import prepare


def seconds_to_decode(paths: Sequence[Path], threads: int) -> float:
    """Times reading and decoding all photos."""
    batches = [paths[start : start + 32] for start in range(0, len(paths), 32)]
    begin = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda batch: [read_image(path).shape for path in batch], batches):
            pass
    return time.perf_counter() - begin


def main() -> None:
    """Prints both times and their ratio."""
    raw = Path(sys.argv[1])
    paths = [raw / path for path in photos_on_disk(raw)]
    decoding = {threads: seconds_to_decode(paths, threads) for threads in {1, os.cpu_count() or 1}}
    threads, floor = min(decoding.items(), key=lambda item: item[1])
    begin = time.perf_counter()
    photos = prepare(raw, PrepareParams()).photos
    whole = time.perf_counter() - begin
    print(
        f"decode only  {floor:6.1f} s  {len(paths) / floor:8,.0f} photos/s  ({threads} threads, the faster)"
    )
    print(f"prepare      {whole:6.1f} s  {len(photos) / whole:8,.0f} photos/s")
    print(f"ratio        {whole / floor:6.1f}")


if __name__ == "__main__":
    main()
