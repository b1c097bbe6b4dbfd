"""What is handed over in Python: an argument of another type is told before it fails somewhere inside."""

import math
import os
from numbers import Real

from fercomp.core.errors import FercompError


def wrong_type(expected: str, value: object, remedy: str) -> FercompError:
    """Builds the error for an argument of another type.

    Args:
        expected: What was expected.
        value: What was received.
        remedy: What to do.
    """
    return FercompError(f"expected {expected}, got {type(value).__name__}: {remedy}")


def require_path(path: object, expected: str) -> str:
    """Returns a path as text.

    Args:
        path: Text, or anything with `__fspath__`, such as a `pathlib.Path`.
        expected: What was expected, for the error.

    Raises:
        FercompError: It is neither.

    Example:
        >>> require_path(Path("a") / "b.jpg", "the file of a picture")
        'a/b.jpg'
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise wrong_type(expected, path, "a path is text or a pathlib.Path")
    return text


def require_number(value: object, name: str) -> None:
    """Looks at a number that somebody chose.

    Args:
        value: The number, Python's or NumPy's.
        name: What it is, for the error.

    Raises:
        FercompError: It is none, or none that is finite.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise wrong_type(f"a number as {name}", value, "such as 1 or 0.5")
    try:
        is_finite = math.isfinite(value)
    except OverflowError:  # one of Python's whole numbers, which may be larger than any fraction
        is_finite = False
    if not is_finite:
        raise FercompError(f"{name} {value}: expected a number that is finite")
