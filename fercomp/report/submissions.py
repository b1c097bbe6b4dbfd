"""What was sent to Kaggle, as tables for the terminal and as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fercomp.core.paths import Workspace
from fercomp.core.terminal import one_line
from fercomp.core.text_table import fitting_table, numbers, text_table, texts
from fercomp.kaggle.submissions.history import read_history
from fercomp.kaggle.submissions.leaderboard import Standing
from fercomp.kaggle.submissions.merged import Submission, best_by

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def submissions_table(submissions: Sequence[Submission], console: "Console") -> "Table":
    """Lays submissions out for a terminal, as it has room; who sent them where Kaggle says so."""
    names = ["sent (UTC)", "name"]
    if any(one.by for one in submissions):
        names.append("by")
    rows = (
        (
            one.time[:16].replace("T", " "),
            one.name,
            *([one.by] if "by" in names else []),
            *(one.holdout, one.public, one.private, one.status),
            one.message.partition(" [sha256:")[0],
        )
        for one in submissions
    )
    scores = numbers("holdout", "public", "private")
    columns = texts(*names) | scores | texts("state", "message")
    return fitting_table(
        columns, rows, ("message", "by", "sent (UTC)", "state", "private", "holdout"), console
    )


def proposals(submissions: Sequence[Submission]) -> list[str]:
    """Says which submissions the holdout and the public score would have selected, a line each."""
    lines = []
    for attribute, title in (("holdout", "best on the holdout"), ("public", "best public score")):
        best = best_by(submissions, attribute)
        lines.append(
            f"{title}: {best.name} (number {best.ref}, holdout {best.holdout or 'unknown'}, public "
            f"{best.public or 'unknown'})"
            if best
            else f"{title}: not known of any"
        )
    return lines


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

    from fercomp.report.score_plots import plot_scores

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
