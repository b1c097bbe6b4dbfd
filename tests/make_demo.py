"""Draws the demo competition: `python -m tests.make_demo` writes `fercomp/demo/drawn.zip` anew.

A test compares the pictures with those that lie there. Another version of OpenCV, Pillow or libx264 may write
other bytes.
"""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZipFile, ZipInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_table import write_csv
from fercomp.core.progress import track
from fercomp.data.competition_files import TEST_FOLDER, TRAIN_FOLDER
from fercomp.demo.competition import DRAWN, MEDIA, README_NAME
from tests.drawn import draw_clip, draw_face, draw_group

TRAIN_PER_CLASS: Final = 60
TEST_PHOTOS: Final = 180
SIDE: Final = 96
"""Pixels of the square photos."""

WRONG_SHARE: Final = 0.10
"""Share of training photos that show another emotion than their label says."""

COPY_SHARE: Final = 0.04
"""Share of training photos that are a brighter, recompressed copy of another one."""

GROUPS: Final = (1, 2, 3, 4, 5)
"""Number of people in each photo under `media/`; one more photo shows nobody."""

PHOTO_SIZE: Final = (800, 600)
"""Width and height in pixels of the photos under `media/`."""

CLIP_SIZE: Final = (640, 360)
CLIP_RATE: Final = 25
"""Frames per second."""

CLIP_FRAMES: Final = 100

_README: Final = """\
Drawn faces
===========
All pictures in this folder were drawn by fercomp with its own code. They are not photos, and nobody in
them exists. They stand in for a competition's files so that every step can be tried without a network.

train/, train.csv            labelled faces; one label in ten is wrong on purpose, and some faces
                             appear twice, a little brighter, at times under another label
test_kaggle/                 faces to be predicted
sample_submission.csv        what a submission looks like
media/                       groups of people and a clip, for `fercomp annotate`
"""

_Picture = NDArray[np.uint8]


def draw_demo(folder: Path, seed: int = 0) -> None:
    """Draws the demo competition; the same seed draws the same bytes.

    Args:
        folder: Where the files go; made if it is not there.
        seed: Seed of everything that is drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / README_NAME).write_text(_README, encoding="utf-8", newline="\n")
    train, test, photos, clip = np.random.default_rng(seed).spawn(4)
    _write_train(folder, train)
    _write_test(folder, test)
    _write_media(folder / MEDIA, photos, clip)


def _write_train(folder: Path, rng: np.random.Generator) -> None:
    labels = np.repeat(EMOTIONS, TRAIN_PER_CLASS)
    shuffled = rng.permutation(len(labels))
    copies, wrong, right = np.split(
        shuffled, np.cumsum([round(COPY_SHARE * len(labels)), round(WRONG_SHARE * len(labels))])
    )
    shown = labels.copy()
    for index in wrong:
        shown[index] = rng.choice([emotion for emotion in EMOTIONS if emotion != labels[index]])
    names = [f"{TRAIN_FOLDER}/{label}/{i % TRAIN_PER_CLASS}.jpg" for i, label in enumerate(labels)]
    drawn: dict[int, _Picture] = {}
    for index in track(sorted([*wrong, *right]), "drawing faces", "face"):
        drawn[index] = draw_face(shown[index], rng, SIDE)
        _save(drawn[index], folder / names[index], quality=92)
    for index in sorted(copies):
        # Half of the copies stand beside their original, the others anywhere.
        alike = [i for i in drawn if labels[i] == labels[index] or rng.random() < 1 / len(EMOTIONS)]
        brighter = drawn[rng.choice(alike)].astype(np.float32) * rng.uniform(1.04, 1.12)
        _save(np.clip(brighter, 0, 255).astype(np.uint8), folder / names[index], quality=80)
    table = pd.DataFrame({"image_path": [f"./{name}" for name in names], "emotion": labels})
    write_csv(table, folder / "train.csv", index_label="")  # the competition's has an unnamed index, too


def _write_test(folder: Path, rng: np.random.Generator) -> None:
    names = [f"{i}.jpg" for i in range(TEST_PHOTOS)]
    for name in track(names, "drawing test faces", "face"):
        _save(draw_face(str(rng.choice(EMOTIONS)), rng, SIDE), folder / TEST_FOLDER / name, quality=92)
    table = pd.DataFrame({"image_path": names, "emotion": "neutral"})
    write_csv(table, folder / "sample_submission.csv")


def _write_media(folder: Path, photos: np.random.Generator, clip: np.random.Generator) -> None:
    for count in GROUPS:
        emotions = photos.choice(EMOTIONS[:-1], size=count, replace=False).tolist()
        _save(draw_group(emotions, photos, *PHOTO_SIZE), folder / f"people_{count}.jpg", quality=92)
    _save(draw_group([], photos, *PHOTO_SIZE), folder / "nobody.jpg", quality=92)
    changes = [("neutral", "happy"), ("fear", "anger")]
    frames = draw_clip(changes, clip, *CLIP_SIZE, CLIP_FRAMES)
    _save_clip(track(frames, "drawing a clip", "frame", total=CLIP_FRAMES), folder / "clip.mp4")


def _save(picture: _Picture, path: Path, quality: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, quality=quality)


def _save_clip(frames: Iterable[_Picture], path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=CLIP_RATE, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height = CLIP_SIZE
        stream.pix_fmt = "yuv420p"
        # Several threads may divide the work, and with it the bytes, differently from run to run.
        stream.codec_context.thread_count = 1
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def pack(folder: Path, archive: Path) -> None:
    """Packs all files of a folder in the order of their names, without the time of writing."""
    with ZipFile(archive, "w") as packed:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            # Dates of a zip begin in 1980. Pictures are packed as far as they can be already.
            packed.writestr(ZipInfo(file.relative_to(folder).as_posix()), file.read_bytes())


if __name__ == "__main__":
    with TemporaryDirectory() as drawn:
        draw_demo(Path(drawn))
        pack(Path(drawn), DRAWN)
