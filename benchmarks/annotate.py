"""Compares `annotate` with nothing but detection and classification of the same photos.

    python benchmarks/annotate.py PHOTOS fercomp/shipped-large        # as by default
    python benchmarks/annotate.py PHOTOS fercomp/shipped --views 1    # the fastest

The floor has the photos decoded in memory, uses the same threads and batches, and neither draws nor writes.
Both are measured in turn, five times by default. Rates are those of the best round of each; the ratio is the
median over rounds, since the machine may change its pace between them.
"""

import argparse
import os
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np

from fercomp.annotate.batch import annotate_media
from fercomp.annotate.options import Options
from fercomp.annotate.photos import PHOTO_BATCH
from fercomp.annotate.recognise.recogniser import PHOTO_VIEWS
from fercomp.annotate.sources.walk import find_sources
from fercomp.annotate.workers import workers
from fercomp.core.parallel import in_order
from fercomp.media.images import read_image
from fercomp.modeling.bundle.model import Bundle, load_bundle


def seconds_to_recognise(images: list[np.ndarray], bundle: Bundle, options: Options) -> float:
    """Times detection and classification of decoded photos."""
    begin = time.perf_counter()
    recogniser = options.recogniser(bundle)
    with workers(os.cpu_count() or 1) as pool:
        seen = in_order(pool, recogniser.look, images, ahead=PHOTO_BATCH)
        while group := list(islice(seen, PHOTO_BATCH)):
            recogniser.name(group)
    return time.perf_counter() - begin


def seconds_to_annotate(photos: Path, bundle: Bundle, options: Options) -> float:
    """Times the whole, into a folder that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        annotate_media(photos, Path(folder) / "annotated", bundle, options)
        return time.perf_counter() - begin


def main() -> None:
    """Prints both rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--views", type=int, default=PHOTO_VIEWS)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    photos, bundle, options = arguments.photos, load_bundle(arguments.model), Options(views=arguments.views)
    images = [read_image(photo.path) for photo in find_sources([photos], photos / "annotated").found]
    bundle.predict(*(np.zeros((1, size, size, 3), np.uint8) for size, _ in bundle.inputs))  # loads it
    times = [
        (seconds_to_recognise(images, bundle, options), seconds_to_annotate(photos, bundle, options))
        for _ in range(arguments.rounds)
    ]
    floor, whole = (min(column) for column in zip(*times, strict=True))
    ratio = statistics.median(floor / whole for floor, whole in times)
    print(f"detect and classify  {floor:6.2f} s  {len(images) / floor:7.1f} photos/s")
    print(f"annotate             {whole:6.2f} s  {len(images) / whole:7.1f} photos/s")
    print(f"ratio of the rates   {ratio:6.2f}")


if __name__ == "__main__":
    main()
