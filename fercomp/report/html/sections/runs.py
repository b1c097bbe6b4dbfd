"""All runs as a table that can be sorted."""

import math
from collections.abc import Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from fercomp.report.html.charts import interval
from fercomp.report.html.element import MISSING, Content, details, element, table
from fercomp.report.html.run import ReportedRun

_SHOWN: Final = 6
"""Parameters that differ and are shown at once; of more, the others open."""


def runs_section(runs: Sequence[ReportedRun]) -> list[Element]:
    """Shows runs as a table.

    Args:
        runs: At least one, the newest first.
    """
    newest = next((run for run in runs if run.params), None)
    known = [run for run in runs if not math.isnan(run.accuracy_low)]
    ends = (
        min((run.accuracy_low for run in known), default=0.0),
        max((run.accuracy_high for run in known), default=1.0),
    )
    columns: list[tuple[str, bool]] = [
        ("model", True),
        ("holdout accuracy", True),
        ("macro-F1", True),
        ("calibration error", True),
        ("ms per face", True),
        ("public score", True),
        ("private score", True),
        (f"differs from {newest.model} in" if newest else "differs in", False),
        ("backbone", True),
        ("MB", True),
        ("made (UTC)", True),
        ("commit", False),
    ]
    shown = table(
        "Runs, the newest first",
        (element("button", name, type="button") if can_sort else name for name, can_sort in columns),
        (_row(run, newest, ends) for run in runs),
        "sortable",
    )
    first = next(cell for cell in shown.iter("th") if "made" in "".join(cell.itertext()))
    first.set("aria-sort", "descending")
    said = ["The interval holds the true accuracy in 95 of 100 cases (Wilson)."]
    if any(run.before_refit for run in runs):
        said.append("* scored before its last training, which used the holdout too.")
    if any(run.other_holdout for run in runs):
        said.append("† scored on other photos or labels than are the holdout now: not to be compared.")
    return [shown, element("p", " ".join(said), class_="hint")]


def _row(run: ReportedRun, newest: ReportedRun | None, ends: tuple[float, float]) -> list[Content]:
    marks = ("*" if run.before_refit else "") + ("†" if run.other_holdout else "")
    accuracy = _number(run.accuracy, ".4f", marks)
    if not math.isnan(run.accuracy_low):
        accuracy.append(interval(run.accuracy_low, run.accuracy, run.accuracy_high, ends))
        accuracy.append(element("span", f"{run.accuracy_low:.3f} to {run.accuracy_high:.3f}", class_="hint"))
    return [
        element("th", run.model, scope="row", data_value=run.model),
        accuracy,
        _number(run.macro_f1, ".4f"),
        _number(run.calibration, ".4f"),
        _number(run.ms_per_face, ".1f"),
        _number(run.public, ".5f"),
        _number(run.private, ".5f"),
        element("td", *_difference(run, newest), class_="params"),
        element("td", run.backbone, data_value=run.backbone),
        _number(run.megabytes, ".1f"),
        element("td", run.made[:16].replace("T", " "), data_value=run.made, class_="time"),
        element("td", element("code", run.commit[:7], title=run.commit) if run.commit else MISSING),
    ]


def _number(value: float, shape: str, marks: str = "") -> Element:
    if math.isnan(value):
        return element("td", MISSING, class_="number", data_value="")
    return element("td", f"{format(value, shape)}{marks}", class_="number", data_value=repr(value))


def _difference(run: ReportedRun, newest: ReportedRun | None) -> list[Content]:
    if not run.params:
        return [run.origin or MISSING]
    if newest is None or run is newest:
        return [run.origin or "(itself)"]
    pairs = differing(run.params, newest.params)
    lines = [f"{key}={run.params.get(key, MISSING)}" for key in pairs]
    said = [run.origin] if run.origin else []
    shown = ", ".join([*said, *lines[:_SHOWN]]) or "nothing"
    if len(lines) <= _SHOWN:
        return [shown]
    return [shown, details(f"and {len(lines) - _SHOWN} more", ", ".join(lines[_SHOWN:]))]


def differing(params: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    """Returns the parameters in which two runs differ, in their order."""
    return [key for key in {**others, **params} if params.get(key) != others.get(key)]
