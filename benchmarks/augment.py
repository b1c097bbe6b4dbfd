"""Compares our augmentation layer with Keras' own layers for the same changes, in one run.

    python benchmarks/augment.py [SIZE]

Both run as a `tf.function` on 128 random faces; the median over about three seconds counts.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fercomp.core.params import AugmentParams
from fercomp.modeling.augment import Augment
from fercomp.modeling.backend import keras


def faces_per_second(layer: Callable[..., Any], faces: np.ndarray) -> float:
    """Returns the rate of a layer in training."""
    import tensorflow as tf

    function = tf.function(lambda batch: layer(batch, training=True))
    batch = tf.constant(faces)
    function(batch)
    times: list[float] = []
    while sum(times) < 3 or len(times) < 3:
        start = time.perf_counter()
        function(batch)
        times.append(time.perf_counter() - start)
    return len(faces) / statistics.median(times)


def keras_layers(params: AugmentParams) -> keras.Sequential:
    """Returns Keras' layers for the same changes."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.RandomFlip("horizontal", seed=0),
            layers.RandomRotation(params.rotate / 360, fill_mode="nearest", seed=0),
            layers.RandomTranslation(params.shift, params.shift, fill_mode="nearest", seed=0),
            layers.RandomZoom(params.zoom, fill_mode="nearest", seed=0),
            layers.RandomBrightness(params.brightness, value_range=(0, 255), seed=0),
            layers.RandomContrast(params.contrast, value_range=(0, 255), seed=0),
        ]
    )


def main() -> None:
    """Prints both rates and their ratio."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 48
    params = AugmentParams()
    faces = np.random.default_rng(0).uniform(0, 255, (128, size, size, 3)).astype(np.float32)
    ours = faces_per_second(Augment(**params.model_dump(), seed=0), faces)
    theirs = faces_per_second(keras_layers(params), faces)
    print(
        f"{size} px: ours {ours:,.0f} faces/s, Keras' layers {theirs:,.0f} faces/s, ratio {ours / theirs:.1f}"
    )


if __name__ == "__main__":
    main()
