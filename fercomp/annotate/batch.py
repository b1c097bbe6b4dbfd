"""Annotates photos and clips of files and folders."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from time import monotonic

from fercomp.annotate.clips import annotate_clip
from fercomp.annotate.on_ray import annotate_on_ray
from fercomp.annotate.options import Options
from fercomp.annotate.output.folder import OutputFolder
from fercomp.annotate.output.merge import ShardMerge
from fercomp.annotate.people.embedder import require_embedder
from fercomp.annotate.people.store import PEOPLE_DATA
from fercomp.annotate.photos import Done, annotate_photos
from fercomp.annotate.recognise.recogniser import Recogniser
from fercomp.annotate.records.parquet import rows_format
from fercomp.annotate.records.rows import ROWS, problem_row
from fercomp.annotate.sources.found import Photo, Video
from fercomp.annotate.sources.places import Location, find_places
from fercomp.annotate.sources.walk import Sources, recordable
from fercomp.annotate.summary import Summary, summary_of
from fercomp.core.errors import FercompError
from fercomp.core.params import Wanted
from fercomp.core.progress import count, say, track
from fercomp.core.shards import Shard
from fercomp.core.version import __version__
from fercomp.media.problems import ClipProblem, MediaProblem, failed
from fercomp.modeling.bundle.model import Bundle


def annotate_media(
    paths: Location | Sequence[Location],
    output: Path,
    bundle: Bundle,
    options: Options | None = None,
    force: bool = False,
    clip_bundle: Bundle | None = None,
    shard: Shard | None = None,
    on_ray: Wanted | None = None,
) -> Summary:
    """Annotates photos and clips, going on where an earlier run of the same kind ended.

    Whatever is wrong with one of them becomes its row, and the others are done all the same.

    Args:
        paths: A photo, a clip, a folder with any number of both, a list of these, or the address of an
            object store; or several of these.
        output: Folder for annotated copies, which mirror the originals' folders, and the records.
        bundle: The trained model.
        options: How to look, and what to write.
        force: Replace what lies in the output folder and is not from here.
        clip_bundle: Another model of the same classes for clips, which have less time; by default the same.
        shard: The part of them that is annotated here; others may come into the same folder meanwhile.
        on_ray: Let a Ray cluster annotate the photos, and this answer there (`machine.device`).

    Returns:
        What is on record of these files now. Files that could not be read are among it and have been told.

    Raises:
        FercompError: There is nothing to annotate, the output cannot be written or holds other files, or
            model or detector is missing.
    """
    start = monotonic()
    options, clip_bundle = options or Options(), clip_bundle or bundle
    sources = _find(paths, output, on_ray is not None)
    recogniser = options.recogniser(bundle)
    if options.people:
        require_embedder()
    elif (left := output / PEOPLE_DATA).is_dir():
        say(f"{left} has biometric data of an earlier run with --people: delete it if they are not needed")
    settings = _settings(sources, bundle, clip_bundle, options)
    found, classes = sources.found, bundle.card.classes
    with OutputFolder(
        output, sources.root, found, classes, settings, options.records, force, shard, options.people
    ) as folder:
        sources = sources.part(shard)
        _annotate_photos(folder, recogniser, bundle, options, on_ray)
        for video in folder.todo.only(folder.todo.is_video):
            if isinstance(video, Video):
                _annotate_video(video, folder, clip_bundle, options)
        for file, reason in sources.problems.items():
            say(f"{sources.root / file} could not be looked into ({reason}): change its permissions")
            folder.records.append([problem_row(file, reason)])
    earlier = len(sources.found) - len(folder.todo)
    names = bundle.card.name, clip_bundle.card.name
    summary = summary_of(folder, sources, earlier, names, monotonic() - start)
    alone = found[0] if len(found) == 1 else None
    return replace(summary, copy=folder.copy_of(alone)) if isinstance(alone, Photo) else summary


def merge_media(
    paths: Location | Sequence[Location],
    output: Path,
    bundle: Bundle,
    options: Options | None = None,
    clip_bundle: Bundle | None = None,
) -> Summary:
    """Makes one table of records of those of all shards, after it has looked whether they are whole.

    Args:
        paths: The paths that each shard had.
        output: The folder that all shards wrote into.
        bundle: The model that they had.
        options: The options that they had.
        clip_bundle: Likewise.

    Returns:
        What is on record, as `annotate_media` says it.

    Raises:
        FercompError: See `ShardMerge.run`.
    """
    start = monotonic()
    options, clip_bundle = options or Options(), clip_bundle or bundle
    sources = _find(paths, output)
    settings = _settings(sources, bundle, clip_bundle, options)
    merge = ShardMerge(output, sources, bundle.card.classes, settings, options.records, options.people)
    merge.run()
    names = bundle.card.name, clip_bundle.card.name
    return summary_of(merge, sources, len(sources.found), names, monotonic() - start)


def _find(paths: Location | Sequence[Location], output: Path, on_ray: bool = False) -> Sources:
    sources = find_places([paths] if isinstance(paths, str | Path) else paths, output)
    if sources.url and not on_ray:
        raise FercompError(f"{sources.url} is in an object store: only --on ray reads that, or copy it here")
    if sources.left_out:
        say(sources.told_left_out())
    return sources


def _settings(sources: Sources, bundle: Bundle, clip_bundle: Bundle, options: Options) -> dict[str, object]:
    """Returns what the records depend on."""
    models = dict.fromkeys((bundle, clip_bundle))
    return {
        "fercomp": f"{__version__}+rows.{ROWS}",
        "input": recordable(sources.url or str(sources.root.resolve())),
        "model": " and ".join(model.card.name for model in models),
        "fingerprint": " ".join(model.fingerprint for model in models),
        **asdict(options),
        "records": rows_format(options.records),
    }


def _annotate_photos(
    folder: OutputFolder, recogniser: Recogniser, bundle: Bundle, options: Options, on_ray: Wanted | None
) -> None:
    videos = sum(map(folder.todo.is_video, folder.todo.files))
    if on_ray is None:
        photos = (source for source in folder.todo if isinstance(source, Photo))
        done = annotate_photos(photos, recogniser, folder.write_copy, options.people)
    else:
        if videos:
            say(f"{count(videos, 'video')} will be annotated by this machine; --shard divides many")
        done = annotate_on_ray(folder, bundle, options, on_ray)
    _put_on_record(done, folder, len(folder.todo) - videos)
    if told := recogniser.compared.told():
        say(told)


def _put_on_record(done: Generator[Done, None, None], folder: OutputFolder, total: int) -> None:
    with closing(done):
        for photo in track(done, "annotate", "photo", total=total):
            if photo.told:
                say(photo.told)
            if folder.people and photo.people:
                folder.people.add(photo.people)
            folder.records.append(photo.rows)


def _annotate_video(video: Video, folder: OutputFolder, bundle: Bundle, options: Options) -> None:
    try:
        annotate_clip(video, folder, bundle, options)
        return
    except ClipProblem as problem:
        told: MediaProblem = problem
    except Exception as error:
        told = failed(video.path, error, ClipProblem)
    say(str(told))
    folder.records.append([problem_row(video.file, told.reason)])
