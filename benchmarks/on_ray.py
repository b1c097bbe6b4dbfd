"""Compares `annotate --on ray` with plain `annotate`: photos per second, memory, and the rows.

Usage: python benchmarks/on_ray.py PHOTOS N [N ...] [OPTION ...]

Options are those of `annotate`, such as `--model shipped`. For each number N, so many photos are made of
those in PHOTOS, as links to them. Both commands run on this machine, one after the other. The rate is that
from the first rows on record to the end: Ray takes seconds to start. The time of the processor, of all
processes and with their start, says more where others use the machine, too. Memory is the largest resident
size of the command, and of an actor.
"""

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

import psutil

from fercomp.annotate.sources.found import Photo
from fercomp.annotate.sources.walk import find_sources


@dataclass
class Run:
    """What was seen of a command: photos per second, seconds in all, those of the processor, memory in MB."""

    rate: float = 0.0
    seconds: float = 0.0
    cpu: dict[int, float] = field(default_factory=dict)
    driver: float = 0.0
    actor: float = 0.0

    def look(self, process: psutil.Process) -> None:
        """Notes how much memory is taken now."""
        try:
            self.driver = max(self.driver, process.memory_info().rss / 2**20)
            for child in (process, *process.children(recursive=True)):
                self.cpu[child.pid] = sum(child.cpu_times()[:2])
                if "MapWorker" in " ".join(child.cmdline()):
                    self.actor = max(self.actor, child.memory_info().rss / 2**20)
        except psutil.Error:
            return


def annotate(photos: Path, out: Path, words: list[str]) -> Run:
    """Runs the command and looks at it meanwhile."""
    run, begin, first, some = Run(), time.perf_counter(), 0.0, 0
    command = [sys.executable, "-m", "fercomp", "annotate", photos, "--output", out, *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        seen = psutil.Process(process.pid)
        while process.poll() is None:
            if not first and (some := photos_on_record(out)):
                first = time.perf_counter()
            run.look(seen)
            time.sleep(0.1)
    run.seconds = time.perf_counter() - begin
    run.rate = (photos_on_record(out) - some) / (time.perf_counter() - first)
    return run


def photos_on_record(out: Path) -> int:
    """Counts photos, not faces."""
    records = out / "records.csv"
    if not records.is_file():
        return 0
    return len({line.partition(",")[0] for line in records.read_text().splitlines()[1:]})


def main() -> None:
    """Prints a table."""
    found = find_sources([Path(sys.argv[1])], Path("nowhere")).found
    photos = [source.path.resolve() for source in found if isinstance(source, Photo)]
    print("| photos | how | photos/s | s in all | s of the processor | MB of the command | of an actor |")
    print("|---|---|---|---|---|---|---|")
    numbers = [int(word) for word in takewhile(str.isdecimal, sys.argv[2:])]
    options = sys.argv[2 + len(numbers) :]
    for n in numbers:
        with tempfile.TemporaryDirectory() as name:
            many = Path(name) / "photos"
            many.mkdir()
            for number in range(n):
                source = photos[number % len(photos)]
                (many / f"{number}{source.suffix}").symlink_to(source)
            plain = annotate(many, Path(name) / "plain", options)
            ray = annotate(many, Path(name) / "ray", [*options, "--on", "ray"])
            rows = [(Path(name) / out / "records.csv").read_bytes() for out in ("plain", "ray")]
        for how, run in (("alone", plain), ("on Ray", ray)):
            times = f"{run.rate:.1f} | {run.seconds:.1f} | {sum(run.cpu.values()):.0f}"
            print(f"| {n:,} | {how} | {times} | {run.driver:.0f} | {run.actor:.0f} |")
        same = "the same rows" if rows[0] == rows[1] else "OTHER ROWS"
        print(f"ratio of the rates {ray.rate / plain.rate:.2f}, {same}")


if __name__ == "__main__":
    main()
