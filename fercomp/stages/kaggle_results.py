"""Files that a kernel has left, put where the command would have written them here."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from fercomp.core.files import atomic_file, atomic_folder, link_or_copy, sha256
from fercomp.core.paths import Workspace
from fercomp.core.progress import say
from fercomp.core.reading import is_there
from fercomp.kaggle.kernels.outputs import OutputEntry
from fercomp.modeling.bundle.card import CARD
from fercomp.stages.kaggle_jobs import TABLES


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
    placed, models = [], sorted({str(PurePosixPath(f.path).parent) for f in files if _is_card(f, files)})
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


def _is_card(file: OutputEntry, files: Sequence[OutputEntry]) -> bool:
    """Tells whether a file is the card of a model that is not a member of another one."""
    path = PurePosixPath(file.path)
    cards = {str(PurePosixPath(one.path).parent) for one in files if PurePosixPath(one.path).name == CARD}
    return path.name == CARD and not any(str(parent) in cards for parent in path.parent.parents)
