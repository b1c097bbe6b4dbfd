"""Lists of photos and clips: a text file with one in each line, or a Parquet file with a column of them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fercomp.annotate.records.parquet import require_parquet
from fercomp.core.errors import FercompError, in_brief

LIST_SUFFIXES: Final = frozenset({".txt", ".parquet"})

COLUMN: Final = "path"

_LONGEST: Final = 2**16
"""Bytes of a line; a longer one is in no list of paths."""


def is_list(path: Path) -> bool:
    """Says whether a path that the user gave is that of a list."""
    return path.suffix.lower() in LIST_SUFFIXES and path.is_file()


def listed(path: Path) -> Iterator[str]:
    """Reads what is on a list, line by line; empty lines are left out.

    Args:
        path: The list. Paths on it are relative to the current folder, as those on the command line.

    Raises:
        FercompError: It cannot be read, or is no list.
    """
    try:
        yield from _of_parquet(path) if path.suffix.lower() == ".parquet" else _of_text(path)
    except OSError as error:
        raise FercompError(f"cannot read {path}: {error.strerror or error}; name another list") from error


def _of_text(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LONGEST + 1):
            number += 1
            name = line.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").strip(b"\r\n")
            if len(line) > _LONGEST or b"\0" in line:
                raise FercompError(
                    f"{path}, line {number} is no path: expected a list of photos, one in each line"
                )
            if name:
                yield os.fsdecode(name)


def _of_parquet(path: Path) -> Iterator[str]:
    require_parquet("list them in a text file")
    import pyarrow
    from pyarrow import parquet

    wanted = f"expected a Parquet file with a column {COLUMN!r} of texts"
    try:
        with parquet.ParquetFile(path) as file:
            if COLUMN not in file.schema_arrow.names:
                there = ", ".join(file.schema_arrow.names[:8])
                raise FercompError(f"{path} has the columns {there}: {wanted}")
            for batch in file.iter_batches(columns=[COLUMN]):
                for name in batch.column(0).to_pylist():
                    if name is not None and not isinstance(name, str | bytes):
                        raise FercompError(f"{path} has {str(name)[:40]!r} as {COLUMN}: {wanted}")
                    text = os.fsdecode(name or "")
                    if len(text) > _LONGEST or "\0" in text:
                        raise FercompError(
                            f"{path} has {text[:40]!r} as {COLUMN}, which is no path: {wanted}"
                        )
                    if text:
                        yield text
    except (pyarrow.ArrowException, UnicodeError) as error:
        raise FercompError(f"{path} cannot be read ({in_brief(error, 120)}): {wanted}") from error
