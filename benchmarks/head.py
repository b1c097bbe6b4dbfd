"""Compares an epoch of the head phase on cached features with one that runs the backbone, in one run.

    python benchmarks/head.py WORKSPACE [BACKBONE [SIZE [PHOTOS]]]

WORKSPACE holds an index that `fercomp prepare` wrote. Both heads start from the same weights, see the
same photos and are scored on the same holdout.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from fercomp.core.classes import EMOTIONS
from fercomp.core.params import AugmentParams, TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS
from fercomp.modeling.backend.engine import keras, make_deterministic
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.features import feature_batches
from fercomp.modeling.training.losses import accuracy, cross_entropy
from fercomp.modeling.training.network import build_network, head_of, set_trainable
from fercomp.modeling.training.targets import one_hot
from fercomp.modeling.training.training_set import TrainingSet

EPOCHS = 4
AUGMENTATION = AugmentParams()


def main() -> None:
    """Prints seconds per epoch and holdout accuracy of both, and the ratio."""
    root = Path(sys.argv[1])
    backbone = sys.argv[2] if len(sys.argv) > 2 else "efficientnet_lite0"
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 96
    limit = int(sys.argv[4]) if len(sys.argv) > 4 else 2000
    photos = PHOTOS.read(Workspace(root).photos)
    splits = [photos[photos["split"] == split].iloc[::9].iloc[:limit] for split in ("train", "holdout")]
    data = [
        FaceBatches(_taught(part), Workspace(root).raw, size, 32, **changes)
        for part, changes in zip(splits, ({"seed": 0, "augmentation": AUGMENTATION}, {}), strict=True)
    ]
    print(f"{backbone} at {size} px, {len(splits[0])} photos, {keras.backend.backend()}")
    with tempfile.TemporaryDirectory() as folder:
        make_deterministic(0)
        model = build_network(backbone, size, TrainParams(backbone=backbone).weights, dropout=0.2)
        set_trainable(model, head_only=True)
        start = model.get_weights()
        began = time.perf_counter()
        cached = [
            feature_batches(model, batches, Path(folder), seed=0, **views)
            for batches, views in zip(data, ({"augmentation": AUGMENTATION, "views": 2}, {}), strict=True)
        ]
        print(f"features, once: {time.perf_counter() - began:.1f} s")
        seconds = [_epochs(head_of(model), *cached, "cached")]
        model.set_weights(start)
        seconds.append(_epochs(model, *data, "without"))
    print(f"ratio {seconds[1] / seconds[0]:.0f}")


def _taught(photos: pd.DataFrame) -> TrainingSet:
    targets = one_hot(photos["emotion"].tolist(), EMOTIONS)
    return TrainingSet(tuple(photos["image_path"]), targets, None, tuple(photos["sha1"]))


def _epochs(
    model: keras.Model, train: keras.utils.PyDataset, holdout: keras.utils.PyDataset, name: str
) -> float:
    model.compile(keras.optimizers.AdamW(1e-3), cross_entropy, metrics=[accuracy])
    times = []
    for epoch in range(EPOCHS):
        train.start_epoch(epoch)
        start = time.perf_counter()
        model.fit(train, verbose=0, shuffle=False)
        times.append(time.perf_counter() - start)
    right = model.evaluate(holdout, verbose=0)[1]
    print(f"{name}: {np.median(times):.2f} s an epoch, holdout accuracy {right:.3f}")
    return float(np.median(times))


if __name__ == "__main__":
    main()
