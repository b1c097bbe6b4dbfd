"""Small files that may come from anywhere: what is no file, too large or no JSON is told, not waited for."""

import json
import stat
from pathlib import Path
from typing import Any, Never

from fercomp.core.errors import FercompError


def is_there(path: Path) -> bool:
    """Says whether there is a file, and tells of what is in its place: reading a pipe may never end.

    Raises:
        FercompError: A folder, a pipe, a device or a link to nothing has its name, or it cannot be asked for.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if not path.is_symlink():
            return False
        raise FercompError(f"{path} is a link that leads nowhere: mend it, or remove it") from error
    except (OSError, ValueError) as error:  # a link to itself, a folder that may not be entered, a NUL
        why = getattr(error, "strerror", None) or error
        raise FercompError(f"cannot read {path}: {why}; look at its place") from error
    if stat.S_ISREG(mode):
        return True
    what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
    raise FercompError(f"{path} is {what}, a file was expected: move it away")


def read_at_most(path: Path, most: int) -> bytes:
    """Reads a small file that may come from anywhere.

    Args:
        path: The file.
        most: How many bytes it may have.

    Raises:
        FercompError: It cannot be read, is something else than a file, or is larger.
    """
    if not is_there(path):
        raise FercompError(f"{path} not found")
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise FercompError(f"cannot read {path}: {error.strerror}; change its permissions") from error
    if len(data) > most:
        raise FercompError(f"{path} has more than {most:,} bytes: no such file of ours is that large")
    return data


def read_json(path: Path, most: int, remedy: str) -> dict[str, Any]:
    """Reads a JSON object of ours that may come from anywhere.

    Args:
        path: The file, which is there.
        most: How many bytes it may have.
        remedy: What a user does where it is damaged.

    Raises:
        FercompError: It is not one, or holds a number that JSON does not have.
    """

    def refuse(constant: str) -> Never:
        raise ValueError(f"{constant} is no number of JSON")

    try:
        values = json.loads(read_at_most(path, most), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise FercompError(f"{path} is damaged ({error}): {remedy}") from error
    if not isinstance(values, dict):
        raise FercompError(f"{path} is damaged (it holds {type(values).__name__}): {remedy}")
    return values
