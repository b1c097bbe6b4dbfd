"""What the values of a table must be: each check finds the first row that is not so, and says what it has."""

import posixpath
import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

Check = Callable[["pd.DataFrame"], "tuple[int, str] | None"]
"""From a table to the first row that is wrong (0 is the first below the header) and what is wrong with it, or
`None`."""

SUM_TOLERANCE: Final = 0.01
"""How far the sum of a row's shares may be from 1: what three decimals of nine classes can lose."""


def path_in_raw(name: str) -> str | None:
    """Writes a path out of a CSV in one way, so that equal paths are equal texts.

    Args:
        name: Such as `./train/anger/0.jpg`, or with backslashes.

    Returns:
        Such as `train/anger/0.jpg`, to be taken from the raw folder; `None` for a path that leads out of
        it (absolute, on a drive, or through `..`) and for one that no file can have.
    """
    path = posixpath.normpath(name.replace("\\", "/"))
    if path == ".." or path.startswith(("/", "../")) or re.match("[A-Za-z]:", path) or "\0" in path:
        return None
    return path


def inside_raw() -> Check:
    """Makes the check that paths are relative, in their plain form, and do not lead out of their folder."""
    return _of_column(
        "image_path",
        lambda paths: paths.map(path_in_raw) != paths,
        lambda path: f"the path {path!r}, which is not one inside datasets/raw",
    )


def unique(column: str = "image_path") -> Check:
    """Makes the check that no two rows have the same value in a column."""
    return _of_column(column, lambda values: values.duplicated(), lambda value: f"{value!r} a second time")


def one_of(column: str, known: Collection[str]) -> Check:
    """Makes the check that a column holds known words only."""
    words = ", ".join(word or "nothing" for word in known)
    return _of_column(
        column,
        lambda values: ~values.isin(list(known)),
        lambda value: f"{value!r} as {column}: known are {words}",
    )


def in_range(column: str, least: float, most: float, or_missing: bool = False) -> Check:
    """Makes the check that numbers are in a range, both ends included.

    Args:
        column: The column.
        least: The lowest value.
        most: The highest value.
        or_missing: Whether NaN is allowed, too.
    """
    return _of_column(
        column,
        lambda values: ~(values.between(least, most) | (values.isna() if or_missing else False)),
        lambda value: f"{column} {value}: {least:g} to {most:g} was expected",
    )


def matching(column: str, pattern: str, what: str) -> Check:
    """Makes the check that texts have a form.

    Args:
        column: The column.
        pattern: Regular expression for the whole text.
        what: What it is called in an error.
    """
    return _of_column(
        column,
        lambda values: ~values.str.fullmatch(pattern),
        lambda value: f"{value!r} as {column}: {what} was expected",
    )


def shares(columns: Collection[str]) -> Check:
    """Makes the check that each row of some columns is a distribution: from 0 to 1, with the sum 1."""
    names = list(columns)

    def check(frame: "pd.DataFrame") -> "tuple[int, str] | None":
        values = frame[names].to_numpy(dtype="float64")
        outside = ~((values >= 0) & (values <= 1)).all(axis=1)
        sums = values.sum(axis=1)
        return first_wrong(
            outside, lambda row: f"a probability that is not in 0 to 1 ({values[row].tolist()})"
        ) or first_wrong(
            abs(sums - 1) > SUM_TOLERANCE, lambda row: f"probabilities whose sum is {sums[row]:.6g}, not 1"
        )

    return check


def _of_column(
    column: str, wrong: "Callable[[pd.Series], pd.Series]", told: Callable[[object], str]
) -> Check:
    """Makes a check of one column: which of its values are wrong, and what is said of one that is."""

    def check(frame: "pd.DataFrame") -> "tuple[int, str] | None":
        values = frame[column]
        return first_wrong(wrong(values), lambda row: told(values.iloc[row]))

    return check


def first_wrong(wrong: object, told: Callable[[int], str]) -> "tuple[int, str] | None":
    """Returns what a check does.

    Args:
        wrong: `(N,)` bool, which rows are wrong.
        told: Says what is wrong with one.
    """
    import numpy as np

    mask = np.asarray(wrong, dtype=bool)
    if not mask.any():
        return None
    row = int(mask.argmax())
    return row, told(row)
