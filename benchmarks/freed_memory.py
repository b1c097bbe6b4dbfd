"""What it gives that freed memory stays with a process that trains: trainings with it and without, in turn.

    python benchmarks/freed_memory.py WORKSPACE [BACKBONE] [SIZE] [ROUNDS]

Each training has a process of its own: two epochs of 1,000 photos, and the holdout after each. WORKSPACE has
photos that `prepare` has indexed; the network is removed from it.
"""

import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from fercomp.core.paths import Workspace

NAME = "freed-memory"


def main(workspace: str, backbone: str, size: str, rounds: int) -> None:
    """Prints the medians of the rounds, and the ratios."""
    found: dict[str, list[list[float]]] = {"kept": [], "given back": []}
    for _ in range(rounds):
        for way, measured in found.items():
            done = subprocess.run(
                [sys.executable, __file__, workspace, backbone, size, way],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            measured.append([float(word) for word in done.stdout.split()[-5:]])
    for way, measured in found.items():
        clock, own, system, faults, gigabytes = np.median(measured, axis=0)
        print(
            f"{way:10} {clock:6.1f} s; of the processor {own:.1f} s for itself and {system:.1f} s for the "
            f"system; {faults:,.0f} page faults, {gigabytes:.2f} GB at most"
        )
    for column, what in enumerate(("clock", "own", "system")):
        ratios = [a[column] / b[column] for a, b in zip(*found.values(), strict=True)]
        print(f"{what}: {np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def measure(workspace: Workspace, backbone: str, size: int, way: str) -> None:
    """Prints what a training takes, from when Keras is there."""
    from fercomp.modeling.backend import memory

    if way != "kept":
        memory.keep_freed_memory = lambda: False
    from fercomp.core.params import InferenceParams, Plan, TrainParams
    from fercomp.modeling.backend.engine import keras
    from fercomp.stages.train import train_experiment

    train = TrainParams(backbone=backbone, size=size, photos=1000, batch_size=64, head_epochs=0, epochs=2)
    plan = Plan(train=train, inference=InferenceParams(views=False))
    keras.utils.clear_session()
    begun, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    train_experiment(NAME, plan, workspace, anew=True, announced=True)
    clock, end = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    shutil.rmtree(workspace.bundle(NAME))
    used = [getattr(end, name) - getattr(begun, name) for name in ("ru_utime", "ru_stime", "ru_minflt")]
    print(clock, *used, end.ru_maxrss / 2**20)


if __name__ == "__main__":
    place, backbone, size, last = [*sys.argv[1:], *["efficientnet_lite0", "64", "3"][len(sys.argv) - 2 :]][:4]
    if last.isdigit():
        main(place, backbone, size, int(last))
    else:
        measure(Workspace(Path(place)), backbone, int(size), last)
