"""What settings give where a processor trains: trainings as they are and with one of them changed, in turn.

    python benchmarks/on_processor.py WORKSPACE --backbone compact --size 48

Freed memory stays with the process, and TensorFlow reads batches without tuning (`memory.py` and `feed.py` of
`fercomp.modeling.backend`). It asks oneDNN only where there is AVX-512 VNNI, unless it is told to. Each
training has a process of its own: two epochs of some photos, and the holdout after each. WORKSPACE has photos
that `prepare` has indexed; the network is removed from it.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from fercomp.core.paths import Workspace

NAME = "on-processor"
WAYS = ("as it is", "with oneDNN", "memory given back", "batches by Keras")


def main(options: argparse.Namespace) -> None:
    """Prints the medians of the rounds, and what share of each a training as it is takes."""
    found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way, measured in found.items():
            done = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--way", way],
                env={**os.environ, **({"TF_ENABLE_ONEDNN_OPTS": "1"} if way == "with oneDNN" else {})},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            measured.append([float(word) for word in done.stdout.split()[-5:]])
    base = np.array(found["as it is"])[:, 0]
    for way, measured in found.items():
        clock, own, system, faults, gigabytes = np.median(measured, axis=0)
        ratios = base / np.array(measured)[:, 0]
        ratio = f"{np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(
            f"{way:17} {clock:6.1f} s, as it is takes {ratio} of that; "
            f"of the processor {own:.1f} s for itself and {system:.1f} s for the system; {faults:,.0f} page "
            f"faults, {gigabytes:.2f} GB at most"
        )


def measure(workspace: Workspace, options: argparse.Namespace) -> None:
    """Prints what a training takes, from when Keras is there."""
    from fercomp.modeling.backend import memory

    if options.way == "memory given back":
        memory.keep_freed_memory = lambda: False
    from fercomp.modeling.backend import feed

    if options.way == "batches by Keras":
        feed.fed = lambda batches: batches
    from fercomp.core.params import InferenceParams, Plan, TrainParams
    from fercomp.stages.train import train_experiment

    train = TrainParams(
        backbone=options.backbone,
        size=options.size,
        photos=options.photos,
        batch_size=64,
        head_epochs=0,
        epochs=2,
    )
    plan = Plan(train=train, inference=InferenceParams(views=False))
    begun, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    train_experiment(NAME, plan, workspace, anew=True, announced=True)
    clock, end = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    shutil.rmtree(workspace.bundle(NAME))
    used = [getattr(end, name) - getattr(begun, name) for name in ("ru_utime", "ru_stime", "ru_minflt")]
    print(clock, *used, end.ru_maxrss / 2**20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        measure(Workspace(given.workspace), given)
    else:
        main(given)
