"""A timeline as SVG: who shows which emotion when."""

from collections import Counter
from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element

from fercomp.annotate.drawing.timeline import Stretch
from fercomp.core.palette import emotion_colour
from fercomp.report.html.element import element

PIECES: Final = 150
"""Parts of a clip, each of which has one emotion in the picture: so a long clip makes no large page."""

_WIDTH, _LEFT, _ROW = 720.0, 150.0, 22.0


def ribbon(rows: Sequence[tuple[str, Sequence[Stretch]]], begin: float, end: float, title: str) -> Element:
    """Draws a line for each of those who are seen.

    Args:
        rows: What each is called, and when which emotion is shown.
        begin: First second of the clip.
        end: Last second.
        title: What the picture shows, for those who do not see it.
    """
    height = _ROW * len(rows) + 26
    drawn = element("svg", viewBox=f"0 0 {_WIDTH:g} {height:g}", class_="ribbon", aria_hidden="true")
    span = max(end - begin, 1e-6)
    for i, (name, stretches) in enumerate(rows):
        top = i * _ROW
        drawn.append(element("text", _short(name), x=_LEFT - 8, y=top + 15, class_="end"))
        drawn.append(element("line", x1=_LEFT, x2=_WIDTH, y1=top + 19, y2=top + 19, class_="grid"))
        for first, last, emotion in ribbon_pieces(stretches, begin, span):
            drawn.append(
                element(
                    "rect",
                    element("title", f"{emotion}, {begin + first * span:.1f} to {begin + last * span:.1f} s"),
                    x=round(_LEFT + first * (_WIDTH - _LEFT), 2),
                    y=top + 2,
                    width=round((last - first) * (_WIDTH - _LEFT), 2),
                    height=16,
                    fill=emotion_colour(emotion),
                    class_="piece",
                )
            )
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        anchor = "small" if share == 0 else "small end" if share == 1 else "small middle"
        x = _LEFT + share * (_WIDTH - _LEFT)
        drawn.append(element("text", f"{begin + share * span:,.1f} s", x=x, y=height - 8, class_=anchor))
    return element("div", drawn, class_="scroll", tabindex="0", role="region", aria_label=title)


def ribbon_pieces(stretches: Sequence[Stretch], begin: float, span: float) -> list[Stretch]:
    """Simplifies stretches: in each of `PIECES` parts the emotion that is shown longest, if any is.

    Args:
        stretches: Seconds and emotions.
        begin: Where the clip begins.
        span: How long it is.

    Returns:
        Begin and end as shares of the span, and the emotion; neighbours that are alike are one.
    """
    held: list[Counter[str]] = [Counter() for _ in range(PIECES)]
    for first, last, emotion in stretches:
        low, high = ((time - begin) / span * PIECES for time in (first, last))
        for part in range(max(0, int(low)), min(PIECES, int(high) + 1)):
            held[part][emotion] += round(1e6 * max(0.0, min(high, part + 1) - max(low, part)))
    result: list[Stretch] = []
    for part, counts in enumerate(held):
        if not (shown := max(counts.items(), key=lambda item: (item[1], item[0]), default=("", 0)))[1]:
            continue
        if result and result[-1][2] == shown[0] and result[-1][1] == part / PIECES:
            result[-1] = (result[-1][0], (part + 1) / PIECES, shown[0])
        else:
            result.append((part / PIECES, (part + 1) / PIECES, shown[0]))
    return result


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:19]}\N{HORIZONTAL ELLIPSIS}"
