"""HTML and SVG as a tree of elements: text in it is text, whatever it says.

Nothing is put together from strings. The standard library writes the tree down and escapes what stands in it.
"""

from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element

from fercomp.core.terminal import one_line

Content = Element | str | int | None
"""What an element holds; of `None` nothing is shown."""

MISSING: Final = "\N{EN DASH}"
"""Stands where a number is not known."""

MINUS: Final = "\N{MINUS SIGN}"


def element(name: str, *content: Content, **attributes: str | float | None) -> Element:
    """Makes an element.

    Args:
        name: Such as `p`.
        content: Elements and texts, in order. Of a text, what is too long or controls a display is escaped.
        attributes: Their names as Python can write them: `class_`, `aria_label`, `data_value`, `viewBox`. One
            that is `None` is left out.

    Example:
        >>> from xml.etree.ElementTree import tostring
        >>> tostring(element("p", "a<b", class_="x"), "unicode")
        '<p class="x">a&lt;b</p>'
    """
    made = Element(name)
    for key, value in attributes.items():
        if value is not None:
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            made.set(key.rstrip("_").replace("_", "-"), text if key == "src" else one_line(text))
    for part in content:
        add(made, part)
    return made


def add(parent: Element, content: Content) -> None:
    """Puts something at the end of an element."""
    if content is None:
        return
    if isinstance(content, Element):
        parent.append(content)
        return
    text = f"{content:,}" if isinstance(content, int) else one_line(content)
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def table(
    caption: str, headings: Iterable[Content], rows: Iterable[Iterable[Content]], kind: str = ""
) -> Element:
    """Makes a table whose first column names its rows; numbers stand on the right.

    Args:
        caption: What it shows, above it.
        headings: Of the columns.
        rows: A cell for each column; an element that is a cell itself, `td` or `th`, is taken as it is.
        kind: Class of the table.

    Returns:
        The table in a frame that scrolls where there is no room, with the keyboard, too.
    """
    head = element("tr", *(element("th", heading, scope="col") for heading in headings))
    body = element("tbody")
    for row in rows:
        body.append(line := element("tr"))
        for i, cell in enumerate(row):
            line.append(_cell(cell, first=i == 0))
    made = element(
        "table",
        element("caption", element("span", caption)),
        element("thead", head),
        body,
        class_=kind or None,
    )
    return element("div", made, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _cell(content: Content, first: bool) -> Element:
    if isinstance(content, Element) and content.tag in ("td", "th"):
        return content
    if first:
        return element("th", content, scope="row")
    is_number = isinstance(content, int) or (
        isinstance(content, str) and content.replace(",", "").lstrip(f"+-{MINUS}")[:1].isdigit()
    )
    return element("td", content, class_="number" if is_number or content == MISSING else None)


def percent(share: float, digits: int = 1) -> str:
    """Returns a share of 0 to 1 as percents, such as `12.5 %`."""
    return f"{share:.{digits}%}".replace("%", " %")


def command(words: str) -> Element:
    """Shows what may be typed."""
    return element("code", words)


def figures(numbers: Iterable[tuple[str, Content]]) -> Element:
    """Shows the most important numbers, large, each with its name."""
    pairs = (element("div", element("dt", name), element("dd", number)) for name, number in numbers)
    return element("dl", *pairs, class_="figures")


def details(summary: Content, *content: Content, is_open: bool = False) -> Element:
    """Hides something behind a line that opens it."""
    made = element("details", element("summary", summary), *content)
    if is_open:
        made.set("open", "open")
    return made
