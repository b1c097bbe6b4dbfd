"""Tables for the terminal, all of one look; `terminal.show` prints them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from fercomp.core.terminal import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

Side = Literal["left", "right"]


def text_table(
    columns: Mapping[str, Side], rows: Iterable[Iterable["str | Text"]], title: str | None = None
) -> "Table":
    """Lays rows out for the terminal.

    Args:
        columns: The side on which a column's cells are, by its heading. What is on the left is folded where
            there is no room, what is on the right, numbers, never.
        rows: A cell for each column.
        title: What stands above.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title and one_line(title), box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name, side in columns.items():
        table.add_column(name, justify=side, overflow="fold", no_wrap=side == "right")
    for row in rows:
        table.add_row(*(one_line(cell) if isinstance(cell, str) else cell for cell in row))
    return table


def fitting_table(
    columns: Mapping[str, Side],
    rows: Iterable[Iterable["str | Text"]],
    dropped: Sequence[str],
    console: "Console",
) -> "Table":
    """Lays rows out for a terminal, without the columns for which it is too narrow: no name is broken.

    Args:
        columns: See `text_table`.
        rows: A cell for each column.
        dropped: Headings of columns that may go, the first one first.
        console: Where the table is shown.
    """
    from rich.measure import Measurement

    cells = [dict(zip(columns, row, strict=True)) for row in rows]
    shown, wide = dict(columns), console.options.update(width=10_000)
    going = [name for name in dropped if name in columns]
    while True:
        table = text_table(shown, ([row[name] for name in shown] for row in cells))
        if not going or Measurement.get(console, wide, table).maximum <= console.width:
            return table
        del shown[going.pop(0)]


def breaks_words(table: "Table", console: "Console") -> bool:
    """Says whether a terminal is too narrow for a word of a table, such as a path, which would be broken."""
    from rich.measure import Measurement

    return Measurement.get(console, console.options.update(width=10_000), table).minimum > console.width


def numbers(*names: str) -> dict[str, Side]:
    """Returns columns of numbers."""
    return dict.fromkeys(names, "right")


def texts(*names: str) -> dict[str, Side]:
    """Returns columns of text."""
    return dict.fromkeys(names, "left")
