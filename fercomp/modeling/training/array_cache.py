"""Arrays that take long to compute and are kept on disk between runs."""

from pathlib import Path
from tokenize import TokenError

import numpy as np

from fercomp.core.files import atomic_file


def read_kept(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """Returns the float32 array of a file; `None` where there is none of this shape, or it is damaged."""
    try:
        with path.open("rb") as file:  # unlike `np.load`, it never reads it as a zip
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError, TokenError):
        return None
    return array if array.shape == shape and array.dtype == np.float32 else None


def keep(array: np.ndarray, path: Path) -> np.ndarray:
    """Writes an array for `read_kept`, and returns it."""
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    return array
