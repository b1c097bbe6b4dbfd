"""Annotates photos: decoding, detection, classification, drawing and writing at once."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Final

import cv2

from fercomp import __version__
from fercomp.annotate.drawing import draw
from fercomp.annotate.recogniser import Recognised, Recogniser, Seen
from fercomp.annotate.records import FACE, NO_FACE, Row, face_rows, problem_row
from fercomp.annotate.sinks import PhotoFolder, encode
from fercomp.annotate.sources import Photo, find_photos
from fercomp.core.parallel import in_order
from fercomp.core.progress import say, track
from fercomp.data.images import ImageProblem, read_image
from fercomp.faces.detect import make_detector
from fercomp.modeling.bundle import Bundle

BATCH: Final = 8
"""Photos whose faces are classified together."""


@dataclass(frozen=True)
class Summary:
    """What is on record after a run.

    Attributes:
        records: The CSV.
        photos: Number of photos.
        earlier: How many of them were on record before this run.
        faces: Number of faces.
        without_face: Number of photos without a face.
        emotions: Number of faces by emotion, the most frequent first.
        problems: Why files could not be read, by file.
        seconds: Duration of this run.
    """

    records: Path
    photos: int
    earlier: int
    faces: int
    without_face: int
    emotions: dict[str, int]
    problems: dict[str, str]
    seconds: float


def annotate_photos(
    path: Path, output: Path, bundle: Bundle, detector: str = "yunet", min_score: float | None = None
) -> Summary:
    """Annotates a photo or a folder of photos, going on where an earlier run of the same kind ended.

    Args:
        path: The photo or folder.
        output: Folder for annotated copies, which mirror the photos' folders, and `records.csv`.
        bundle: The trained model.
        detector: Name of the face detector.
        min_score: Lowest score of a face; `None` for the detector's own.

    Returns:
        What is on record now. Files that could not be read are among it and have been told.

    Raises:
        FercompError: There are no photos, the output cannot be written, or model or detector is missing.
    """
    start = monotonic()
    root = path if path.is_dir() else path.parent
    photos = find_photos(path, output)
    recogniser = Recogniser(bundle, partial(make_detector, detector, min_score))
    settings = {
        "fercomp": __version__,
        "input": str(root.resolve()),
        "model": bundle.card.name,
        "fingerprint": bundle.fingerprint,
        "detector": detector,
        "min_score": min_score,
    }
    with PhotoFolder(output, root, photos, bundle.card.classes, settings) as folder, workers() as pool:
        seen = in_order(pool, partial(_look, recogniser), folder.todo, ahead=BATCH)
        decided = _decide(recogniser, seen)
        results = in_order(pool, partial(_result, bundle.card.classes), decided, ahead=BATCH)
        earlier = len(photos) - len(folder.todo)
        for photo, rows, copy in track(results, "annotate", "photo", total=len(photos), initial=earlier):
            folder.write(photo, rows, copy)
    return _summary(folder, earlier, monotonic() - start)


@contextmanager
def workers() -> Iterator[Executor]:
    """Gives a thread for every core; on leaving early, what has not begun is dropped."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)  # a photo on each core is faster than each photo on all cores
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(before)


Looked = tuple[Photo, Seen | ImageProblem]
Decided = tuple[Photo, Recognised | ImageProblem]
Result = tuple[Photo, list[Row], bytes | None]


def _look(recogniser: Recogniser, photo: Photo) -> Looked:
    try:
        return photo, recogniser.look(read_image(photo.path))
    except ImageProblem as problem:
        return photo, problem


def _decide(recogniser: Recogniser, photos: Iterator[Looked]) -> Iterator[Decided]:
    """Classifies the faces of several photos together, which is faster than photo by photo."""
    while group := list(islice(photos, BATCH)):
        recognised = iter(recogniser.recognise([seen for _, seen in group if isinstance(seen, Seen)]))
        for photo, seen in group:
            yield photo, next(recognised) if isinstance(seen, Seen) else seen


def _result(classes: Sequence[str], decided: Decided) -> Result:
    """Makes the rows and the copy of a photo; a file that cannot be used is told and has but a row."""
    photo, result = decided
    if isinstance(result, Recognised):
        try:
            copy = encode(photo, draw(result.image, result.faces, result.decisions))
            return photo, face_rows(photo.file, result.faces, result.decisions, classes), copy
        except ImageProblem as problem:
            result = problem
    say(str(result))
    return photo, [problem_row(photo.file, result.reason)], None


def _summary(folder: PhotoFolder, earlier: int, seconds: float) -> Summary:
    records = folder.records()
    all_rows = [row for group in records.values() for row in group]
    return Summary(
        records=folder.records_file,
        photos=len(records),
        earlier=earlier,
        faces=sum(row["status"] == FACE for row in all_rows),
        without_face=sum(row["status"] == NO_FACE for row in all_rows),
        emotions=dict(Counter(row["emotion"] for row in all_rows if row["status"] == FACE).most_common()),
        problems={row["file"]: row["status"] for row in all_rows if row["status"] not in (FACE, NO_FACE)},
        seconds=seconds,
    )
