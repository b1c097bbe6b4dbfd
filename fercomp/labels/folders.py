"""Photos in one folder per label, as people sort them by hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_checks import one_of, unique
from fercomp.core.csv_table import Table
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_folder, link_or_copy
from fercomp.core.progress import count, track

if TYPE_CHECKING:
    import pandas as pd

LIST: Final = Table(
    {"file": "str", "image_path": "str", "emotion": "str", "label": "str"},
    "name a folder that does not exist",
    (unique(), one_of("label", EMOTIONS)),
)
"""What was exported: the file in the folder, the photo it is, its given label and the one it lies under."""

LIST_FILE: Final = "photos.csv"


def export_folders(labels: "pd.DataFrame", raw: Path, target: Path) -> int:
    """Writes a folder with one subfolder per label and in it the photos that have this label.

    Photos are hard links where the disk allows, which take no space, and copies elsewhere. Moving or
    removing one leaves the original as it is; a program that changes a file in place would change both. A
    photo's name tells its old place: `train/anger/7.jpg` becomes `train_anger_7.jpg`. An earlier export is
    replaced, unless somebody has added, moved or removed a file since.

    Args:
        labels: Table `LABELS`; photos that a reviewer dropped are left out.
        raw: The folder that its paths are relative to.
        target: The folder.

    Returns:
        How many photos were written.

    Raises:
        FercompError: The folder holds something else or is inside `raw`, or a photo is missing.
    """
    _refuse_foreign(target, raw)
    kept = labels[labels["suggested"] != ""]
    taken: set[str] = set()
    files = [
        _free_name(f"{label}/{path.replace('/', '_')}", taken)
        for path, label in zip(kept["image_path"], kept["suggested"], strict=True)
    ]
    with atomic_folder(target) as folder:
        for path, file in track(list(zip(kept["image_path"], files, strict=True)), "linking", "photo"):
            (folder / file).parent.mkdir(exist_ok=True)
            try:
                link_or_copy(raw / path, folder / file)
            except FileNotFoundError as error:
                raise FercompError(
                    f"{raw / path} not found: run `fercomp fetch`, then `fercomp prepare`"
                ) from error
        LIST.write(kept.assign(file=files, label=kept["suggested"]), folder / LIST_FILE)
    return len(files)


def _refuse_foreign(target: Path, raw: Path) -> None:
    if raw.resolve() in (target.resolve(), *target.resolve().parents):
        raise FercompError(f"{target} is inside {raw}, which is never changed: name a folder outside of it")
    found = {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir()}
    if not found:
        return
    listed = set(LIST.read(target / LIST_FILE)["file"]) | {LIST_FILE} if LIST_FILE in found else set()
    if strange := sorted(found ^ listed):
        raise FercompError(
            f"{target} is not as an export leaves it: {count(len(strange), 'file')} added, moved or removed, "
            f"such as {strange[0]}; name a folder that is empty or does not exist"
        )


def _free_name(name: str, taken: set[str]) -> str:
    """Adds a number where another photo has this name, which takes paths such as `a_b/c` and `a/b_c`."""
    stem, dot, suffix = name.rpartition(".")
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{stem}-{number}{dot}{suffix}"
    taken.add(free)
    return free
