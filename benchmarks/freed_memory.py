"""What it gives that freed memory stays with a process that trains: epochs with it and without, in turn.

    python benchmarks/freed_memory.py [BACKBONE] [SIZE] [ROUNDS]

Each training has a process of its own: random photos, batches of 64, one epoch to begin with and two that are
timed.
"""

import os
import resource
import subprocess
import sys
import time

import numpy as np

BATCH, BATCHES = 64, 20


def main(backbone: str, size: str, rounds: int) -> None:
    """Prints the median seconds of an epoch, page faults and the ratio."""
    found: dict[str, list[list[float]]] = {"kept": [], "given back": []}
    for _ in range(rounds):
        for way, measured in found.items():
            done = subprocess.run(
                [sys.executable, __file__, backbone, size, way],
                env={**os.environ, "TF_CPU_ALLOCATOR_USE_BFC": str(int(way == "kept"))},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            measured.append([float(word) for word in done.stdout.split()[-3:]])
    for way, measured in found.items():
        seconds, faults, gigabytes = np.median(measured, axis=0)
        print(f"{way:10} {seconds:6.2f} s an epoch, {faults:9,.0f} page faults, {gigabytes:.2f} GB at most")
    ratios = [kept[0] / given[0] for kept, given in zip(*found.values(), strict=True)]
    print(f"kept / given back: {np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def measure(backbone: str, size: int, way: str) -> None:
    """Prints the seconds and page faults of an epoch, and the gigabytes that the process had at most."""
    from fercomp.modeling.backend import memory

    if way != "kept":
        memory.keep_freed_memory = lambda: False
    from fercomp.modeling.backend.engine import keras, make_deterministic
    from fercomp.modeling.training.network import build_network

    make_deterministic(0)
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (BATCH * BATCHES, size, size, 3), dtype=np.uint8)
    targets = np.eye(9, dtype=np.float32)[rng.integers(0, 9, len(faces))]
    model = build_network(backbone, size, dropout=0.2)
    model.compile(keras.optimizers.AdamW(1e-3), "categorical_crossentropy")
    model.fit(faces, targets, BATCH, verbose=0)
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model.fit(faces, targets, BATCH, epochs=2, verbose=0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    print((time.perf_counter() - start) / 2, (after.ru_minflt - before) / 2, after.ru_maxrss / 2**20)


if __name__ == "__main__":
    backbone, size, last = [*sys.argv[1:], *["efficientnet_lite0", "64", "3"][len(sys.argv) - 1 :]][:3]
    if last.isdigit():
        main(backbone, size, int(last))
    else:
        measure(backbone, int(size), last)
