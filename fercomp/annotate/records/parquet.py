"""Records as Parquet: columns of fixed types, for programs that read millions of rows.

A Parquet file is readable only when it is complete. So rows are on record as CSV while a run goes on, which
loses nothing to a kill, and the Parquet file is made of that at the end, as a whole.
"""

from collections.abc import Container, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from fercomp.annotate.records.file import RecordFormat, Records
from fercomp.annotate.records.rows import TEXT, columns
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file, set_aside
from fercomp.core.progress import say
from fercomp.core.shards import Shard

if TYPE_CHECKING:
    import pyarrow

TableFormat = Literal["csv", "jsonl", "parquet"]

_WHOLE_NUMBERS: Final = frozenset({"frame", "face", "track", "person", "faces"})

_GROUP: Final = 2**24
"""Bytes of CSV that become a row group; they are in memory at once."""


def require_parquet(otherwise: str = "write --records csv") -> None:
    """Checks that Parquet can be written and read, before hours of work.

    Args:
        otherwise: What a user can do without.

    Raises:
        FercompError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise FercompError(
            "Parquet needs pyarrow: install fercomp's extra `parquet` (or `pip install pyarrow`; in a clone, "
            f"`export FERCOMP_EXTRAS=parquet` before ./run), or {otherwise}"
        )


def rows_format(kind: TableFormat) -> RecordFormat:
    """Returns the format of the rows that are written while a run goes on."""
    return "csv" if kind == "parquet" else kind


def parquet_of(records: Path) -> Path:
    """Returns where the Parquet file of records is: beside them."""
    return records.with_suffix(".parquet")


def write_parquet(records: Path, columns: Sequence[str]) -> None:
    """Makes the Parquet file of records, atomically; the same records give the same bytes.

    Args:
        records: The CSV, complete.
        columns: Its columns. Texts are strings, counts and numbers of frames 64-bit integers, all others
            doubles; what is empty in the CSV is null.
    """
    import pyarrow
    from pyarrow import csv, parquet

    schema = pyarrow.schema([(name, _type(name, pyarrow)) for name in columns])
    options = csv.ConvertOptions(
        column_types=schema, null_values=[""], strings_can_be_null=True, include_columns=list(columns)
    )
    reader = csv.open_csv(
        records, read_options=csv.ReadOptions(block_size=_GROUP, use_threads=False), convert_options=options
    )
    with (
        reader,
        atomic_file(parquet_of(records)) as temporary,
        parquet.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for batch in reader:
            writer.write_batch(batch)


class RunTable:
    """The records of a run, or of one shard of it, and the Parquet file that is made of them, if wanted.

    Args:
        folder: The output folder.
        classes: The model's class names.
        kind: Format of the records.
        shard: Whose they are.

    Attributes:
        rows: What is written while a run goes on.
        path: The records, for the user.
    """

    def __init__(
        self, folder: Path, classes: Sequence[str], kind: TableFormat, shard: Shard | None = None
    ) -> None:
        self._columns, rows = columns(classes), rows_format(kind)
        path = folder / f"records.{rows}"
        self.rows = Records(shard.beside(path) if shard else path, self._columns, rows)
        self._parquet, self._is_wanted = parquet_of(self.rows.path), kind == "parquet"
        self.path = self._parquet if self._is_wanted else self.rows.path

    def clear(self, written: Container[str], is_changed: bool = True) -> list[tuple[str, str]]:
        """Removes the Parquet file of rows that are about to change; one of somebody else is kept aside.

        Args:
            written: Names of what earlier runs wrote.
            is_changed: Whether rows will change.

        Returns:
            The name of the file that will be written, and that it is of no source.
        """
        path = self._parquet
        is_ours = path.name in written
        if is_ours and is_changed:
            path.unlink(missing_ok=True)
        elif self._is_wanted and not is_ours and (path.is_symlink() or path.exists()):
            say(f"{path} was not written by annotate: it is now {set_aside(path).name}")
        return [(path.name, "")] if self._is_wanted else []

    def finish(self) -> None:
        """Makes the Parquet file of all rows."""
        if self._is_wanted:
            write_parquet(self.rows.path, self._columns)


def _type(name: str, arrow: "pyarrow") -> "pyarrow.DataType":
    if name in TEXT:
        return arrow.string()
    return arrow.int64() if name in _WHOLE_NUMBERS else arrow.float64()
