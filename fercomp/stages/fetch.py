"""Where the competition's files come from. Whatever the source, they arrive whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_folder, followed, link_or_copy, require_space
from fercomp.core.locks import exclusive
from fercomp.core.params import COMPETITION, LayoutParams
from fercomp.core.paths import at_home
from fercomp.core.progress import track
from fercomp.core.reading import is_there
from fercomp.data.archive import MAX_FOLDERS, unpack
from fercomp.data.competition_files import TRAIN_FOLDER, photos_on_disk
from fercomp.data.layout import arrange, missing
from fercomp.demo.competition import is_demo, write_demo

OURS: Final = LayoutParams()
"""The layout that the rest of the code knows."""

NAMED: Final = ("demo", "kaggle")
"""Sources that are chosen by a name. Anything else is a path."""


@dataclass(frozen=True)
class FetchReport:
    """What was fetched.

    Attributes:
        source: What the files came from.
        train_photos: Number of pictures below `train/`.
        test_photos: Number of pictures below `test_kaggle/`.
        where: The folder they are in now.
        kept: Whether they were there before, and nothing was fetched.
    """

    source: str
    train_photos: int
    test_photos: int
    where: Path
    kept: bool = False


def fetch_unless_real(source: str, raw: Path, competition: str, layout: LayoutParams) -> FetchReport:
    """Fetches what the parameters name, but never draws the demo over the files of a competition.

    `demo` is the default of `fetch.source`, so that a pipeline runs with nothing configured. Whoever has
    fetched real files by hand and then starts the pipeline wants those.

    Args:
        source: See `fetch`.
        raw: See `fetch`.
        competition: See `fetch`.
        layout: See `fetch`.

    Returns:
        What was fetched, or what was there and is kept.

    Raises:
        FercompError: See `fetch`; or other files are there that are no whole competition.
    """
    others = [path.name for path in raw.glob("*") if not path.name.startswith(".")]
    if source == "demo" and others and not is_demo(raw):
        if lacking := missing(raw, OURS):
            raise FercompError(
                f"{raw} holds other files than the demo's, which would take their place, and lacks "
                f"{', '.join(lacking)}: give the files of a competition by --source, or fetch.source in "
                "params.yaml, or move the folder away"
            )
        return _report("files fetched earlier", raw, raw, kept=True)
    return fetch(source, raw, competition, layout)


def fetch(source: str, raw: Path, competition: str = COMPETITION, layout: LayoutParams = OURS) -> FetchReport:
    """Brings the competition's files to `raw`, in place of what is there.

    Args:
        source: A name of `NAMED`, or the path of a zip archive or a folder. Their files may lie one
            folder deeper.
        raw: The folder to be made or replaced. It stays as it was until the new files are complete. The
            archive that comes from Kaggle is kept beside it.
        competition: The last part of the competition's address at Kaggle, for the source `kaggle`.
        layout: How that competition lays out its files; the demo has the default.

    Returns:
        What was fetched.

    Raises:
        FercompError: There is no such source, it lacks files of the competition, cannot be read or
            does not fit on the disk, or another fetch is at work.
    """
    where, raw = raw, followed(raw)  # a link to another disk stays a link
    if source == "demo":
        layout = OURS
    title, fill = _source(source, raw, competition, layout)
    if raw.exists() and not raw.is_dir():
        raise FercompError(
            f"{where} is a file, the folder of the competition's files was expected: move it away"
        )
    busy = f"another fetch is writing {raw}: wait until it has ended"
    with exclusive(raw.parent, busy), atomic_folder(raw) as temporary:
        inbox = Path(tempfile.mkdtemp(dir=temporary))
        fill(inbox)
        for item in _root(inbox, source, layout).iterdir():
            item.rename(temporary / item.name)
        shutil.rmtree(inbox)
        arrange(temporary, layout)
        return _report(title, temporary, where)


def _report(title: str, folder: Path, where: Path, kept: bool = False) -> FetchReport:
    photos = photos_on_disk(folder)
    train = sum(photo.startswith(f"{TRAIN_FOLDER}/") for photo in photos)
    return FetchReport(title, train, len(photos) - train, where, kept)


def _source(
    source: str, raw: Path, competition: str, layout: LayoutParams
) -> tuple[str, Callable[[Path], None]]:
    """Returns what a user is told that a source is, and what puts its files into an empty folder."""
    if source == "demo":
        return "demo (faces drawn by fercomp)", write_demo
    if source == "kaggle":
        return f"kaggle ({competition})", partial(_download, competition, layout, raw.parent)
    path = Path(at_home(source))
    if not os.path.isdir(path) and not is_there(path):  # noqa: PTH112 - no path is too long for this one
        raise FercompError(
            f"unknown source {source!r}: expected {' or '.join(map(repr, NAMED))}, or the path of an "
            "existing zip archive or folder"
        )
    path = path.resolve()
    if path.is_relative_to(raw) or raw.is_relative_to(path):
        raise FercompError(f"the source {source} and {raw} lie in one another: move the source elsewhere")
    return source, partial(_copy, path, layout) if path.is_dir() else partial(unpack, path)


def _download(competition: str, layout: LayoutParams, archives: Path, folder: Path) -> None:
    from fercomp.kaggle.client.download import fetch_archive

    if there := mounted(competition, os.environ):
        return _link(there, layout, folder)
    return unpack(fetch_archive(competition, archives), folder)


def mounted(competition: str, environment: Mapping[str, str]) -> Path | None:
    """Returns where a notebook or kernel at Kaggle finds a competition's files, which are read-only there.

    Args:
        competition: The last part of its address.
        environment: Environment variables: Kaggle's own, or `FERCOMP_KAGGLE`, which names Kaggle's folder.
    """
    usual = "/kaggle" if "KAGGLE_KERNEL_RUN_TYPE" in environment else ""
    top = environment.get("FERCOMP_KAGGLE") or usual
    places = [Path(top, "input", "competitions", competition), Path(top, "input", competition)]
    return next((place for place in places if top and place.is_dir()), None)


def _link(source: Path, layout: LayoutParams, folder: Path) -> None:
    """Links what lies at the top of a competition's files; where `arrange` moves what is inside, copies."""
    root = _root(source, str(source), layout)
    folders = {layout.train, layout.test}
    if len(folders) == 1 or any("/" in name for name in folders):
        return _copy(root, layout, folder)
    for item in root.iterdir():
        (folder / item.name).symlink_to(item)
    return None


def _root(folder: Path, source: str, layout: LayoutParams) -> Path:
    """Finds the competition's files in `folder` or in one of its folders."""
    candidates = [folder, *sorted(child for child in folder.iterdir() if child.is_dir())]
    for candidate in candidates:
        if not missing(candidate, layout):
            return candidate
    lacking = min((missing(candidate, layout) for candidate in candidates), key=len)
    expected = [*filter(None, (layout.table, layout.sample)), f"{layout.train}/", f"{layout.test}/"]
    raise FercompError(
        f"{source} lacks {', '.join(lacking)}: expected the competition's files, {', '.join(expected)}, "
        "at its top or in one folder; another layout is set by fetch.layout in params.yaml"
    )


def _copy(source: Path, layout: LayoutParams, folder: Path) -> None:
    """Copies the competition's files; on the same disk as hard links, which take no time and no room."""
    try:
        root = _root(source, str(source), layout)
        files = list(_files(root))
        if root.stat().st_dev != folder.stat().st_dev:
            require_space(folder, sum(file.stat().st_size for file in files))
        for name in (layout.train, layout.test):
            if (root / name).is_dir():  # an empty one has no files
                (folder / name).mkdir(parents=True, exist_ok=True)
        for file in track(files, "copying", "file"):
            target = folder / file.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(file.resolve(), target)
    except (PermissionError, FileNotFoundError) as error:
        raise FercompError(f"cannot copy {error.filename}: {error.strerror}") from error


def _files(root: Path) -> Iterator[Path]:
    """Walks all files below a folder, also those in folders that are links."""

    def fail(error: OSError) -> None:
        raise error  # os.walk would pass over a folder that it cannot read

    for folder, _, names in os.walk(root, onerror=fail, followlinks=True):
        here = Path(folder)
        if len(here.relative_to(root).parts) > MAX_FOLDERS:
            raise FercompError(f"{root} has folders in folders, more than {MAX_FOLDERS} deep: {here}")
        if here.is_symlink() and here.parent.resolve().is_relative_to(here.resolve()):
            raise FercompError(f"{here} is a link to a folder that it lies in: remove it")
        for name in names:
            file = here / name
            if not file.is_file():
                raise FercompError(
                    f"{file} is not a file that can be copied (a broken link or a device): remove it"
                )
            yield file
