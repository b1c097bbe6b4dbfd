"""What a model is worth, as files beside it: numbers for DVC, tables and pictures for people."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.csv_table import write_csv
from fercomp.core.files import write_json
from fercomp.core.progress import say, waiting
from fercomp.core.reading import is_there
from fercomp.core.tables import AXES, HISTORY, TARGETS, holdout_table
from fercomp.core.text_table import numbers, text_table, texts
from fercomp.decisions.calibration import apply_temperature
from fercomp.decisions.metrics import Scores, agreement, calibration_error, confusion, per_class, score
from fercomp.modeling.bundle.card import HISTORY_FILE, HOLDOUT, read_card
from fercomp.modeling.bundle.holdout import holdout_answers, read_holdout
from fercomp.report.label_plots import plot_points
from fercomp.report.plots import (
    plot_confusion,
    plot_history,
    plot_per_class,
    plot_reliability,
    plot_sheet,
    sheet_faces,
    shown_name,
)

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

MISTAKES: Final = "mistakes.png"


def evaluate_model(folder: Path, raw: Path) -> "tuple[Scores, pd.DataFrame]":
    """Scores a model by its holdout table and writes the result beside it.

    A decision that was fitted on the holdout is cross-fitted for this (`bundle.holdout.holdout_answers`).

    Writes `metrics.json` (the scores, and the calibration error before temperature), `per_class.csv`,
    `confusion.csv` (rows: given label, columns: predicted), and pictures: `confusion.png`,
    `per_class.png`, `reliability.png`, `history.png`, `mistakes.png` where the photos are there, and
    `valence_arousal.png` where the model gives points.

    Args:
        folder: The bundle, with the tables that `fercomp train` left in it.
        raw: The folder that the paths of the photos are relative to.

    Returns:
        The scores, and one row per class: `emotion`, `precision`, `recall`, `f1`, `photos`.

    Raises:
        FercompError: The bundle lacks a table, one is damaged, or the holdout's has a label that the model
            does not know; then nothing is written.
    """
    import pandas as pd

    card = read_card(folder)
    table, probabilities, labels = read_holdout(folder, card)
    epochs = folder / HISTORY_FILE
    history = HISTORY.read(epochs) if is_there(epochs) else None  # an ensemble has none
    decided, answers = holdout_answers(card, probabilities, labels), card.rule.answers
    scores, by_class = score(probabilities, labels, decided), per_class(decided, labels, answers)
    counts = confusion(decided, labels, len(answers))
    known = labels < len(card.classes)
    after, before = probabilities[known], apply_temperature(probabilities[known], 1 / card.temperature)
    error_before = round(calibration_error(before, labels[known]), 6)
    numbers = {**scores.rounded(), "calibration_error_before": error_before}
    if card.head != "emotion":
        points = holdout_table(card.classes, points=True).read(folder / HOLDOUT)
        said, meant = points[list(AXES)].to_numpy(), points[list(TARGETS)].to_numpy()
        numbers |= agreement(said, meant)
        plot_points(said, meant, table["emotion"].tolist(), folder.name, folder / "valence_arousal.png")
    write_json(folder / "metrics.json", numbers)
    write_csv(by_class, folder / "per_class.csv")
    counted = pd.DataFrame(counts, index=list(answers), columns=list(answers))
    write_csv(counted, folder / "confusion.csv", index_label="emotion")
    with waiting("drawing confusion, reliability and mistakes"):
        plot_confusion(counts, answers, folder.name, folder / "confusion.png")
        plot_per_class(by_class, counts.sum(axis=0), folder.name, folder / "per_class.png")
        plot_reliability(after, before, labels[known], folder.name, folder / "reliability.png")
        if history is not None:
            plot_history(history, card.trained.get("best_epoch"), folder.name, folder / "history.png")
        _show_mistakes(table, probabilities, labels, decided, answers, raw, folder / MISTAKES)
    return scores, by_class


def _show_mistakes(
    table: "pd.DataFrame",
    probabilities: np.ndarray,
    labels: np.ndarray,
    decided: np.ndarray,
    answers: tuple[str, ...],
    raw: Path,
    path: Path,
) -> None:
    """Draws the photos that the model is most sure about and wrong, the surest first."""
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(decided != labels)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")]
    paths = table["image_path"].iloc[surest].tolist()
    places, faces = sheet_faces(raw, paths)
    captions = [
        f"{shown_name(image)}\n{answers[labels[i]]}\n→ {answers[decided[i]]} {confidence[i]:.2f}"
        for image, i in zip((paths[place] for place in places), surest[places], strict=True)
    ]
    if len(wrong) and not faces:
        path.unlink(missing_ok=True)  # a sheet of an earlier model would be taken for this one's
        say(f"no {path.name}: the holdout photos are not in {raw}; `fercomp fetch` brings them")
        return
    title = f"{len(faces)} surest of {len(wrong):,} mistakes: given label → predicted, its probability"
    title = title if faces else "no mistakes on the holdout"
    plot_sheet(faces, captions, f"{path.parent.name}: {title}", path)


def per_class_table(by_class: "pd.DataFrame", title: str) -> "Table":
    """Lays out the scores of each class for the terminal."""
    rows = (
        (
            str(row["emotion"]),
            *(f"{row[name]:.3f}" for name in ("precision", "recall", "f1")),
            f"{row['photos']:,}",
        )
        for _, row in by_class.iterrows()
    )
    return text_table(texts("emotion") | numbers("precision", "recall", "f1", "photos"), rows, title)
