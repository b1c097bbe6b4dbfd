"""Records as Parquet: columns of fixed types, for programs that read millions of rows.

A Parquet file is readable only when it is complete. So rows are on record as CSV while a run goes on, which
loses nothing to a kill, and the Parquet file is made of that at the end, as a whole.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from fercomp.annotate.records.rows import TEXT
from fercomp.annotate.records.table import RecordFormat
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file, set_aside
from fercomp.core.progress import say

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


def clear_parquet(records: Path, is_ours: bool) -> None:
    """Removes the Parquet file of records that are about to change; one of somebody else is kept aside."""
    path = parquet_of(records)
    if is_ours:
        path.unlink(missing_ok=True)
    elif path.is_symlink() or path.exists():
        say(f"{path} was not written by annotate: it is now {set_aside(path).name}")


def _type(name: str, arrow: "pyarrow") -> "pyarrow.DataType":
    if name in TEXT:
        return arrow.string()
    return arrow.int64() if name in _WHOLE_NUMBERS else arrow.float64()
