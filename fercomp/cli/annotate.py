"""`fercomp annotate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fercomp.cli.options import (
    DetectorName,
    MinScore,
    MinSize,
    ModelForMedia,
    OnRay,
    ShardOption,
    Uncertain,
    load_model,
    one_shard,
)
from fercomp.cli.words import looks, say_next, tell
from fercomp.core.paths import SHIPPED, SHIPPED_LARGE

if TYPE_CHECKING:
    from fercomp.annotate.summary import Summary
    from fercomp.core.shards import Shard


_Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="Photos, videos, folders with any of them in them and their sub-folders, and lists of "
        "these, one in each line (.txt) or in the column `path` (.parquet). With --on ray, addresses "
        "of object stores, such as s3://bucket/photos.",
        show_default=False,
    ),
]
_Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for copies and records.")
]
_Every = Annotated[int, typer.Option(metavar="N", help="Classify the faces of every N-th frame of a video.")]
_Video = Annotated[bool, typer.Option(help="Write annotated videos, besides records and timelines.")]
_Records = Annotated[
    Literal["csv", "jsonl", "parquet"],
    typer.Option("--records", help="Format of the records; Parquet is made of CSV, which stays."),
]
_Start = Annotated[
    str, typer.Option(metavar="TIME", help="Annotate videos from here on: seconds or H:MM:SS.")
]
_End = Annotated[str | None, typer.Option(metavar="TIME", help="Annotate videos until here.")]
_Views = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="How often to look at each face of a photo, 1 to 9. More is slower; models that gain nothing "
        "look once.",
    ),
]
_People = Annotated[
    bool,
    typer.Option(
        "--people",
        help="Number each person over all files. Biometric: faces are compared, and what tells "
        "them apart is kept in DIR/people-data.",
    ),
]
_Report = Annotated[
    bool,
    typer.Option("--report", help="Write report.html, a page of everything in DIR, and summary.csv, too."),
]
_Merge = Annotated[
    bool,
    typer.Option(
        "--merge",
        help="Join the records of all shards. Give the same options as for the shards, without --shard.",
    ),
]
_Show = Annotated[
    bool, typer.Option("--show", help="When done, open the annotated copy in a window. One photo only.")
]
_Force = Annotated[bool, typer.Option("--force", help="Replace files in DIR that annotate did not write.")]


def annotate(
    paths: _Paths,
    output: _Output = Path("annotated"),
    model: ModelForMedia = None,
    detector: DetectorName = "yunet",
    min_score: MinScore = None,
    min_size: MinSize = 16,
    every: _Every = 1,
    video: _Video = True,
    records: _Records = "csv",
    start: _Start = "0",
    end: _End = None,
    views: _Views = 5,
    uncertain: Uncertain = True,
    people: _People = False,
    report: _Report = False,
    shard: ShardOption = None,
    merge: _Merge = False,
    on: OnRay = None,
    show: _Show = False,
    force: _Force = False,
) -> None:
    """Find the faces in photos and videos and name their emotions: annotated copies and a table.

    A second run goes on where the first one ended. Exit code 1 if a file could not be used, or a video
    not wholly.

    \b
    Examples:
      fercomp annotate photos/
      fercomp annotate party.jpg --show
      fercomp annotate party.mp4 more/ --output party/
      fercomp annotate lecture.mp4 --start 1:02:30 --end 1:10:00
      fercomp annotate lecture.mp4 --every 5 --no-video --records jsonl
      fercomp annotate portraits/ --detector whole --model compact --no-uncertain
      fercomp annotate party.mp4 photos/ --people
      fercomp annotate party.mp4 photos/ --report
      fercomp annotate photos/ --shard 3/16
      fercomp annotate photos/ --merge
      fercomp annotate photos/ --on ray
    """
    from fercomp.annotate.batch import annotate_media, merge_media
    from fercomp.annotate.options import Options, clock_seconds
    from fercomp.annotate.show import show_copy
    from fercomp.annotate.sources.object_store import is_url
    from fercomp.core.errors import FercompError
    from fercomp.core.params import load_machine
    from fercomp.core.paths import Workspace
    from fercomp.core.progress import waiting

    part = one_shard(shard, merge, on)
    if show and (len(paths) != 1 or Path(paths[0]).is_dir()):
        raise FercompError("--show opens the copy of one photo: name one photo, or leave it out")
    if report:
        _check_report(output, part, force)
    span = clock_seconds(start), None if end is None else clock_seconds(end)
    options = Options(detector, min_score, min_size, every, video, records, *span, views, uncertain, people)
    with waiting("loading the model"):
        bundle = load_model(model or SHIPPED_LARGE)
        clip_bundle = None if model else load_model(SHIPPED)
    places = [path if is_url(path) else Path(path) for path in paths]
    if merge:
        done = merge_media(places, output, bundle, options, clip_bundle)
    else:
        device = load_machine(Workspace().params).device if on else None
        done = annotate_media(places, output, bundle, options, force, clip_bundle, part, device)
    if report:
        _report(done, output, force)
    _tell(done, output, looks(bundle.folder, views))
    if show and done.copy is not None:
        tell(show_copy(done.copy))
    elif show:
        tell("--show opens photos: play the copy of a video in any player")
    if part is not None:
        say_next(f"the other shards, on any machine; then the same command with --merge, not --shard {part}")


def _check_report(output: Path, part: "Shard | None", force: bool) -> None:
    from fercomp.core.errors import FercompError
    from fercomp.report.annotated.write import require_report_places

    if part is not None:
        raise FercompError("--report needs the records of all shards: give it with --merge")
    require_report_places(output, force)


def _report(done: "Summary", output: Path, force: bool) -> None:
    from rich.filesize import decimal

    from fercomp.core.progress import waiting
    from fercomp.report.annotated.write import report_annotated

    with waiting("writing the report"):
        records = done.records.with_suffix(".csv") if done.records.suffix == ".parquet" else done.records
        written = report_annotated(output, records, force)
    tell(f"{written.page}: {decimal(written.size)}; {written.summary}")


def _models(done: "Summary", in_photos: str) -> str:
    photos, clips = done.models
    if not done.photos:
        return clips
    return f"{photos}, {in_photos}" + (f" of a photo, and by {clips} in videos" if done.videos else "")


def _tell(done: "Summary", output: Path, in_photos: str) -> None:
    from fercomp.core.errors import FercompError
    from fercomp.core.progress import count

    counts = {"photo": done.photos, "video": done.videos}
    files = " and ".join(count(n, kind) for kind, n in counts.items() if n) or "no photos and no videos"
    some = "" if done.earlier == done.photos + done.videos else f"{done.earlier:,} of them "
    on_record = f", {some}already done" if done.earlier else ""
    frames = f" ({count(done.frames, 'frame')})" if done.videos else ""
    picture = "photo" if not done.videos else "picture" if done.photos else "frame"
    without = count(done.without_face, picture)
    tell(f"{files}{frames}{on_record}: {count(done.faces, 'face')}, {without} without a face")
    tell(", ".join(f"{emotion} {n:,}" for emotion, n in done.emotions.items()) or "no emotions to name")
    tell(f"named by {_models(done, in_photos)}")
    if done.people is not None:
        people = "1 person" if done.people == 1 else f"{done.people:,} people"
        tell(f"{people}, by biometric data, which are in {output / 'people-data'}: delete it when done")
        say_next(f"look at their faces there, and write names into {output / 'people.csv'}")
    if done.cut_off:
        tell(f"cut off, but used as far as it goes: {count(done.cut_off, 'photo')}; see `note`")
    tell(f"{done.seconds:.1f} s. Look at {output}/ and {done.records}")
    if done.problems:
        bad = f"{len(done.problems)} of {count(done.photos + done.videos, 'file')}"
        raise FercompError(
            f"{bad} could not be used, or only in part: `status` in {done.records} says why; "
            "mend or remove them"
        )
