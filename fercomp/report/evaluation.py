"""What a model is worth, as files beside it: numbers for DVC, tables and pictures for people."""

from pathlib import Path
from typing import TYPE_CHECKING

from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file, write_json
from fercomp.core.tables import FLOAT_FORMAT, holdout_table, pred_probs
from fercomp.modeling.card import HISTORY, HOLDOUT, read_card
from fercomp.modeling.metrics import Scores, confusion, per_class, score
from fercomp.report.plots import plot_confusion, plot_history, plot_reliability

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table


def evaluate_model(folder: Path) -> "tuple[Scores, pd.DataFrame]":
    """Scores a model by its holdout table and writes the result beside it.

    Writes `metrics.json`, `per_class.csv`, `confusion.csv` (rows: given label, columns: predicted),
    `confusion.png`, `reliability.png` and `history.png`.

    Args:
        folder: The bundle, with the tables that `fercomp train` left in it.

    Returns:
        The scores, and one row per class: `emotion`, `precision`, `recall`, `f1`, `photos`.

    Raises:
        FercompError: The bundle lacks a table, or the table holds a label the model does not know.
    """
    import pandas as pd

    classes = read_card(folder).classes
    table = holdout_table(classes).read(folder / HOLDOUT)
    strange = sorted(set(table["emotion"]) - set(classes))
    if strange or table.empty:
        what = f"labels unknown to the model {strange}" if strange else "no photo"
        raise FercompError(f"{folder / HOLDOUT} has {what}: run `fercomp train` again")
    probabilities, labels = pred_probs(table, classes), table["emotion"].map(classes.index).to_numpy()
    scores, by_class = score(probabilities, labels), per_class(probabilities, labels, classes)
    counts = confusion(probabilities, labels)
    write_json(folder / "metrics.json", scores.rounded())
    with atomic_file(folder / "per_class.csv") as path:
        by_class.to_csv(path, index=False, float_format=FLOAT_FORMAT)
    with atomic_file(folder / "confusion.csv") as path:
        pd.DataFrame(counts, index=list(classes), columns=list(classes)).to_csv(path, index_label="emotion")
    plot_confusion(counts, classes, folder / "confusion.png")
    plot_reliability(probabilities, labels, folder / "reliability.png")
    plot_history(pd.read_csv(folder / HISTORY), folder / "history.png")
    return scores, by_class


def per_class_table(by_class: "pd.DataFrame", title: str) -> "Table":
    """Lays out the scores of each class for the terminal."""
    from rich.table import Table

    table = Table(title=title)
    table.add_column("emotion")
    for column in ("precision", "recall", "f1", "photos"):
        table.add_column(column, justify="right")
    for _, row in by_class.iterrows():
        shares = (f"{row[column]:.3f}" for column in ("precision", "recall", "f1"))
        table.add_row(str(row["emotion"]), *shares, str(row["photos"]))
    return table
