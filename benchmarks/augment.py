"""Compares our augmentation with Keras' own layers for the same changes, and says what each technique costs.

    python benchmarks/augment.py [SIZE]

Ours is OpenCV in the loader, on one core; Keras' layers run as a `tf.function`; 128 random faces,
the median over about three seconds counts. Random erasing is in ours alone. Then each technique of ours that
is off by default is added to the default ones, and to no others, and turned on for every photo; what counts
is processor time, since other work may share the machine.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from fercomp.core.params import AugmentParams
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.augment import augment


def faces_per_second(run: Callable[[], Any], n: int) -> float:
    """Returns the rate of a call that changes n faces."""
    run()
    times: list[float] = []
    while sum(times) < 3 or len(times) < 3:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return n / statistics.median(times)


def microseconds_of_a_core(
    faces: np.ndarray, ways: dict[str, AugmentParams], rng: np.random.Generator
) -> dict[str, float]:
    """Returns what a face takes by each of some ways, the least of rounds in which all of them take turns."""
    least = dict.fromkeys(ways, np.inf)
    for _ in range(ROUNDS):
        for name, params in ways.items():
            start = time.process_time()
            augment(faces, params, rng)
            least[name] = min(least[name], 1e6 * (time.process_time() - start) / len(faces))
    return least


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


ROUNDS: Final = 15
TECHNIQUES: Final[dict[str, dict[str, float]]] = {
    "perspective": {"perspective": 0.15},
    "hue, saturation and grey": {"hue": 10, "saturation": 0.3, "grey": 0.2},
    "low_resolution": {"low_resolution": 1},
    "blur": {"blur": 1},
    "jpeg": {"jpeg": 1},
}
"""What is added to the default changes, by its name; what is for a share of the photos is done to all."""


def main() -> None:
    """Prints both rates and their ratio, and how long each technique takes."""
    import tensorflow as tf

    size = int(sys.argv[1]) if len(sys.argv) > 1 else 48
    params, rng = AugmentParams(), np.random.default_rng(0)
    faces = rng.integers(0, 256, (128, size, size, 3), dtype=np.uint8)
    ours = faces_per_second(lambda: augment(faces, params, rng), len(faces))
    layers, batch = keras_layers(params), tf.constant(faces, tf.float32)
    function = tf.function(lambda: layers(batch, training=True))
    theirs = faces_per_second(function, len(faces))
    print(
        f"{size} px: ours {ours:,.0f} faces/s, Keras' layers {theirs:,.0f} faces/s, ratio {ours / theirs:.1f}"
    )
    ways = {"": AugmentParams(), **{name: AugmentParams(**changes) for name, changes in TECHNIQUES.items()}}
    costs = microseconds_of_a_core(faces, ways, rng)
    print(f"default changes: {costs['']:.0f} microseconds of a core a face")
    for name in TECHNIQUES:
        print(f"{name}: {costs[name] - costs['']:+.0f} microseconds a face that it changes")


if __name__ == "__main__":
    main()
