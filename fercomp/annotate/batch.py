"""Annotates photos and clips. Photos: decoding, detection, classification, drawing and writing at once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Final

from fercomp.annotate.clips import annotate_clip
from fercomp.annotate.drawing import draw
from fercomp.annotate.options import Options
from fercomp.annotate.recogniser import Picture, Recogniser
from fercomp.annotate.record_rows import FACE, NO_FACE, Row, face_rows, problem_row
from fercomp.annotate.sinks import OutputFolder, encode
from fercomp.annotate.sources import Photo, Video, find_sources
from fercomp.annotate.workers import workers
from fercomp.core.parallel import in_order, threads
from fercomp.core.progress import say, track
from fercomp.core.version import __version__
from fercomp.media.containers import ClipProblem
from fercomp.media.images import ImageProblem, read_image
from fercomp.modeling.bundle.model import Bundle

PHOTO_BATCH: Final = 8
"""Photos whose faces are classified together."""


@dataclass(frozen=True)
class Summary:
    """What is on record after a run.

    Attributes:
        records: The file of records.
        photos: Number of photos.
        videos: Number of clips.
        frames: Number of their frames.
        earlier: How many photos and clips were on record before this run.
        faces: Number of faces, in each photo and each frame.
        without_face: Number of photos and frames without a face.
        emotions: Number of faces by emotion, the most frequent first.
        problems: Why files could not be used wholly, by file.
        seconds: Duration of this run.
    """

    records: Path
    photos: int
    videos: int
    frames: int
    earlier: int
    faces: int
    without_face: int
    emotions: dict[str, int]
    problems: dict[str, str]
    seconds: float


def annotate_media(path: Path, output: Path, bundle: Bundle, options: Options | None = None) -> Summary:
    """Annotates photos and clips, going on where an earlier run of the same kind ended.

    Args:
        path: A photo, a clip, or a folder with any number of both.
        output: Folder for annotated copies, which mirror the originals' folders, and the records.
        bundle: The trained model.
        options: How to look, and what to write.

    Returns:
        What is on record now. Files that could not be read are among it and have been told.

    Raises:
        FercompError: There is nothing to annotate, the output cannot be written, or model or detector is
            missing.
    """
    start = monotonic()
    options = options or Options()
    root = path if path.is_dir() else path.parent
    sources = find_sources(path, output)
    recogniser = Recogniser(bundle, options.make_detector)
    settings = {
        "fercomp": __version__,
        "input": str(root.resolve()),
        "model": bundle.card.name,
        "fingerprint": bundle.fingerprint,
        **asdict(options),
    }
    with OutputFolder(output, root, sources, bundle.card.classes, settings, options.records) as folder:
        _annotate_photos([s for s in folder.todo if isinstance(s, Photo)], folder, recogniser)
        for video in folder.todo:
            if isinstance(video, Video):
                _annotate_video(video, folder, bundle, options)
    earlier = len(sources) - len(folder.todo)
    return _summary(folder, sources, earlier, monotonic() - start)


def _annotate_photos(photos: Sequence[Photo], folder: OutputFolder, recogniser: Recogniser) -> None:
    # Threads of their own for writing would take turns on the cores with those that look, which costs more
    # than is gained while the disk is waited for.
    with workers(threads()) as pool:
        seen = in_order(pool, partial(_look, recogniser), photos, ahead=PHOTO_BATCH)
        named = _named(recogniser, seen)
        results = in_order(pool, partial(_result, folder), named, ahead=PHOTO_BATCH)
        for rows in track(results, "annotate", "photo", total=len(photos)):
            folder.records.append(rows)


def _annotate_video(video: Video, folder: OutputFolder, bundle: Bundle, options: Options) -> None:
    try:
        annotate_clip(video, folder, bundle, options)
    except ClipProblem as problem:
        say(str(problem))
        folder.records.append([problem_row(video.file, problem.reason)])


Looked = tuple[Photo, Picture | ImageProblem]


def _look(recogniser: Recogniser, photo: Photo) -> Looked:
    try:
        return photo, recogniser.look(read_image(photo.path))
    except ImageProblem as problem:
        return photo, problem


def _named(recogniser: Recogniser, photos: Iterator[Looked]) -> Iterator[Looked]:
    """Classifies the faces of several photos together, which is faster than photo by photo."""
    while group := list(islice(photos, PHOTO_BATCH)):
        named = iter(recogniser.name([seen for _, seen in group if isinstance(seen, Picture)]))
        for photo, seen in group:
            yield photo, next(named) if isinstance(seen, Picture) else seen


def _result(folder: OutputFolder, named: Looked) -> list[Row]:
    """Writes the copy of a photo and makes its rows; a file that cannot be used is told and has but a row."""
    photo, result = named
    if isinstance(result, Picture):
        try:
            folder.write_copy(photo, encode(photo, draw(result.frame.image, result.faces)))
            return face_rows(photo.file, result.faces)
        except ImageProblem as problem:
            result = problem
    say(str(result))
    return [problem_row(photo.file, result.reason)]


def _summary(folder: OutputFolder, sources: Sequence[Photo | Video], earlier: int, seconds: float) -> Summary:
    faces = without_face = frames = 0
    emotions: Counter[str] = Counter()
    problems: dict[str, str] = {}
    for rows in folder.records.pictures():
        first = rows[0]
        frames += first["frame"] != ""
        without_face += first["status"] == NO_FACE
        if first["status"] == FACE:
            faces += len(rows)
            emotions.update(row["emotion"] for row in rows)
        elif first["status"] != NO_FACE:
            problems[first["file"]] = first["status"]
    videos = sum(isinstance(source, Video) for source in sources)
    return Summary(
        records=folder.records.path,
        photos=len(sources) - videos,
        videos=videos,
        frames=frames,
        earlier=earlier,
        faces=faces,
        without_face=without_face,
        emotions=dict(emotions.most_common()),
        problems=problems,
        seconds=seconds,
    )
