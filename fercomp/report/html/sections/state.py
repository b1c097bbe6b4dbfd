"""Where the work stands: what is stale, and what to type next."""

import shlex
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from fercomp.core.paths import Workspace
from fercomp.core.progress import count
from fercomp.demo.competition import is_demo
from fercomp.report.html.dvc_status import Stale
from fercomp.report.html.element import command, details, element, table
from fercomp.report.html.run import ReportedRun


def state_section(steps: tuple[str, str], stale: Stale, notes: Sequence[str]) -> list[Element]:
    """Shows what to do.

    Args:
        steps: Of `next_step`.
        stale: What DVC said.
        notes: What could not be read.
    """
    typed, why = steps
    parts = [
        element("p", element("span", "Next", class_="label"), " ", command(typed), f" {why}", class_="next"),
        element("p", stale.said),
    ]
    if stale.known and stale.stages and not stale.used:
        parts.append(
            element("p", command("dvc repro"), " never ran here: what was made by hand is new to DVC.")
        )
    if stale.stages:
        rows = [(stage, why) for stage, why in stale.stages.items()]
        parts.append(
            details("Which, and why", table("Stages that DVC would run again", ("stage", "why"), rows))
        )
    if notes:
        lines = element("ul", *(element("li", line) for line in notes))
        summary = f"{count(len(notes), 'thing')} could not be shown as it should be"
        parts.append(element("div", element("p", element("b", summary)), lines, class_="notes", role="note"))
    return parts


def next_step(workspace: Workspace, stale: Stale, newest: ReportedRun | None) -> tuple[str, str]:
    """Says what to type next, and why.

    Args:
        workspace: The files.
        stale: What DVC said.
        newest: The model of one's own that was made last, `None` without one.
    """
    if not workspace.train_csv.is_file():
        return "fercomp fetch", "brings the competition's files"
    if not workspace.photos.is_file():
        return "fercomp prepare", "looks at every photo and divides them"
    if stale.used and stale.stages:
        return "dvc repro", "makes again what is stale"
    if newest is None:
        return "fercomp train", "trains the first model"
    named = shlex.quote(newest.model)
    if not newest.evaluated:
        return (
            f"fercomp evaluate --model {named}",
            "scores the newest model: what it confuses, and how surely",
        )
    if not workspace.test_probabilities(newest.model).is_file():
        return f"fercomp predict --model {named}", "lets the newest model name the test photos"
    if newest.csv != "yes":
        return f"fercomp submission --model {named}", "writes the newest model's CSV for Kaggle"
    if newest.public != newest.public and not is_demo(workspace.raw):  # not a number
        path = shlex.quote(str(workspace.submission(newest.model)))
        return f"fercomp submit {path}", "sends the newest model's answers"
    if not workspace.labels.is_file():
        return "fercomp crossval", "asks about every label; then `fercomp relabel`"
    return "fercomp review", "looks through the labels that are doubted"
