"""Measures how `annotate` grows with the number of photos: time, memory of each process, bytes written.

    python benchmarks/scale.py 1000 10000 [--side 371] [--options "--views 1"]

Draws 100 photos with the demo's generator and links to them as often as asked for, so that what is measured
is the number, not the photos. Each number is annotated anew, in folders that are thrown away. Prints a row
for each, and the line that fits: seconds, and processor seconds, for the start and for a photo.
"""

import argparse
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from PIL import Image

from fercomp.core.classes import EMOTIONS
from tests.drawn import draw_face

DRAWN = 100
IN_A_FOLDER = 1000
BETWEEN = 0.2
"""Seconds between two looks at the memory of processes."""


class Measured(NamedTuple):
    """What a run took."""

    photos: int
    seconds: float
    processor: float
    memory: list[float]
    records: int
    copies: int


def main() -> None:
    """Prints a row for each number, and the fit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("numbers", nargs="+", type=int)
    parser.add_argument("--side", type=int, default=371, help="of a photo in pixels; 371 is the median")
    parser.add_argument("--options", default="", help="for annotate")
    asked = parser.parse_args()
    rows = []
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; annotate {asked.options}")
    print("photos   seconds  photos/s  processor ms/photo  MB of each process  records MB  copies MB")
    for number in asked.numbers:
        with tempfile.TemporaryDirectory() as name:
            link_photos(Path(name) / "photos", number, asked.side)
            rows.append(run(Path(name), number, shlex.split(asked.options)))
        row = rows[-1]
        memory = " + ".join(f"{part:.0f}" for part in row.memory)
        print(
            f"{row.photos:6,} {row.seconds:9.1f} {row.photos / row.seconds:9.1f} "
            f"{1000 * row.processor / row.photos:19.2f}  {memory:>18} {row.records / 1e6:11.2f} "
            f"{row.copies / 1e6:10.1f}",
            flush=True,
        )
    if len(rows) > 1:
        for what in ("seconds", "processor"):
            each, start = np.polyfit([row.photos for row in rows], [getattr(row, what) for row in rows], 1)
            print(f"{what}: {start:.1f} s for the start and {1000 * each:.2f} ms a photo")


def link_photos(folder: Path, number: int, side: int) -> None:
    """Draws some photos and links to them as often as asked for."""
    drawn, rng = folder.with_name("drawn"), np.random.default_rng(0)
    drawn.mkdir()
    for i in range(min(DRAWN, number)):
        face = draw_face(EMOTIONS[i % len(EMOTIONS)], rng, side)
        Image.fromarray(face).save(drawn / f"{i}.jpg", quality=90)
    for i in range(number):
        place = folder / f"{i // IN_A_FOLDER:04}" / f"{i}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(drawn / f"{i % DRAWN}.jpg", place)


def run(folder: Path, number: int, options: list[str]) -> Measured:
    """Annotates a folder's photos and looks at its processes meanwhile."""
    out, used = folder / "out", resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "fercomp", "annotate", str(folder / "photos"), "--output", str(out)]
    begin, most = time.perf_counter(), {}
    with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while process.poll() is None:
            for pid, now in memory_of(process.pid):
                most[pid] = max(most.get(pid, 0.0), now)
            time.sleep(BETWEEN)
        if process.returncode:
            sys.exit(process.stderr.read().decode() if process.stderr else "annotate failed")
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    sizes = {path: path.stat().st_size for path in out.rglob("*") if path.is_file()}
    records = sum(size for path, size in sizes.items() if path.name.startswith("records"))
    return Measured(number, seconds, processor, list(most.values()), records, sum(sizes.values()) - records)


def memory_of(pid: int) -> list[tuple[int, float]]:
    """Returns the resident memory of a process and its children, in MB."""
    found = []
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []
    for process in family:
        try:
            found.append((process.pid, process.memory_info().rss / 1e6))
        except psutil.Error:
            continue
    return found


if __name__ == "__main__":
    main()
