"""Temporary names beside what is being written, and what killed processes left under them."""

import os
import platform
import re
import secrets
import shutil
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

PART: Final = ".part"
"""How a temporary name begins; the number of the process that writes it comes next."""

_HOST: Final = f"{zlib.crc32(platform.node().encode()) & 0xFFFF:04x}"
"""Where it runs: other machines and containers may share the disk, and have numbers of their own."""

_LEFT: Final = re.compile(
    re.escape(PART) + r"\.(?P<writer>\d+)\."
    r"(?:(?P<host>[0-9a-f]{4})[0-9a-f]{8}(?:\.(?P<old>.+)\.old)?.*|[0-9a-f]{8}(?:\.[^.]*)?)",
    re.DOTALL,
)
"""Names of `part_name`, and those that earlier versions gave: without the host."""

WRITING: Final[set[str]] = set()
"""Temporary names that this process is writing."""

_SWEPT: Final[set[Path]] = set()
"""Folders that this process has looked through."""


def part_name(suffix: str) -> str:
    """Returns a temporary name that nobody else has. `WRITING` has it until what it names is in its place."""
    name = f"{PART}.{os.getpid()}.{_HOST}{secrets.token_hex(4)}{suffix}"
    WRITING.add(name)
    return name


def sweep_once(folder: Path) -> None:
    """Removes what killed processes of this machine left in a folder, when this one first writes there."""
    if folder not in _SWEPT:
        _SWEPT.add(folder)
        sweep_parts(folder, here=True)


def sweep_parts(folder: Path, here: bool = False) -> None:
    """Removes what killed processes left unfinished in a folder, and brings back what they had set aside.

    Args:
        folder: Where to look, not in its folders.
        here: Whether to leave alone what other machines and containers write: whether these still run cannot
            be told. Without it, nobody else may be writing.
    """
    for path in folder.glob(f"{PART}.*"):
        found = _LEFT.fullmatch(path.name)
        if found is None or (here and found["host"] != _HOST) or _is_written(path.name, int(found["writer"])):
            continue
        with suppress(OSError):
            if not path.is_dir():
                path.unlink()
            elif found["old"] and not (folder / found["old"]).exists():
                path.rename(folder / found["old"])
            elif found["host"]:  # or it is not ours
                shutil.rmtree(path)


def _is_written(name: str, process: int) -> bool:
    if process == os.getpid():
        # In a container, a killed process may have had the number that this one has.
        return name in WRITING
    import psutil

    try:
        return bool(psutil.pid_exists(process))
    except OverflowError:
        return False
