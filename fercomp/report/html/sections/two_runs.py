"""The place for two runs side by side: which two is chosen in the page, which draws them."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

from fercomp.report.html.element import element
from fercomp.report.html.run import ReportedRun
from fercomp.report.html.sections.runs import MOST_COMPARED


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


def _select(ident: str, runs: Sequence[ReportedRun], chosen: int) -> Element:
    made = element("select", id=ident)
    for i, run in enumerate(runs):
        selected = "selected" if i == chosen else None
        made.append(element("option", run.model, value=i, selected=selected))
    return made
