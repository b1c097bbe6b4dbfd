"""One kind of CSV: its columns, how it is written, and what is checked when it is read.

A CSV may come from anywhere, so `Table.read` checks what it finds and says what it expected.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fercomp.core.csv_checks import Check
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file
from fercomp.core.reading import is_there

if TYPE_CHECKING:
    import pandas as pd

FLOAT_FORMAT: Final = "%.6f"

FORMER_NAMES: Final = MappingProxyType({"holdout_probs.csv": "holdout.csv", "test_probs.csv": "test.csv"})
"""What earlier versions called a model's tables of probabilities; they are read under either name."""


@dataclass(frozen=True)
class Table:
    """The columns of one kind of CSV.

    Attributes:
        columns: Column name to dtype: `"str"`, `"int64"` or `"float64"`. Text that is missing reads
            as the empty string. Numbers are finite.
        remedy: What a user does when the file is missing or is not such a table.
        checks: What else must be true of the values.
        may_be_nan: Columns of numbers that may be missing, written as `nan` or as nothing.
    """

    columns: Mapping[str, str]
    remedy: str
    checks: tuple[Check, ...] = ()
    may_be_nan: tuple[str, ...] = ()

    def read(self, path: Path) -> "pd.DataFrame":
        """Reads the table and checks it.

        Args:
            path: The CSV, or where it would be were it not under its former name (`existing`). Further
                columns are left out.

        Returns:
            The columns of this table, in its order.

        Raises:
            FercompError: The file is missing or something else than a file, lacks a column or has it twice,
                or holds a value of another type or one that cannot be.
        """
        path = existing(path)
        if not is_there(path):
            raise FercompError(f"{path} not found: {self.remedy}{_another_folder(path)}")
        frame = self._typed(self._texts(path), path)
        for check in (self._finite, *self.checks):
            if wrong := check(frame):
                row, what = wrong
                raise FercompError(f"{path}, line {row + 2} has {what}: {self.remedy}")
        return frame

    def _texts(self, path: Path) -> "pd.DataFrame":
        """Reads the columns of this table as they are written."""
        import pandas as pd

        try:
            header = header_of(path)
            frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise FercompError(f"{path} is not a CSV table ({error}): {self.remedy}") from error
        except OSError as error:
            raise FercompError(f"cannot read {path}: {error.strerror}; {self.remedy}") from error
        if not isinstance(frame.index, pd.RangeIndex):  # how pandas reads rows longer than the header
            raise FercompError(f"{path} has rows with more values than columns: {self.remedy}")
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise FercompError(
                f"{path} lacks the columns {missing}; it has {list(frame.columns)}: {self.remedy}"
            )
        if twice := [name for name in self.columns if header.count(name) > 1]:
            raise FercompError(f"{path} has the columns {twice} more than once: {self.remedy}")
        return frame[list(self.columns)]

    def _typed(self, frame: "pd.DataFrame", path: Path) -> "pd.DataFrame":
        missing = [name for name in self.columns if name in self.may_be_nan]
        frame = frame.assign(**{name: frame[name].replace("", "nan") for name in missing})
        try:
            return frame.astype({name: kind for name, kind in self.columns.items() if kind != "str"})
        except (ValueError, OverflowError) as error:
            raise FercompError(f"{path} holds a value of the wrong type ({error}): {self.remedy}") from error

    def _finite(self, frame: "pd.DataFrame") -> tuple[int, str] | None:
        import numpy as np

        for name, kind in self.columns.items():
            if kind == "float64":
                values = frame[name].to_numpy()
                wrong = np.isinf(values) if name in self.may_be_nan else ~np.isfinite(values)
                if wrong.any():
                    row = int(wrong.argmax())
                    return row, f"{values[row]} as {name}, a number was expected"
        return None

    def write(self, frame: "pd.DataFrame", path: Path) -> None:
        """Writes the columns of this table, in its order, atomically."""
        write_csv(frame[list(self.columns)], path)


def _another_folder(path: Path) -> str:
    """Returns a hint where a path of the current folder has nothing of its first folder there."""
    top = Path(path.parts[0])
    if path.is_absolute() or len(path.parts) == 1 or top.exists():
        return ""
    return f", or `cd` to the folder that you work in: {Path.cwd()} has no {top}/"


def header_of(path: Path) -> list[str]:
    """Returns the names in a CSV's first line as they are written, empty ones and doubles among them."""
    import pandas as pd

    line = pd.read_csv(path, dtype="str", header=None, nrows=1, keep_default_na=False, encoding="utf-8-sig")
    return [str(name) for name in line.iloc[0]]


def write_csv(frame: "pd.DataFrame", path: Path, index_label: str | None = None) -> None:
    """Writes a table as every CSV of ours is written, on every system: six decimals, Unix line ends.

    Args:
        frame: The table.
        path: The CSV.
        index_label: Name of the index' column, where the index is to be written.
    """
    with atomic_file(path) as temporary:
        frame.to_csv(
            temporary,
            index=index_label is not None,
            index_label=index_label,
            float_format=FLOAT_FORMAT,
            lineterminator="\n",
        )


def existing(path: Path) -> Path:
    """Returns the path of a table or, where only the file of its former name is there, the path of that."""
    if path.exists() or path.name not in FORMER_NAMES:
        return path
    former = path.with_name(FORMER_NAMES[path.name])
    return former if former.is_file() else path
