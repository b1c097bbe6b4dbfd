"""Compares training steps of `compact` on TensorFlow and PyTorch.

    python benchmarks/training.py [BATCH]

Needs the extra `torch`. Each runs in a process of its own; every round times both in turn.
"""

import os
import subprocess
import sys
import time

import numpy as np

STEPS = 8
ROUNDS = 3
BACKENDS = {"TensorFlow": "tensorflow", "PyTorch": "torch"}


def main() -> None:
    """Prints photos per second, the median of the rounds, and the ratio to TensorFlow."""
    batch = sys.argv[1] if len(sys.argv) > 1 else "64"
    speeds: dict[str, list[float]] = {name: [] for name in BACKENDS}
    for _ in range(ROUNDS):
        for name, backend in BACKENDS.items():
            done = subprocess.run(
                [sys.executable, __file__, batch, "measure"],
                env={**os.environ, "KERAS_BACKEND": backend},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            speeds[name].append(float(done.stdout.split()[-1]))
    baseline = np.median(speeds["TensorFlow"])
    for name, values in speeds.items():
        print(f"{name:10} {np.median(values):5.0f} photos/s  ratio {np.median(values) / baseline:.2f}")


def measure(batch: int) -> float:
    """Returns photos per second of a training step on one batch, over and over."""
    from fercomp.modeling.backend.engine import keras
    from fercomp.modeling.training.network import build_network

    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (batch, 48, 48, 3), dtype=np.uint8)
    targets = np.eye(9, dtype=np.float32)[rng.integers(0, 9, batch)]
    model = build_network("compact", 48, dropout=0.2)
    model.compile(keras.optimizers.AdamW(1e-3), "categorical_crossentropy")
    for _ in range(3):
        model.train_on_batch(faces, targets)
    start = time.perf_counter()
    for _ in range(STEPS):
        model.train_on_batch(faces, targets)
    return STEPS * batch / (time.perf_counter() - start)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(measure(int(sys.argv[1])))
    else:
        main()
