"""What one model got wrong on the holdout, by given label and answer, with the files' names."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element

import numpy as np

from fercomp.core.progress import count
from fercomp.modeling.bundle.card import Card
from fercomp.modeling.bundle.holdout import holdout_answers, read_holdout
from fercomp.report.html.element import Content, command, details, element, percent
from fercomp.report.html.thumbnails import grid, thumbnails

if TYPE_CHECKING:
    import pandas as pd

PICTURES: Final = 150
"""Photos that are shown in all; the largest cells come first."""

_OF_A_CELL: Final = 8
_NAMES: Final = 250
"""Names of files in a cell; how many others there are is said."""

_OPEN, _LARGE = 3, 12
"""Cells that are open at first, and those that are not put away as small ones."""


@dataclass(frozen=True)
class Cell:
    """One kind of mistake.

    Attributes:
        given: The given label.
        answer: What the model answered.
        of: How many photos have that label.
        photos: Those that got that answer, and the probability of their likeliest class, the surest first.
    """

    given: str
    answer: str
    of: int
    photos: tuple[tuple[str, float], ...]


def mistakes_of(folder: Path, card: Card) -> list[Cell]:
    """Collects a model's mistakes on the holdout, as `evaluate` counts them; the largest cells first.

    Args:
        folder: The bundle.
        card: Its card.

    Raises:
        FercompError: Its holdout table is missing or damaged.
    """
    read, probabilities, labels = read_holdout(folder, card)
    decided, answers = holdout_answers(card, probabilities, labels), card.rule.answers
    return _cells(read, probabilities.max(axis=1), labels, decided, answers)


def _cells(
    read: "pd.DataFrame",
    confidence: np.ndarray,
    labels: np.ndarray,
    decided: np.ndarray,
    answers: tuple[str, ...],
) -> list[Cell]:
    wrong = np.flatnonzero(labels != decided)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")]
    paths = read["image_path"].to_numpy()
    found: dict[tuple[int, int], list[tuple[str, float]]] = {}
    for i in surest.tolist():
        pair = int(labels[i]), int(decided[i])
        found.setdefault(pair, []).append((str(paths[i]), float(confidence[i])))
    of = np.bincount(labels, minlength=len(answers))
    cells = [
        Cell(answers[given], answers[answer], int(of[given]), tuple(photos))
        for (given, answer), photos in found.items()
    ]
    return sorted(cells, key=lambda cell: (-len(cell.photos), cell.given, cell.answer))


def mistakes_section(model: str, cells: list[Cell], review: str, raw: Path | None) -> list[Element]:
    """Shows mistakes.

    Args:
        model: The model's name.
        cells: Of `mistakes_of`.
        review: The command that makes suggestions of these doubts.
        raw: The folder that the paths are relative to; `None` shows no photos.
    """
    if not cells:
        return [element("p", f"{model} made no mistakes on the holdout.")]
    wrong = sum(len(cell.photos) for cell in cells)
    shown = {cell: [path for path, _ in cell.photos[:_OF_A_CELL]] for cell in cells}
    wanted = [path for paths in shown.values() for path in paths][:PICTURES]
    pictures = thumbnails(raw, wanted) if raw is not None else {}
    steps: list[Content] = ["Whether the label or the model is wrong is yours to say: "]
    if review:
        steps += [command(review), ", then "]
    steps += [command("fercomp review"), " and choose the pair under ", element("i", "show"), "."]
    drawn = [_shown(cell, shown[cell], pictures, is_open=i < _OPEN) for i, cell in enumerate(cells)]
    parts = [
        element(
            "p",
            f"{model}: {count(wrong, 'mistake')} in {count(len(cells), 'cell')} of the confusion, ",
            "the largest first. In each, the surest come first.",
        ),
        element("p", *steps),
        *drawn[:_LARGE],
        details(f"{count(len(cells) - _LARGE, 'smaller cell')}", *drawn[_LARGE:]) if drawn[_LARGE:] else None,
    ]
    return [part for part in parts if part is not None]


def _shown(cell: Cell, first: list[str], pictures: Mapping[str, str], is_open: bool) -> Element:
    share = percent(len(cell.photos) / cell.of)
    summary = element(
        "span",
        element("b", f"{cell.given} → {cell.answer}"),
        f" {len(cell.photos):,} of {cell.of:,} ({share})",
    )
    sure = dict(cell.photos)
    parts: list[Content] = []
    if any(path in pictures for path in first):
        captions = {path: f"{path.split('/')[-1]} {sure[path]:.2f}" for path in first}
        parts.append(grid(pictures, captions))
    names = element("ul", class_="names")
    for path, confidence in cell.photos[:_NAMES]:
        names.append(element("li", element("code", path), f" {confidence:.2f}"))
    if len(cell.photos) > _NAMES:
        names.append(element("li", f"and {len(cell.photos) - _NAMES:,} more"))
    listed = names if not parts else details(f"{count(len(cell.photos), 'file name')}", names)
    return details(summary, *parts, listed, is_open=is_open)
