"""What was sent to Kaggle: scores beside the holdout, the gap between them, and one's own place."""

import re
from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element

from fercomp.kaggle.client.answers import SCORE
from fercomp.kaggle.submissions.leaderboard import KeptStanding
from fercomp.kaggle.submissions.merged import Submission
from fercomp.report.html.charts import scatter
from fercomp.report.html.element import MINUS, MISSING, Content, command, element, table

_MOST: Final = 500
"""Submissions in the table, the newest."""


def sent_section(sent: Sequence[Submission], standing: KeptStanding | None) -> list[Element]:
    """Shows submissions, the newest first.

    Args:
        sent: At least one.
        standing: One's own place when it was last asked for, if it ever was.
    """
    parts = [_place(standing)]
    points = [
        (holdout, public, one.name)
        for one in sent
        if (holdout := _score(one.holdout)) is not None and (public := _score(one.public)) is not None
    ]
    headings = ("model", "sent (UTC)", "holdout", "public", "gap", "private", "gap", "state", "message")
    shown = table("Submissions, the newest first", headings, map(_row, sent[:_MOST]), "submissions")
    if points:
        chart = element(
            "figure",
            scatter(points, "holdout accuracy", "public score"),
            element("figcaption", "On the dashed line, the public score is what the holdout promised."),
        )
        parts.append(chart)
    parts.append(shown)
    parts.append(element("p", "The gap is the score less the accuracy on the holdout.", class_="hint"))
    if len(sent) > _MOST:
        parts.append(element("p", f"{len(sent) - _MOST:,} older ones are left out.", class_="hint"))
    return parts


def _place(standing: KeptStanding | None) -> Element:
    if standing is None:
        return element("p", "Your own rank was not asked for yet: ", command("fercomp leaderboard"), ".")
    when = standing.time[:16].replace("T", " ")
    if standing.rank is None:
        said = f"not among the {standing.teams:,} teams"
    else:
        said = f"number {standing.rank:,} of {standing.teams:,} teams"
    return element(
        "p",
        element("b", standing.team or "Your team"),
        f" was {said} of {standing.competition} at {when} UTC. ",
        command("fercomp leaderboard"),
        " asks again.",
    )


def _row(one: Submission) -> list[Content]:
    return [
        one.name,
        element("td", one.time[:16].replace("T", " "), class_="time"),
        one.holdout or MISSING,
        one.public or MISSING,
        _gap(one.public, one.holdout),
        one.private or MISSING,
        _gap(one.private, one.holdout),
        one.status,
        one.message.partition(" [sha256:")[0],
    ]


def _gap(score: str, holdout: str) -> Element:
    known, promised = _score(score), _score(holdout)
    if known is None or promised is None:
        return element("td", MISSING, class_="number")
    return element("td", f"{known - promised:+.4f}".replace("-", MINUS), class_="number")


def _score(text: str) -> float | None:
    return float(text) if text and re.fullmatch(SCORE, text) else None
