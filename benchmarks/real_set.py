"""Draws a competition of the real one's size and shape, for measuring speed and memory.

    python benchmarks/real_set.py FOLDER [--share 0.05] [--seed 0] [--workers N]

Writes FOLDER as `fercomp fetch --source FOLDER` takes it. All of it is 55,046 photos, 2.8 GB. What is there
already is not drawn again; each photo depends on the seed and its number alone, whatever the share. Labels
are right here, and no photo has a copy: accuracies on it mean nothing.
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_table import write_csv
from fercomp.core.progress import track
from fercomp.data.competition_files import TEST_FOLDER, TRAIN_FOLDER
from tests.drawn import draw_face

# The next three were counted in the files of kaggle.com/competitions/skillbox-computer-vision-project.
LABELLED = {
    "anger": 7022,
    "contempt": 3085,
    "disgust": 3155,
    "fear": 5044,
    "happy": 5955,
    "neutral": 6795,
    "sad": 6740,
    "surprise": 6323,
    "uncertain": 5927,
}
TEST = 5000
SIDES = {
    0: 133,
    5: 179,
    10: 193,
    20: 228,
    30: 265,
    40: 311,
    50: 371,
    60: 463,
    70: 585,
    80: 739,
    90: 999,
    95: 1378,
    99: 2253,
    100: 4689,
}
"""Side of the photos in pixels by percentile; nearly all are square, and in colour."""

DRAWN = 192
"""Pixels up to which a face is drawn; a larger photo is an enlarged one, as many of the real ones are."""

QUALITY, GRAIN = (66, 90), 5
"""Of the JPEGs, from and to, and of enlarged ones in grey levels: the median there is 0.137 bytes a pixel."""


class Photo(NamedTuple):
    """A photo to be drawn: its path below the folder, what it shows, and its number among all."""

    path: str
    emotion: str
    number: int


def photos(share: float) -> tuple[list[Photo], list[Photo]]:
    """Lists the labelled and the test photos of a share of the set."""
    number, labelled = 0, []
    for emotion in EMOTIONS:
        kept = round(LABELLED[emotion] * share)
        labelled += [Photo(f"{TRAIN_FOLDER}/{emotion}/{i}.jpg", emotion, number + i) for i in range(kept)]
        number += LABELLED[emotion]
    shown = np.random.default_rng(0).choice(EMOTIONS, TEST)
    test = [Photo(f"{TEST_FOLDER}/{i}.jpg", str(shown[i]), number + i) for i in range(round(TEST * share))]
    return labelled, test


def draw(folder: Path, seed: int, photo: Photo) -> None:
    """Draws a photo unless it is there."""
    path = folder / photo.path
    if path.exists():
        return
    rng = np.random.default_rng((seed, photo.number))
    side = round(np.interp(rng.uniform(0, 100), list(SIDES), list(SIDES.values())))
    face = draw_face(photo.emotion, rng, min(side, DRAWN))
    if side > DRAWN:
        grain = rng.integers(-GRAIN, GRAIN + 1, (side, side), dtype=np.int8)
        large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
        face = np.asarray(cv2.add(large, cv2.merge([grain] * 3), dtype=cv2.CV_8U), dtype=np.uint8)
    data = BytesIO()
    Image.fromarray(face).save(data, "JPEG", quality=int(rng.integers(*QUALITY)))
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(data.getvalue())
    part.replace(path)


def draw_all(folder: Path, share: float, seed: int = 0, workers: int | None = None) -> int:
    """Draws the set in parallel; returns the number of its photos."""
    labelled, test = photos(share)
    everything = labelled + test
    for place in {(folder / photo.path).parent for photo in everything}:
        place.mkdir(parents=True, exist_ok=True)
        for left in place.glob("*.part"):  # by a run that was killed
            left.unlink()
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        done: Iterator[None] = pool.map(partial(draw, folder, seed), everything, chunksize=16)
        for _ in track(done, "drawing", "photo", total=len(everything)):
            pass
    table = pd.DataFrame(
        {"image_path": [f"./{photo.path}" for photo in labelled], "emotion": [p.emotion for p in labelled]}
    )
    write_csv(table, folder / "train.csv", index_label="")
    names = [Path(photo.path).name for photo in test]
    sample = pd.DataFrame({"image_path": names, "emotion": "neutral"})
    write_csv(sample, folder / "sample_submission.csv")
    return len(everything)


def main() -> None:
    """Draws the set that the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=float, default=1.0, help="of the whole, above 0 and up to 1")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, help="processes; one for each core by default")
    given = parser.parse_args()
    if not 0 < given.share <= 1:
        parser.error(f"--share {given.share}: expected a share above 0 and up to 1")
    print(f"{given.folder}: {draw_all(given.folder, given.share, given.seed, given.workers):,} photos")


if __name__ == "__main__":
    main()
