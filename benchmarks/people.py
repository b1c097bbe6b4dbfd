"""How well `annotate --people` tells people apart, on a folder of photos that are named for who is on them.

    python benchmarks/people.py lfw/            # Anna_Example_0001.jpg, Anna_Example_0002.jpg, ...

The largest face of each photo counts. Prints, for each way of cutting faces out, the distances of photos of
one person and of two, and what comes of the distance that `annotate` takes; then how far faces move when
photos are turned, and the lengths of embeddings of photos as they are, blurred, dark and small.
"""

import re
import sys
from pathlib import Path

import cv2
import numpy as np

from fercomp.annotate.people.clusters import SAME_PERSON, person_labels
from fercomp.annotate.people.embedder import EMBEDDED_SIDE, embedded_face, embedding, unit
from fercomp.faces.crop import face_input, upright_input
from fercomp.faces.found import Faces
from fercomp.faces.quality import face_sizes, rolls
from fercomp.faces.yunet import YuNet
from fercomp.media.images import read_image

Photo = tuple[str, np.ndarray, Faces]


def largest_face(image: np.ndarray, detector: YuNet) -> Faces | None:
    """Finds the largest face of a photo."""
    faces = detector.detect(image)
    return faces[int(face_sizes(faces.boxes).argmax())] if len(faces) else None


def cut(image: np.ndarray, face: Faces, margin: float, upright: bool) -> np.ndarray:
    """Cuts a face out in one of the ways that are compared."""
    if not upright:
        return face_input(image, face.boxes[0], EMBEDDED_SIDE, margin)
    return upright_input(image, face.boxes[0], float(rolls(face.landmarks)[0]), EMBEDDED_SIDE, margin)


def compare_cuts(photos: list[Photo]) -> None:
    """Prints distances for margins, upright or not."""
    names = np.array([name for name, _, _ in photos])
    pairs = np.triu_indices(len(names), 1)
    same = names[pairs[0]] == names[pairs[1]]
    several = [name for name in sorted(set(names)) if (names == name).sum() > 1]
    print(f"{len(names)} photos of {len(set(names))} people, {same.sum()} pairs of one person")
    print("cut            same: 50 %  90 %  95 %   other: 0.1 %   1 %   50 %   purity  completeness")
    for upright in (False, True):
        for margin in (0.0, 0.1, 0.2, 0.3):
            vectors = unit(
                np.array([embedding(cut(image, face, margin, upright)) for _, image, face in photos])
            )
            apart = (1 - vectors @ vectors.T)[pairs]
            labels = person_labels(vectors, [set()] * len(names))
            groups = [np.unique(names[labels == label], return_counts=True)[1].max() for label in set(labels)]
            people = [np.unique(labels[names == name], return_counts=True)[1].max() for name in several]
            told = [*np.percentile(apart[same], [50, 90, 95]), *np.percentile(apart[~same], [0.1, 1, 50])]
            shares = [sum(groups) / len(names), sum(people) / np.isin(names, several).sum()]
            print(
                f"{'upright' if upright else 'box'} {margin:.1f}   ", *(f"{x:.3f}" for x in (*told, *shares))
            )
    print(f"purity and completeness at a distance of {SAME_PERSON}")


def compare_turns(photos: list[Photo], detector: YuNet) -> None:
    """Prints how far embeddings move when photos are turned."""
    for angle in (15, 30, 45):
        moved: dict[bool, list[float]] = {False: [], True: []}
        for _, image, face in photos:
            height, width = image.shape[:2]
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
            turned = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
            found = largest_face(turned, detector)
            for upright, distances in moved.items():
                if found is not None:
                    before = unit(embedding(cut(image, face, 0.1, upright)))
                    distances.append(float(1 - before @ unit(embedding(cut(turned, found, 0.1, upright)))))
        print(
            f"turned by {angle}: moved by",
            *(f"{np.median(moved[up]):.3f}" for up in (False, True)),
            "(box, upright)",
        )


def compare_lengths(photos: list[Photo]) -> None:
    """Prints the lengths of embeddings, by what is done to the photo."""
    lengths: dict[str, list[float]] = {}
    for _, image, face in photos:
        side = float(face_sizes(face.boxes)[0])
        small = cv2.resize(image, None, fx=20 / side, fy=20 / side, interpolation=cv2.INTER_AREA)
        changed = {
            "as it is": image,
            "blur of 4 % of the side": cv2.GaussianBlur(image, (0, 0), 0.04 * side),
            "blur of 8 %": cv2.GaussianBlur(image, (0, 0), 0.08 * side),
            "a tenth of the light": (image * 0.1).astype(np.uint8),
            "20 pixels": cv2.resize(small, image.shape[1::-1]),
        }
        for name, picture in changed.items():
            length = float(np.linalg.norm(embedding(embedded_face(picture, face, 0))))
            lengths.setdefault(name, []).append(length)
    for name, values in lengths.items():
        print(
            f"length, {name}:",
            *(f"{value:.1f}" for value in np.percentile(values, [1, 5, 50, 95])),
            "(1, 5, 50, 95 %)",
        )


def main() -> None:
    """Prints everything."""
    detector = YuNet()
    photos: list[Photo] = []
    for path in sorted(Path(sys.argv[1]).glob("*.jpg")):
        image = read_image(path)
        face = largest_face(image, detector)
        if face is not None:
            photos.append((re.sub(r"_?\d*$", "", path.stem), image, face))
    compare_cuts(photos)
    compare_turns(photos[::6], detector)
    compare_lengths(photos[::3])


if __name__ == "__main__":
    main()
