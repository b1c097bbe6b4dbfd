"""Compares the photos' road into a network with its raw stages, in one run.

    python benchmarks/input.py FOLDER [SIZE]

FOLDER holds photos, such as `benchmarks/real_set.py` draws; SIZE is the network's (224). Stages in turn, the
median of the rounds counts:

1. building the cache, against a bare loop that reads, decodes at a reduced scale and resizes, on as many
   threads;
2. batches from the cache with flip, affine and light, against this augmentation alone of photos in memory, on
   as many threads;
3. private memory of this process (RssAnon) after each, less what it was before.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from fercomp.core.parallel import threads
from fercomp.core.params import AugmentParams
from fercomp.data.cache import PhotoCache
from fercomp.data.competition_files import photos_on_disk
from fercomp.data.inputs import FINER, READERS, read_faces
from fercomp.modeling.training.augment import augment
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.training_set import TrainingSet

ROUNDS = 3
BATCH = 32
CHANGES = AugmentParams(erase=0.0)


def bare(raw: Path, paths: Sequence[str], size: int) -> None:
    """Reads, decodes and resizes photos, and keeps nothing."""

    def decode(some: Sequence[str]) -> None:
        for path in some:
            with Image.open(BytesIO((raw / path).read_bytes())) as image:
                image.draft("RGB", (FINER * size, FINER * size))
                pixels = np.asarray(image.convert("RGB"))
            cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)

    with ThreadPoolExecutor(threads()) as pool:
        list(pool.map(decode, [paths[start : start + 16] for start in range(0, len(paths), 16)]))


def raw_augmentation(faces: np.ndarray, n: int) -> None:
    """Augments n photos in batches."""

    def change(start: int) -> None:
        batch = faces[np.arange(start, start + BATCH) % len(faces)]
        augment(batch, CHANGES, np.random.default_rng(start))

    with ThreadPoolExecutor(threads(READERS)) as pool:
        list(pool.map(change, range(0, n, BATCH)))


def epoch(batches: FaceBatches, number: int) -> None:
    """Takes all batches of an epoch."""
    batches.start_epoch(number)
    for i in range(len(batches)):
        batches[i]


class Rate(NamedTuple):
    """Photos per second on the clock, and per second of a core, which other work hardly changes."""

    clock: float
    core: float


def rate(n: int, work: Callable[[], object]) -> Rate:
    """Times work on n photos."""
    start, used = time.perf_counter(), time.process_time()
    work()
    return Rate(n / (time.perf_counter() - start), n / (time.process_time() - used))


def private_mb() -> float:
    """Returns the memory that this process shares with nobody."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("RssAnon"))


def main() -> None:
    """Prints rates, ratios and memory."""
    raw, size = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 224
    paths = photos_on_disk(raw)
    n, before = len(paths), private_mb()
    found: dict[str, list[Rate]] = {}
    memory: list[float] = []
    taught = TrainingSet(tuple(paths), np.zeros((n, 9), np.float32), None, ("",) * n)
    faces = read_faces(raw, paths[:256], size)
    bare(raw, paths, size)  # so that the files are in the system's memory for both
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=raw.parent) as folder:
            cache = PhotoCache(Path(folder))
            found.setdefault("bare", []).append(rate(n, lambda: bare(raw, paths, size)))
            found.setdefault("build", []).append(rate(n, lambda c=cache: c.photos(raw, paths, size)))
            batches = FaceBatches(taught, raw, size, BATCH, cache, seed=0, augmentation=CHANGES)
            found.setdefault("first", []).append(rate(n, lambda b=batches: epoch(b, 0)))
            found.setdefault("later", []).append(rate(n, lambda b=batches: epoch(b, 1)))
            found.setdefault("augment", []).append(rate(n, lambda: raw_augmentation(faces, n)))
            memory.append(private_mb() - before)
    for title, ours, theirs in (
        ("building the cache / bare decoding", "build", "bare"),
        ("later epochs from it / augmentation alone", "later", "augment"),
        ("first epoch from it / augmentation alone", "first", "augment"),
    ):
        for clock in Rate._fields:
            a, b = (
                statistics.median(getattr(each, clock) for each in found[name]) for name in (ours, theirs)
            )
            print(f"{title}, photos/s by the {clock}: {a:,.0f} / {b:,.0f} = {a / b:.2f}")
    print(f"private memory: {max(memory):,.0f} MB more than at the start")


if __name__ == "__main__":
    main()
