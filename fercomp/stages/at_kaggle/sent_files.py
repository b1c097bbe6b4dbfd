"""The files that a job at Kaggle reads from here: none that lies outside the workspace."""

from pathlib import Path

from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.reading import is_there
from fercomp.kaggle.kernels.packing import PACKAGE
from fercomp.modeling.bundle.find import CAME_ALONG, model_files


def files_of_model(folder: Path, workspace: Workspace, *further: str) -> dict[str, Path | bytes]:
    """Lists what a model's probabilities come from, and what else is wanted of it."""
    top, files = sent_as(folder, workspace), model_files(folder, *further)
    for path in files.values():
        if not path.resolve().is_relative_to(folder.resolve()):
            raise FercompError(f"{path} is a link out of its model's folder: put a copy there to send it")
    return {f"{top}/{name}": path for name, path in files.items()}


def sent_as(folder: Path, workspace: Workspace) -> str:
    """Returns where a model is in the kernel's folder."""
    if came := next((name for name, place in CAME_ALONG.items() if place == folder), None):
        return f"{PACKAGE.name}/{came}"
    if folder.resolve().parent != workspace.models.resolve():
        raise FercompError(f"{folder} is not under {workspace.models}: move it there, so that it can travel")
    return f"models/{folder.name}"


def needed_file(workspace: Workspace, name: str, remedy: str) -> dict[str, Path | bytes]:
    """Lists a file that a training learns from.

    Raises:
        FercompError: It is not there, or is a link to something that is not in this folder; says the remedy.
    """
    path = workspace.root / name
    if not is_there(path) or not path.resolve().is_relative_to(workspace.root.resolve()):
        raise FercompError(f"{name} is not in this folder, and the training learns from it: {remedy}")
    return {Path(name).as_posix(): path}


def files_at(workspace: Workspace, *patterns: str) -> dict[str, Path | bytes]:
    """Lists the files that are at, or below, some paths.

    Raises:
        FercompError: One of them is a link to something that is not in this folder.
    """
    found: dict[str, Path | bytes] = {}
    for place in (place for pattern in patterns for place in sorted(workspace.root.glob(pattern))):
        inside = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
        for path in inside:
            if path.is_symlink() and not path.resolve().is_relative_to(workspace.root.resolve()):
                raise FercompError(f"{path} is a link out of this folder: put a copy there to send it")
        found |= {path.relative_to(workspace.root).as_posix(): path for path in inside}
    return {name: path for name, path in found.items() if not name.endswith(".lock")}
