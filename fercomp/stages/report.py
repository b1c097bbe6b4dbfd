"""Everything that is known here as one page: what is stale, photos, runs, mistakes, submissions.

Nothing is computed anew that a file says: the page repeats the files. What cannot be read is a line in it.
"""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from fercomp.core.csv_table import existing
from fercomp.core.paths import Workspace
from fercomp.core.progress import count
from fercomp.core.tables import PHOTOS, PROBLEMS
from fercomp.core.version import __version__
from fercomp.demo.competition import is_demo
from fercomp.kaggle.submissions.history import history_rows
from fercomp.kaggle.submissions.leaderboard import read_standing
from fercomp.kaggle.submissions.merged import merge_submissions
from fercomp.modeling.bundle.card import CARD, DECISION, HOLDOUT, read_card
from fercomp.modeling.bundle.find import CAME_ALONG, is_compared_only, resolve_scored
from fercomp.report.html.dvc_status import Stale, asking_dvc
from fercomp.report.html.element import command, element
from fercomp.report.html.notes import Notes
from fercomp.report.html.page import page_of, write_page
from fercomp.report.html.run import (
    ReportedRun,
    is_elsewhere,
    note_age,
    origin_of,
    params_of,
    read_evaluation,
    read_history_of,
)
from fercomp.report.html.sections.data import data_section
from fercomp.report.html.sections.mistakes import mistakes_of, mistakes_section
from fercomp.report.html.sections.runs import runs_section
from fercomp.report.html.sections.sent import sent_section
from fercomp.report.html.sections.state import next_step, state_section
from fercomp.report.html.sections.two_runs import comparable, two_section
from fercomp.report.model_table import ModelRow
from fercomp.stages.models import list_models

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reported:
    """What became of a report.

    Attributes:
        runs: How many models are in it.
        notes: What could not be shown as it should be, a line each.
        size: Bytes of the page.
    """

    runs: int
    notes: tuple[str, ...]
    size: int


def make_report(
    workspace: Workspace, path: Path, model: str | None = None, pictures: bool = True, force: bool = False
) -> Reported:
    """Writes the report.

    Args:
        workspace: The competition.
        path: The HTML file.
        model: Whose mistakes are shown, as a user names it; by default those of the model trained last.
        pictures: Whether photos are shown.
        force: Replace what is at `path`, whatever it is.

    Raises:
        FercompError: `path` is something that `report` did not write, or there is no such model.
    """
    chosen = None if model is None else resolve_scored(model, workspace)
    notes, raw = Notes(), workspace.raw if pictures else None
    with asking_dvc(workspace.root) as dvc:
        photos = _photos(workspace, notes)
        rows = list_models(workspace, notes.add)
        runs = _runs(rows, workspace, photos, notes)
        shown: dict[str, Sequence[Element]] = {
            "data": _data(workspace, photos, raw, notes),
            "runs": runs_section(runs) if runs else [_lacking("No model of your own yet: ", "fercomp train")],
            "compare": two_section(runs),
            "mistakes": _mistakes(workspace, chosen, runs, raw, notes),
            "sent": _sent(workspace, notes),
            "made": [],
        }
        shown["state"] = _state(workspace, dvc.answer(), runs, notes)
    folder = workspace.root.resolve().name
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    shown["made"] = [
        element("span", f"written {now} UTC by fercomp {__version__}, {count(len(runs), 'model')}")
    ]
    html = page_of(f"fercomp report: {folder}", shown, {"runs": comparable(runs)})
    write_page(html, path, force)
    return Reported(len(runs), tuple(notes.lines), len(html.encode()))


def _lacking(said: str, typed: str) -> Element:
    return element("p", said, command(typed))


def _photos(workspace: Workspace, notes: Notes) -> "pd.DataFrame | None":
    if not workspace.photos.exists():
        return None
    with notes.instead():
        photos = PHOTOS.read(workspace.photos)
        return photos if len(photos) else None
    return None


def _data(
    workspace: Workspace, photos: "pd.DataFrame | None", raw: Path | None, notes: Notes
) -> Sequence[Element]:
    problems = None
    if workspace.problems.exists():
        with notes.instead():
            problems = PROBLEMS.read(workspace.problems)
    if photos is None:
        typed = "fercomp prepare" if workspace.train_csv.is_file() else "fercomp fetch"
        return [_lacking("There is no index of photos that can be shown: ", typed)]
    return data_section(photos, problems, raw)


def _runs(
    rows: Sequence[ModelRow], workspace: Workspace, photos: "pd.DataFrame | None", notes: Notes
) -> list[ReportedRun]:
    kept = None if photos is None else photos[photos["split"] == "holdout"]
    holdout = None if kept is None else set(zip(kept["image_path"], kept["emotion"], strict=True))
    runs = []
    for row in rows:
        if row.model in CAME_ALONG:
            continue
        with notes.instead():
            runs.append(_run(row, workspace.bundle(row.model), holdout, notes))
    return runs


def _run(row: ModelRow, folder: Path, holdout: set[tuple[str, str]] | None, notes: Notes) -> ReportedRun:
    card = read_card(folder)
    best, commit = card.trained.get("best_epoch"), card.trained.get("git_commit")
    run = ReportedRun(
        **vars(row),
        answers=tuple(card.rule.answers),
        calibration=card.scores.get("calibration_error", math.nan),
        commit=commit if isinstance(commit, str) else "",
        origin=origin_of(card),
        params=params_of(card),
        best_epoch=best if isinstance(best, int) else None,
    )
    with notes.instead():
        run = replace(run, history=read_history_of(folder))
    with notes.instead():
        run = replace(run, other_holdout=holdout is not None and is_elsewhere(folder, holdout))
    written = [folder / name for name in (CARD, DECISION) if (folder / name).is_file()]
    if note_age(folder, max(file.stat().st_mtime for file in written), notes):
        with notes.instead():
            confusion, classes = read_evaluation(folder, run.answers)
            run = replace(run, confusion=confusion, classes=classes, evaluated=True)
    return run


def _mistakes(
    workspace: Workspace, chosen: Path | None, runs: Sequence[ReportedRun], raw: Path | None, notes: Notes
) -> Sequence[Element]:
    folder = chosen or next(
        (
            workspace.bundle(run.model)
            for run in runs
            if not is_compared_only(run.model) and existing(workspace.bundle(run.model) / HOLDOUT).exists()
        ),
        None,
    )
    if folder is None:
        return [_lacking("No model has answers on a holdout: ", "fercomp train")]
    with notes.instead():
        cells = mistakes_of(folder, read_card(folder))
        asks = (
            "fercomp relabel"
            if workspace.oof.is_file()
            else f"fercomp relabel --model {shlex.quote(folder.name)}"
        )
        return mistakes_section(folder.name, cells, "" if workspace.labels.is_file() else asks, raw)
    return [element("p", f"The mistakes of {folder.name} cannot be shown.")]


def _sent(workspace: Workspace, notes: Notes) -> Sequence[Element]:
    standing = None
    with notes.instead():
        standing = read_standing(workspace)
    with notes.instead():
        sent = merge_submissions(history_rows(workspace), [])
        if sent:
            return sent_section(sent, standing)
        is_refused = is_demo(workspace.raw)
        return [_lacking("Nothing was sent from here: ", f"fercomp submit{' --dry-run' * is_refused}")]
    return [element("p", "The record of submissions cannot be shown.")]


def _state(
    workspace: Workspace, stale: Stale, runs: Sequence[ReportedRun], notes: Notes
) -> Sequence[Element]:
    newest = next((run for run in runs if not is_compared_only(run.model)), None)
    return state_section(next_step(workspace, stale, newest), stale, notes.lines)
