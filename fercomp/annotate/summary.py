"""What is on record after a run of `annotate`."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fercomp.annotate.output.folder import OutputFolder
from fercomp.annotate.output.merge import ShardMerge
from fercomp.annotate.records.rows import FACE, NO_FACE, TRUNCATED
from fercomp.annotate.sources.walk import Sources


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
        problems: Why files could not be used, or only in part, by file.
        cut_off: Number of photos that lack their end and were used as far as they go.
        models: Names of the models, that of photos and that of clips.
        seconds: Duration of this run.
        people: Number of people; `None` where nobody asked, or shards are still to be merged.
        copy: The annotated copy, where one photo alone was annotated.
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
    cut_off: int
    models: tuple[str, str]
    seconds: float
    people: int | None = None
    copy: Path | None = None


def summary_of(
    done: OutputFolder | ShardMerge, sources: Sources, earlier: int, models: tuple[str, str], seconds: float
) -> Summary:
    """Counts what is on record after a run.

    Args:
        done: Where it is on record.
        sources: What was to be annotated; what else is on record does not count.
        earlier: How many of these were on record before.
        models: Names of the models, that of photos and that of clips.
        seconds: Duration of the run.
    """
    faces = without_face = frames = cut_off = 0
    emotions: Counter[str] = Counter()
    problems: dict[str, str] = {}
    for rows in done.records.pictures():
        first = rows[0]
        if first["file"] not in sources.found and first["file"] not in sources.problems:
            continue
        frames += first["frame"] != ""
        without_face += first["status"] == NO_FACE
        if first["status"] == FACE:
            faces += len(rows)
            emotions.update(row["emotion"] for row in rows)
        elif first["status"] != NO_FACE:
            problems[first["file"]] = first["status"]
        cut_off += first["note"] == TRUNCATED
    videos = sum(map(sources.found.is_video, sources.found.files))
    return Summary(
        records=done.table,
        photos=len(sources.found) - videos,
        videos=videos,
        frames=frames,
        earlier=earlier,
        faces=faces,
        without_face=without_face,
        emotions=dict(emotions.most_common()),
        problems=problems,
        cut_off=cut_off,
        models=models,
        seconds=seconds,
        people=done.people.found if done.people else None,
    )
