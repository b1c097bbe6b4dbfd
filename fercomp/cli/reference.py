"""The pages that are made: commands from their help, parameters from docstrings. A test compares them."""

import html
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from fercomp.cli.parameters import parameters
from fercomp.core.files import write_text

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


if __name__ == "__main__":
    write_text(PAGE, reference())
    write_text(PARAMETERS, parameters())
