"""Measures what it gives to turn photos in which no face is sure.

Usage: python benchmarks/turned.py PHOTOS [--every N] [--side PIXELS] [--turns 0,90,180]
       python benchmarks/turned.py PICTURES --without

PHOTOS is a folder; with `labels.csv` in it (`image_path`, `emotion`) accuracy is told, too. Each photo with
a face is turned clockwise about its middle. For each angle: how many faces are found, how often the answer is
that of the photo as it is (`same`) and how often the label (`right`): `before`, by YuNet without turning,
`now`, and `as is`, by faces that are not cut out upright. `uncertain` is not allowed, what is not found is
wrong. PICTURES show no faces: how many are found in them all the same. Milliseconds are of one thread's
processor time.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from fercomp.core.classes import UNCERTAIN
from fercomp.faces.crop import face_input, scaled, upright_input
from fercomp.faces.detect import make_detector
from fercomp.faces.found import Detector, Faces
from fercomp.faces.quality import face_sizes, levels
from fercomp.media.images import read_image
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.model import Bundle, load_bundle

VIEWS = 5


def main() -> None:
    """Prints a line for each angle, or one for pictures without faces."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="use each N-th photo")
    parser.add_argument("--side", type=int, help="enlarge or shrink photos to this longer side")
    parser.add_argument("--turns", default="0,10,20,30,40,60,90,135,180")
    parser.add_argument("--without", action="store_true", help="the pictures show no faces")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    files = [path for path in sorted(arguments.folder.iterdir()) if path.suffix in (".jpg", ".png")]
    pictures = read(files[:: arguments.every], arguments.side)
    detectors = make_detector(), make_detector(second_look=True)
    if arguments.without:
        tell_false_faces(pictures, detectors)
        return
    labels = arguments.folder / "labels.csv"
    known = dict(pd.read_csv(labels)[["image_path", "emotion"]].to_numpy()) if labels.is_file() else {}
    bundle = load_bundle(CAME_ALONG["shipped-large"])
    turns = [int(angle) for angle in arguments.turns.split(",")]
    rows = []
    for name, picture in pictures:
        rows += looked(picture, known.get(name, ""), bundle, detectors, turns)
    tell(pd.DataFrame(rows), bool(known))


def read(files: list[Path], side: int | None) -> Iterator[tuple[str, np.ndarray]]:
    """Gives names and pixels."""
    for path in files:
        image = read_image(path)
        yield path.name, scaled(image, side / max(image.shape)) if side else image


def turn(image: np.ndarray, degrees: int) -> tuple[np.ndarray, np.ndarray]:
    """Turns a picture clockwise about its middle, and says by which matrix its places move."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    if degrees % 180 == 90:
        matrix[:, 2] += np.array((height - width, width - height)) / 2
        width, height = height, width
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), matrix


def looked(
    picture: np.ndarray, label: str, bundle: Bundle, detectors: tuple[Detector, Detector], turns: list[int]
) -> Iterator[dict[str, object]]:
    """Says for each angle what is found of a photo's largest face, and what is said of it."""
    faces = detectors[0].detect(picture)
    if len(faces) == 0:
        return
    face = faces[int(np.argmax(face_sizes(faces.boxes)))]
    truth = answer(bundle, picture, face, level=True)
    for degrees in turns:
        image, matrix = turn(picture, degrees)
        place = matrix @ (*middle(face), 1)
        row: dict[str, object] = {"turned": degrees, "upright right": truth == label}
        for when, detector in zip(("before", "now"), detectors, strict=True):
            begin = time.thread_time()
            found = detector.detect(image)
            row[f"ms {when}"] = 1000 * (time.thread_time() - begin)
            near = [
                one for one in found if np.hypot(*(middle(one) - place)) < 0.35 * face_sizes(face.boxes)[0]
            ]
            best = max(near, key=lambda one: float(one.scores[0]), default=None)
            row[f"found {when}"] = best is not None
            row[f"faces more {when}"] = max(0, len(found) - len(faces))
            said = best is not None and answer(bundle, image, best, level=when == "now")
            row[f"same {when}"], row[f"right {when}"] = said == truth, said == label
        as_is = answer(bundle, image, best, level=False) if best is not None and levels(best)[0] else said
        row["same as is"], row["right as is"] = as_is == truth, as_is == label
        yield row


def middle(face: Faces) -> np.ndarray:
    """Returns the centre of the first box."""
    return np.asarray((face.boxes[0, :2] + face.boxes[0, 2:]) / 2)


def answer(bundle: Bundle, image: np.ndarray, face: Faces, level: bool) -> str:
    """Returns the likeliest emotion."""
    tilt, box = float(levels(face)[0]) if level else 0.0, face.boxes[0]
    faces = [
        (upright_input(image, box, tilt, *each) if tilt else face_input(image, box, *each))[None]
        for each in bundle.inputs
    ]
    said = dict(zip(bundle.card.classes, bundle.answer(*faces, views=VIEWS).pred_probs[0], strict=True))
    said.pop(UNCERTAIN, None)
    return max(said, key=lambda name: said[name])


def tell(rows: pd.DataFrame, labelled: bool) -> None:
    """Prints means for each angle."""
    if not labelled:
        rows = rows[[name for name in rows if "right" not in name]]
    table = rows.astype(float).groupby("turned").mean()
    print(f"{len(rows) // len(table)} photos")
    print(table.round(3).T.to_string())


def tell_false_faces(
    pictures: Iterator[tuple[str, np.ndarray]], detectors: tuple[Detector, Detector]
) -> None:
    """Prints how many pictures have a face that is none."""
    count, false, spent = 0, [0, 0], [0.0, 0.0]
    for name, picture in pictures:
        count += 1
        for i, detector in enumerate(detectors):
            begin = time.thread_time()
            found = detector.detect(picture)
            spent[i] += time.thread_time() - begin
            false[i] += len(found) > 0
            if len(found):
                print(f"{name}: {found.boxes.round().tolist()}, {found.scores.round(2).tolist()}")
    before, now = (1000 * seconds / max(1, count) for seconds in spent)
    print(f"{count} pictures, with a face before {false[0]}, now {false[1]}; ms {before:.0f}, {now:.0f}")


if __name__ == "__main__":
    main()
