"""Files that a kernel has left, put where the command would have written them here."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file, atomic_folder, followed, link_or_copy, require_kind, sha256
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.reading import is_there
from fercomp.core.temporary import part_name, sweep_once
from fercomp.kaggle.kernels.outputs import OutputEntry
from fercomp.kaggle.kernels.runs import brought_folder
from fercomp.modeling.bundle.card import CARD
from fercomp.stages.at_kaggle.jobs import TABLES


def check_places(leaves: Sequence[str], workspace: Workspace) -> None:
    """Checks that what a command leaves can be put in its place, before it costs hours.

    Args:
        leaves: Patterns of what it leaves. Of those with a star only the folder is looked at.
        workspace: Where they go.

    Raises:
        FercompError: Something else is in such a place, or it cannot be written to.
    """
    require_kind(brought_folder(workspace), folder=True)
    for pattern in leaves:
        place = workspace.root / pattern
        is_folder = place.suffix != ".csv" or place.parent == workspace.models
        if pattern in TABLES:
            is_there(place)
        elif "*" not in pattern:
            require_kind(followed(place) if is_folder else place, is_folder)
        _require_writable(followed(place.parent))


def _require_writable(folder: Path) -> None:
    """Checks that files can be made in a folder, which need not exist yet; nothing of it stays."""
    existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    sweep_once(existing)
    try:
        file = existing / part_name("")
        file.touch(exist_ok=False)
        file.unlink()
    except OSError as error:
        raise FercompError(f"cannot write {folder}: {error.strerror}; choose another folder") from error


@contextmanager
def nothing_empty(leaves: Sequence[str], workspace: Workspace) -> Iterator[None]:
    """Removes folders that a block made for results and left empty, and our own in any case."""
    parents = [folder for pattern in leaves for folder in PurePosixPath(pattern).parents]
    made = {folder for folder in (workspace.root / p for p in parents) if not folder.exists()}
    brought = brought_folder(workspace)
    try:
        yield
    finally:
        for folder in sorted((*made, brought, brought.parent), reverse=True):  # those inside come first
            with suppress(OSError):
                folder.rmdir()


def put_in_place(files: Sequence[OutputEntry], folder: Path, workspace: Workspace) -> list[Path]:
    """Puts files in their places: a model's folder as a whole, other files one by one, each atomically.

    Tables that would say of which photos a model knows are only put where there are none.

    Args:
        files: What they are, checked against the command that wrote them.
        folder: Where they lie, each called by its SHA-256.
        workspace: Where they go.

    Returns:
        The folders and files that were written.
    """
    placed, models = [], _models(files)
    for model in models:
        target = workspace.root / model
        with atomic_folder(target) as new:
            for file in (file for file in files if file.path.startswith(f"{model}/")):
                path = new / file.path.removeprefix(f"{model}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                link_or_copy(folder / file.sha256, path)
        placed.append(target)
    for file in files:
        target = workspace.root / file.path
        if file.path.startswith(tuple(f"{model}/" for model in models)):
            continue
        if file.path in TABLES and is_there(target):
            if sha256(target) != file.sha256:
                say(
                    f"{target} is kept; at Kaggle it came out otherwise, so scores are not of the same photos"
                )
            continue
        if target.name.casefold() == workspace.history.name:  # on some disks HISTORY.csv is the same file
            continue
        with atomic_file(target) as temporary:
            temporary.unlink()
            link_or_copy(folder / file.sha256, temporary)
        placed.append(target)
    return placed


def _models(files: Sequence[OutputEntry]) -> list[str]:
    """Returns the folders of models among some files, but for those of members of others."""
    paths = [PurePosixPath(file.path) for file in files]
    folders = {path.parent for path in paths if path.name == CARD}
    return sorted(str(folder) for folder in folders if folders.isdisjoint(folder.parents))
