"""What was sent to Kaggle, as tables for the terminal and as a picture."""

from typing import TYPE_CHECKING

from fercomp.core.paths import Workspace
from fercomp.kaggle.history import read_history
from fercomp.kaggle.leaderboard import Standing

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table


def history_table(history: "pd.DataFrame") -> "Table":
    """Lays the record out for the terminal, the newest first.

    Args:
        history: Table `HISTORY`.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("sent (UTC)", no_wrap=True)
    table.add_column("experiment", overflow="fold")
    for name in ("holdout", "public", "private"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("message", overflow="fold")
    for row in history.iloc[::-1].itertuples():
        cells = (
            str(row.time)[:16].replace("T", " "),
            row.experiment or row.file,
            *(row.holdout_accuracy, row.public, row.private, row.status),
            str(row.message).partition(" [sha256:")[0],
        )
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table


def leaderboard_table(standing: Standing) -> "Table":
    """Lays the leaderboard out for the terminal: the top, then one's own place if it is further down."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name, side in (("rank", "right"), ("team", "left"), ("score", "right"), ("sent (UTC)", "left")):
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    places = list(standing.top)
    if standing.own and standing.own not in places:
        places.append(standing.own)
    for rank, place in places:
        style = "bold green" if (rank, place) == standing.own else ""
        cells = (f"{rank:,}", place.team, place.score, place.time[:16].replace("T", " "))
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def draw_history(workspace: Workspace) -> bool:
    """Draws holdout accuracy against Kaggle's scores to `submissions/history.png`.

    Returns:
        Whether there was anything to draw; without it an older picture is removed.
    """
    import pandas as pd

    from fercomp.report.plots import plot_scores

    history = read_history(workspace)
    for name in ("holdout_accuracy", "public", "private"):
        history[name] = pd.to_numeric(history[name], errors="coerce")
    history = history[history["holdout_accuracy"].notna()]
    history = history[history[["public", "private"]].notna().any(axis=1)]
    if history.empty:
        workspace.history_plot.unlink(missing_ok=True)
        return False
    plot_scores(
        history["experiment"].tolist(),
        history["holdout_accuracy"].to_numpy(),
        {name: history[name].to_numpy() for name in ("public", "private") if history[name].notna().any()},
        workspace.history_plot,
    )
    return True
