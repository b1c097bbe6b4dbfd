"""Annotates a clip: decoding, detection, classification, drawing and encoding at once."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from fercomp.annotate.drawing.draw import draw
from fercomp.annotate.drawing.timeline import Timeline
from fercomp.annotate.options import Options
from fercomp.annotate.output.folder import OutputFolder
from fercomp.annotate.people.gather import track_gatherer
from fercomp.annotate.people.sightings import sighting_rows
from fercomp.annotate.recognise.clip_recogniser import ClipRecogniser
from fercomp.annotate.recognise.recogniser import Picture
from fercomp.annotate.records.rows import frame_rows
from fercomp.annotate.sources.found import Video
from fercomp.annotate.workers import workers
from fercomp.core.files import atomic_file
from fercomp.core.parallel import Stages, in_order, threads
from fercomp.core.progress import track
from fercomp.faces.found import Faces
from fercomp.media.clip_writer import ClipWriter
from fercomp.media.clips import Clip, Frame
from fercomp.media.problems import ClipProblem
from fercomp.modeling.bundle.model import Bundle

FRAME_BATCH: Final = 8
"""Frames whose faces are classified together."""

BETWEEN: Final = 4
"""Frames that may lie between two stages."""

MOST_FRAME_BYTES: Final = 128 * 2**20
"""Of frames between two stages; of very large ones, fewer lie there."""


def annotate_clip(video: Video, folder: OutputFolder, bundle: Bundle, options: Options) -> None:
    """Annotates a clip: its copy, its rows, and at last its timeline, which says that it is done.

    On Ctrl-C the copy is finished as far as it goes, so that it plays.

    Args:
        video: The clip.
        folder: Where everything goes.
        bundle: The trained model.
        options: How to look, and what to write.

    Raises:
        ClipProblem: The clip cannot be used, or a part of it is missing; the rest is annotated then.
        FercompError: The output cannot be written, or model or detector is missing.
    """
    with Clip(video.path, options.start, options.end) as clip:
        between = fitting(clip, BETWEEN)
        recogniser = options.clip_recogniser(bundle)
        _make_room(folder.copy_of(video), folder.timeline_of(video))
        step = float(1 / clip.rate)
        timeline = Timeline(step)
        sizes: dict[int, int] = {}
        copy = _writer(folder.copy_of(video), clip) if options.video else nullcontext()
        gathering = track_gatherer(step) if folder.people else nullcontext()
        with copy as writer, gathering as people, workers(threads()) as lookers, Stages(between) as stages:
            looked = in_order(lookers, partial(_look, recogniser), stages.ahead(clip), between)
            followed = stages.ahead(recogniser.follow(frame, faces) for frame, faces in looked)
            named = stages.ahead(_named(recogniser, followed, fitting(clip, FRAME_BATCH)))
            drawn = stages.ahead((p, draw(p.frame.image, p.faces, sizes) if writer else None) for p in named)
            for picture, image in track(drawn, video.file, "frame", total=clip.count):
                if writer is not None and image is not None:
                    writer.write(picture.frame, image)
                folder.records.append(frame_rows(video.file, picture))
                timeline.add(picture)
                if people is not None:
                    people.add(picture)
            if folder.people is not None and people is not None:
                folder.people.add(sighting_rows(video.file, people.sightings()))
        problem = clip.problem()
        if problem is not None:
            raise problem
        timeline.draw(video.file, folder.timeline_of(video))


def _make_room(copy: Path, timeline: Path) -> None:
    """Removes an earlier timeline, and makes sure that both can be written at all.

    Raises:
        ClipProblem: They cannot.
    """
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        for path in (copy, timeline):
            if path.is_dir():
                raise ClipProblem("not_written", f"{path} is a folder, a file was to be written: rename it")
        timeline.unlink(missing_ok=True)
    except OSError as error:
        raise ClipProblem(
            "not_written", f"cannot write {copy}: {error.strerror}; rename the video"
        ) from error


def _look(recogniser: ClipRecogniser, frame: Frame) -> tuple[Frame, Faces]:
    return frame, recogniser.detect(frame)


def fitting(clip: Clip, frames: int) -> int:
    """Returns how many frames of a clip may lie together: so many, or as many as `MOST_FRAME_BYTES` hold."""
    return max(1, min(frames, MOST_FRAME_BYTES // (clip.width * clip.height * 3)))


def _named(recogniser: ClipRecogniser, followed: Iterable[Picture], most: int) -> Iterator[Picture]:
    """Classifies the faces of several frames together, which is faster than frame by frame."""
    frames = iter(followed)
    while group := list(islice(frames, most)):
        yield from recogniser.name(group)


@contextmanager
def _writer(path: Path, clip: Clip) -> Iterator[ClipWriter]:
    """Gives what writes the copy; after Ctrl-C, too, the copy comes to its place."""
    stopped: KeyboardInterrupt | None = None
    with atomic_file(path) as temporary:
        try:
            with ClipWriter(temporary, clip) as writer:
                yield writer
        except KeyboardInterrupt as interrupt:
            if not writer.frames:
                raise
            stopped = interrupt
    if stopped is not None:
        raise stopped
