"""What becomes of the records of an earlier run that was another one."""

from collections.abc import Iterable, Mapping

from fercomp.annotate.records.file import Records
from fercomp.annotate.sources.found import Photo, Video
from fercomp.annotate.sources.object_store import RemotePhoto
from fercomp.core.errors import FercompError
from fercomp.core.files import set_aside
from fercomp.core.progress import count, say
from fercomp.media.containers import open_container, video_stream
from fercomp.media.images import decode_photo, read_file


def keep_aside(records: Records, changed: Mapping[str, object] | None) -> None:
    """Keeps records aside whose run was another one, whoever wrote them.

    Args:
        records: The records.
        changed: The earlier run's settings, empty where nothing is known of them; `None` where they are the
            same, and the records have been changed.
    """
    path = records.path
    switches = {True: "with", False: "without"}
    by = ", ".join(
        f"{switches[value]} {name}" if isinstance(value, bool) else f"{name} {str(value)[:80]}"
        for name, value in (changed or {}).items()
    )
    held = f"holds another run ({by or 'an unknown one'})"
    if changed is None:
        held = f"has a {path.name} that was changed by another program"
    kept = "starting anew"
    if not records.is_empty():
        kept = (
            f"its rows are now {set_aside(path).name}; copies of the same name are replaced, so to keep both "
            "use --output DIR"
        )
    elif not changed:
        return
    say(f"{path.parent} {held}: {kept}")


def require_same_names(
    records: Records, changed: Mapping[str, object] | None, now: object, files: Iterable[str]
) -> None:
    """Refuses to begin anew only because files have other names: those in the folder that all are in.

    Args:
        records: The records.
        changed: What `RunFile.changed` returns.
        now: The folder that all files are in, as the run's settings have it.
        files: Their names.

    Raises:
        FercompError: Files that are on record would be done again under other names.
    """
    if changed is None or changed.keys() != {"input"}:
        return
    before = changed["input"]
    recorded = {_joined(before, file) for file, entry in records.index().items() if entry.usable}
    if again := sum(_joined(now, file) in recorded for file in files):
        raise FercompError(
            f"{count(again, 'file')} on record in {records.path.parent} would be annotated anew: names there "
            f"are those in the folder that all paths are in, once {before}, now {now}; choose another "
            "--output for what was added, or begin anew with --force"
        )


def require_usable(records: Records, sources: Iterable[Photo | Video]) -> None:
    """Refuses to begin another run, whose records take the place of those there, where nothing can be used.

    Args:
        records: The records, of another run; those of the other format count, too, and lose their `run.json`.
        sources: What is named; up to the first that can be used, each is read.

    Raises:
        FercompError: There is none; the first one's fault is said.
    """
    path = records.path
    if records.is_empty():
        path = path.with_suffix(".csv" if path.suffix == ".jsonl" else ".jsonl")
        if not path.is_file() or path.stat().st_size == 0:
            return
    told = ""
    for source in sources:
        try:
            if isinstance(source, Video):
                with open_container(source.path) as container:
                    video_stream(container, source.path)
            elif not isinstance(source, RemotePhoto):
                decode_photo(read_file(source.path), str(source.path))
        except Exception as error:
            told = told or f"{error}; "
        else:
            return
    raise FercompError(f"{told}nothing can be annotated, so {path} stays as it is")


def _joined(folder: object, file: str) -> str:
    return f"{folder}".replace("\\", "/").rstrip("/") + f"/{file}"
