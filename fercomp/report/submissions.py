"""What was sent to Kaggle, as tables for the terminal and as a picture."""

from typing import TYPE_CHECKING

from fercomp.core.paths import Workspace
from fercomp.core.terminal import one_line
from fercomp.core.text_table import numbers, text_table, texts
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
    rows = (
        (
            str(row.time)[:16].replace("T", " "),
            str(row.experiment or row.file),
            *(str(cell) for cell in (row.holdout_accuracy, row.public, row.private, row.status)),
            str(row.message).partition(" [sha256:")[0],
        )
        for row in history.iloc[::-1].itertuples()
    )
    scores = numbers("holdout", "public", "private")
    return text_table(texts("sent (UTC)", "experiment") | scores | texts("state", "message"), rows)


def leaderboard_table(standing: Standing) -> "Table":
    """Lays the leaderboard out for the terminal: the top, then one's own place if it is further down."""
    from rich.text import Text

    places = list(standing.top)
    if standing.own and standing.own not in places:
        places.append(standing.own)
    rows = []
    for rank, place in places:
        style = "bold green" if (rank, place) == standing.own else ""
        cells = (f"{rank:,}", place.team, place.score, place.time[:16].replace("T", " "))
        rows.append([Text(one_line(cell), style=style) for cell in cells])
    columns = numbers("rank") | texts("team") | numbers("score") | texts("sent (UTC)")
    return text_table(columns, rows)


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
