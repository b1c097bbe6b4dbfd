"""The page as a whole: one file that asks nobody for anything, whatever the names in it say."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element, fromstring, tostring

from fercomp.core.errors import FercompError
from fercomp.core.files import write_text
from fercomp.core.palette import css_variables
from fercomp.core.reading import is_there
from fercomp.core.terminal import one_line
from fercomp.report.html.element import add

MARK: Final = b'<meta name="generator" content="fercomp report">'
"""By which a page of ours is known."""

_LOOKED_AT: Final = 4096
"""Bytes at the beginning of a file, among which the mark is."""

_HERE: Final = Path(__file__).parent


def page_of(
    title: str, sections: Mapping[str, Sequence[Element]], known: Any = None, template: str = "page"
) -> str:
    """Makes the page.

    Args:
        title: Its title.
        sections: What it shows, by the `id` of the element of the body that it comes into.
        known: What its script reads: dictionaries, lists, texts and numbers. Without it, there is no script.
        template: Name of the file with its body.
    """
    page = _parsed("head.html")
    page.append(body := _parsed(f"{template}.html"))
    body.tail = "\n"
    places = {found.get("id"): found for found in page.iter() if found.get("id")}
    for name, elements in sections.items():
        places[name].extend(elements)
    for heading in ("title", "heading"):
        add(places[heading], title)
    style = _file("page.css").replace("{{palette}}", css_variables())
    places["style"].text = style
    scripts = "'none'"
    if known is not None:
        script = _file("page.js")
        places["script"].text, places["known"].text = script, as_json(known)
        scripts = f"'{_hash(script)}'"
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    places["policy"].set("content", policy)
    return f"<!doctype html>\n{tostring(page, 'unicode', method='html')}\n"


def write_page(html: str, path: Path, force: bool) -> None:
    """Writes a page.

    Args:
        html: Of `page_of`.
        path: The file.
        force: Replace what is there, whatever it is.

    Raises:
        FercompError: Something else is there that `report` did not write, or the file cannot be written.
    """
    check_place(path, force)
    write_text(path, html)


def check_place(path: Path, force: bool, mark: bytes = MARK, who: str = "report") -> None:
    """Makes sure that only a file of ours would be replaced.

    Args:
        path: The file.
        force: Replace what is there, whatever it is.
        mark: What stands near the beginning of a file of ours.
        who: The command that writes it.

    Raises:
        FercompError: `path` is something else.
    """
    if force or not is_there(path):
        return
    try:
        with path.open("rb") as file:
            ours = mark in file.read(_LOOKED_AT)
    except OSError as error:
        raise FercompError(f"cannot read {path}: {error.strerror}; choose another --output") from error
    if not ours:
        raise FercompError(
            f"{path} would be replaced, which {who} did not write: move it, choose another --output, or "
            "--force"
        )


def as_json(known: Any) -> str:
    r"""Writes JSON that can stand in a page: nothing in it ends the script, no text has control characters.

    Example:
        >>> as_json({"name": "</script>"})
        '{"name":"\\u003c/script>"}'
    """
    text = json.dumps(_printable(known), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c")


def _printable(known: Any) -> Any:
    if isinstance(known, str):
        return one_line(known)
    if isinstance(known, dict):
        return {one_line(str(key)): _printable(value) for key, value in known.items()}
    return [_printable(value) for value in known] if isinstance(known, list | tuple) else known


def _parsed(name: str) -> Element:
    return fromstring(_file(name))  # noqa: S314 - a file of the package


def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
