"""Two runs side by side: which two is chosen in the page, which draws them."""

import math
import shlex
from collections.abc import Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element

from fercomp.report.html.element import element
from fercomp.report.html.run import ReportedRun

MOST_COMPARED: Final = 100
"""The newest runs that can be chosen to be shown side by side."""


def two_section(runs: Sequence[ReportedRun]) -> list[Element]:
    """Offers runs to choose two of: at first the newest, and the best of the others.

    Args:
        runs: The newest first.
    """
    if len(runs) < 2:
        return [element("p", "There are no two models to compare yet.")]
    offered = runs[:MOST_COMPARED]
    others = range(1, len(offered))
    best = max(others, key=lambda i: (offered[i].accuracy == offered[i].accuracy, offered[i].accuracy))
    labels = [
        element("label", name, _select(ident, offered, chosen))
        for name, ident, chosen in (("first", "first", best), ("second", "second", 0))
    ]
    older = len(runs) - len(offered)
    return [
        *([element("p", f"{older:,} older ones are not offered.", class_="hint")] if older else []),
        element("div", *labels, class_="choice"),
        element("noscript", element("p", "Two runs side by side need JavaScript, which is off here.")),
        element("div", id="both"),
    ]


def comparable(runs: Sequence[ReportedRun]) -> list[dict[str, Any]]:
    """Returns what the page shows of two runs side by side; what is not known is `None`."""
    return [
        {
            "name": run.model,
            "typed": shlex.quote(run.model),
            "backbone": run.backbone,
            "answers": list(run.answers),
            "scores": {
                "holdout accuracy": _known(run.accuracy),
                "macro-F1": _known(run.macro_f1),
                "calibration error": _known(run.calibration),
                "ms per face": _known(run.ms_per_face),
                "public score": _known(run.public),
                "private score": _known(run.private),
            },
            "params": dict(run.params),
            "best": run.best_epoch,
            "history": dict(run.history),
            "confusion": run.confusion,
            "classes": run.classes,
            "otherHoldout": run.other_holdout,
        }
        for run in runs[:MOST_COMPARED]
    ]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _select(ident: str, runs: Sequence[ReportedRun], chosen: int) -> Element:
    made = element("select", id=ident)
    for i, run in enumerate(runs):
        selected = "selected" if i == chosen else None
        made.append(element("option", run.model, value=i, selected=selected))
    return made
