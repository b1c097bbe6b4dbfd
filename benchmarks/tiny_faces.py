"""Measures how small a face may be to be found in a photo, by one look and with a second one.

    python benchmarks/tiny_faces.py PHOTOS [--every N] [--sides 16,20,28,40,60]

Each photo of the folder with one sure face is shrunk until that face has so many pixels, and put somewhere on
a plain picture of 640x480. How often some face is found in it: `clip`, as in a frame of a clip; `photo`, by
YuNet's usual looks at a photo; `now`, with what `annotate` does besides where no face is sure. The last line
says in how many photos whose faces are painted over the look at the photo made larger finds one all the same.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from fercomp.faces.detect import make_detector
from fercomp.faces.found import Detector
from fercomp.faces.second_look import MIN_SCORE, SURE
from fercomp.faces.yunet import YuNet
from fercomp.media.images import read_image

GROUND = (480, 640)


def main() -> None:
    """Prints a line for each side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="use each N-th photo")
    parser.add_argument("--sides", default="16,20,28,40,60")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    photo = make_detector()
    scenes, painted, found = [], 0, 0
    for path in sorted(arguments.folder.rglob("*.jpg"))[:: arguments.every]:
        image = read_image(path)
        faces = photo.detect(image)
        if len(faces) == 1 and faces.scores[0] >= SURE:
            scenes.append((image, float((faces.boxes[0, 2:] - faces.boxes[0, :2]).max())))
        without = painted_over(image, faces.boxes)
        if len(faces) and not len(photo.detect(without)):
            painted += 1
            found += len(YuNet(MIN_SCORE).enlarged(without)) > 0
    detectors = make_detector(clip=True), photo, make_detector(second_look=True)
    print("| side | clip | photo | now |\n|---|---|---|---|")
    for side in (int(side) for side in arguments.sides.split(",")):
        print(f"| {side} px | {' | '.join(f'{share:.2f}' for share in shares(scenes, side, detectors))} |")
    print(f"{len(scenes)} photos; painted over: found in {found} of {painted}")


def shares(scenes: list[tuple[np.ndarray, float]], side: int, detectors: tuple[Detector, ...]) -> list[float]:
    """Returns by each detector the share of scenes in which some face is found."""
    pictures = [on_plain_ground(image, side / face, seed) for seed, (image, face) in enumerate(scenes)]
    return [float(np.mean([len(one.detect(picture)) > 0 for picture in pictures])) for one in detectors]


def on_plain_ground(image: np.ndarray, scale: float, seed: int) -> np.ndarray:
    """Puts a shrunk photo somewhere on a plain colour with a little noise."""
    rng, (height, width) = np.random.default_rng(seed), GROUND
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:height, :width]
    noisy = rng.integers(60, 200, 3) + rng.normal(0, 6, (height, width, 3))
    ground = np.clip(noisy, 0, 255).astype(np.uint8)
    y, x = (rng.integers(0, all_ - part + 1) for all_, part in zip(GROUND, small.shape[:2], strict=True))
    ground[y : y + small.shape[0], x : x + small.shape[1]] = small
    return ground


def painted_over(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Returns a picture whose faces, and a quarter around them, are one colour."""
    painted = image.copy()
    for x1, y1, x2, y2 in boxes.astype(int):
        x, y = (x2 - x1) // 4, (y2 - y1) // 4
        painted[max(0, y1 - y) : y2 + y, max(0, x1 - x) : x2 + x] = image.mean(axis=(0, 1))
    return painted


if __name__ == "__main__":
    main()
