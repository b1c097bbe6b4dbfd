"""Writes the pages that are made: commands from their help, parameters from docstrings. A test compares them.

python -m tests.make_reference
"""

import html
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from fercomp.core.files import write_text
from fercomp.core.params import Params

PAGE: Final = Path("docs/reference/cli.md")
PARAMETERS: Final = Path("docs/reference/parameters.md")


def reference() -> str:
    """Returns the page as Markdown, with every `Examples:` paragraph as a code block."""
    command = [sys.executable, "-m", "typer", "fercomp.cli.app", "utils", "docs", "--name", "fercomp"]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.sub(r"\n+Examples:\n((?:  .+\n)+)", _code_block, html.unescape(page)).strip() + "\n"


def _code_block(examples: re.Match[str]) -> str:
    lines = [line.strip() for line in examples[1].splitlines()]
    return "\n\n**Examples**:\n\n```console\n" + "".join(f"$ {line}\n" for line in lines) + "```\n"


HEAD: Final = """\
# Parameters

    fercomp train --set train.epochs=5              # by hand
    dvc exp run -S train.epochs=5                   # in a pipeline

`params.yaml` is the one place where parameters stand. What it leaves out, or sets to `null`, has the default
below. An unknown key is refused, with its nearest match. So is what is no file, and a text of more than
65,536 bytes or 5,000 values, each counted as often as an alias repeats it.
Whole numbers are at most 4,294,967,295, numbers have at most 100 characters, and `true` is none.
"""


def parameters() -> str:
    """Returns the page as Markdown: a table for each group, with names, defaults and meanings."""
    parts = [HEAD]
    for name, field in Params.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, BaseModel):
            parts.append(f"## `{name}`\n\n{_summary(group)}\n\n| key | default | |\n|---|---|---|")
            parts[-1] += "".join(f"\n{row}" for row in _rows(group, f"{name}."))
            parts[-1] += "\n"
    meanings = _meanings(Params)
    lists = [name for name, field in Params.model_fields.items() if not _is_group(field.annotation)]
    rows = "".join(f"\n| `{name}` | {meanings[name]} |" for name in lists)
    parts.append(f"## What is trained\n\n| key | |\n|---|---|{rows}\n")
    return "\n".join(parts)


def _is_group(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _summary(group: type[BaseModel]) -> str:
    return (inspect.getdoc(group) or "").partition("\n")[0]


def _rows(group: type[BaseModel], prefix: str) -> Iterator[str]:
    meanings = _meanings(group)
    for name, field in group.model_fields.items():
        if _is_group(field.annotation):
            yield from _rows(field.annotation, f"{prefix}{name}.")  # type: ignore[arg-type]
        else:
            yield f"| `{prefix}{name}` | {_default(field.default)} | {meanings[name]} |"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "depends"
    return "`null`" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _meanings(group: type[BaseModel]) -> dict[str, str]:
    """Returns what the docstrings of a group and its base say of each attribute, as one line."""
    entries = []
    for kind in (group, *group.__bases__):
        text = (inspect.getdoc(kind) or "").partition("Attributes:")[2]
        entries += re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", text, re.MULTILINE | re.DOTALL)
    return {name: " ".join(meaning.split()).replace("|", "\\|") for name, meaning in entries}


if __name__ == "__main__":
    write_text(PAGE, reference())
    write_text(PARAMETERS, parameters())
