"""Small charts as SVG. Each stands beside the numbers that it shows, so a reader without eyes skips it."""

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from fercomp.report.html.element import element


def bar(*parts: tuple[float, Element]) -> Element:
    """Draws a bar of parts one after the other.

    Args:
        parts: Their lengths, together at most 1, and rectangles, which need but a colour.
    """
    drawn, begin, width = _picture(160, 12), 0.0, 160
    for length, rectangle in parts:
        for name, value in (("x", begin * width), ("width", length * width), ("height", 12)):
            rectangle.set(name, f"{value:.6g}")
        drawn.append(rectangle)
        begin += length
    return drawn


def interval(low: float, value: float, high: float, ends: tuple[float, float]) -> Element:
    """Draws a value as a dot on the line of its interval.

    Args:
        low: Lower end of the interval.
        value: The value.
        high: Upper end.
        ends: Values at the left and the right end of the picture.
    """
    (first, last), width = ends, 110
    left, dot, right = (6 + (x - first) / ((last - first) or 1) * (width - 12) for x in (low, value, high))
    drawn = _picture(width, 14)
    drawn.append(element("line", x1=left, x2=right, y1=7.0, y2=7.0, class_="whisker"))
    drawn.append(element("circle", cx=dot, cy=7.0, r=4.0, class_="dot"))
    return drawn


def histogram(counts: Sequence[int], edges: Sequence[float], unit: str) -> Element:
    """Draws how many values lie between each two edges.

    Args:
        counts: n of them.
        edges: n + 1, ascending.
        unit: What stands below.
    """
    width, height, most = 520.0, 150.0, max([*counts, 1])
    drawn = element("svg", viewBox=f"0 0 {width:g} {height + 38:g}", class_="chart", aria_hidden="true")
    step = width / max(len(counts), 1)
    for i, count in enumerate(counts):
        tall = count / most * (height - 20)
        drawn.append(
            element("rect", x=i * step + 1, y=height - tall, width=step - 2, height=tall, class_="series-a")
        )
        middle = (i + 0.5) * step
        if count:
            drawn.append(element("text", count, x=middle, y=height - tall - 4, class_="middle small"))
    for i, edge in enumerate(edges):
        anchor = {0: "", len(edges) - 1: "end"}.get(i, "middle")
        drawn.append(
            element("text", f"{edge:,.0f}", x=i * step, y=height + 15, class_=f"small {anchor}".strip())
        )
    drawn.append(element("text", unit, x=width / 2, y=height + 32, class_="middle"))
    return drawn


def scatter(points: Sequence[tuple[float, float, str]], across: str, up: str) -> Element:
    """Draws points with the line on which both numbers would be equal.

    Args:
        points: Across, up, and what the point is called.
        across: What is shown across.
        up: What is shown upwards.
    """
    width, height, edge, top = 420.0, 310.0, 46.0, 20.0
    values = [value for x, y, _ in points for value in (x, y)]
    room = max((max(values) - min(values)) * 0.08, 0.005)
    first, last = min(values) - room, max(values) + room

    def place(x: float, y: float) -> tuple[float, float]:
        share = (x - first) / (last - first), (y - first) / (last - first)
        return edge + share[0] * (width - edge - 10), height - edge - share[1] * (height - edge - top)

    drawn = element("svg", viewBox=f"0 0 {width:g} {height:g}", class_="chart", aria_hidden="true")
    for value in _ticks(first, last):
        x, y = place(value, first)
        drawn.append(element("line", x1=x, x2=x, y1=y, y2=top, class_="grid"))
        drawn.append(element("text", f"{value:g}", x=x, y=y + 14, class_="middle small"))
        x, y = place(first, value)
        drawn.append(element("line", x1=x, x2=width - 10, y1=y, y2=y, class_="grid"))
        drawn.append(element("text", f"{value:g}", x=x - 6, y=y + 4, class_="end small"))
    (x1, y1), (x2, y2) = place(first, first), place(last, last)
    drawn.append(element("line", x1=x1, x2=x2, y1=y1, y2=y2, class_="equal"))
    for x, y, name in points:
        left, high = place(x, y)
        title = element("title", f"{name}: {across} {x:g}, {up} {y:g}")
        drawn.append(element("circle", title, cx=left, cy=high, r=5.0, class_="dot"))
    drawn.append(element("text", across, x=width / 2, y=height - 8, class_="middle"))
    drawn.append(element("text", up, x=0, y=11.0))
    return drawn


def _ticks(first: float, last: float) -> list[float]:
    """Returns up to six round numbers between two."""
    span = max(last - first, 1e-9)
    step = 10.0 ** math.floor(math.log10(span / 2))
    while span / step > 6:
        step *= 2 if f"{step:e}"[0] != "2" else 2.5
    begin = math.ceil(first / step)
    return [round(i * step, 10) for i in range(begin, math.floor(last / step) + 1)]


def _picture(width: int, height: int) -> Element:
    return element(
        "svg", viewBox=f"0 0 {width} {height}", width=width, height=height, aria_hidden="true", class_="small"
    )
