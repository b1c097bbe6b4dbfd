"""The pages are true: the reference is fresh, links lead somewhere, quoted commands exist."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from fercomp import __version__
from fercomp.cli.app import COMMANDS, app
from fercomp.core.params import Params
from fercomp.core.params.group import keys_of
from tests.make_reference import PAGE, PARAMETERS, parameters, reference

PROJECT = Path(__file__).parents[1]
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
COMMAND = typer.main.get_command(app)
NAMES = [command.__name__ for commands in COMMANDS.values() for command in commands]


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def quoted_commands(text: str) -> list[list[str]]:
    """Returns the words of each `fercomp ...` that stands in a code block or between backticks."""
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"^(?: {4}|\t).+$", text, re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`([^`\n]+)`", text)
    starts = (re.match(r"\s*(?:\$ )?(?:\./run |uv run )?fercomp (.+)", line) for line in lines)
    return [shlex.split(start[1], comments=True) for start in starts if start]


def check_command(words: list[str]) -> None:
    """Parses a quoted command as Typer would, without running it."""
    name, *rest = words
    if name.startswith(("-", "[")) or name.isupper():  # fercomp --version, fercomp COMMAND
        return
    assert name in NAMES, f"fercomp has no command {name}"
    command = COMMAND.commands[name]
    known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
    for word in rest:
        if re.match(r"--?[a-z]", word):
            assert word.partition("=")[0] in known | {"--help"}, f"fercomp {name} has no option {word}"


def test_reference_is_fresh():
    assert (PROJECT / PAGE).read_text(encoding="utf-8") == reference(), "stale: ./run docs writes it anew"


def test_parameters_are_fresh_and_all_of_them_have_a_meaning():
    page = (PROJECT / PARAMETERS).read_text(encoding="utf-8")
    assert page == parameters(), "stale: ./run docs writes it anew"
    for key in keys_of(Params):
        assert key.partition(".")[0] in page
    assert "| `train.augment.rotate` | `10.0` |" in page


@pytest.mark.parametrize("name", NAMES)
def test_reference_has_every_command_with_an_example(name):
    page = (PROJECT / PAGE).read_text(encoding="utf-8")
    section = page.partition(f"## `fercomp {name}`\n")[2].partition("\n## ")[0]
    assert f"**Examples**:\n\n```console\n$ fercomp {name}" in section
    assert "\b" not in section


@pytest.mark.parametrize("name", NAMES)
def test_help_has_no_brackets_that_rich_would_take_for_markup(name):
    command = COMMAND.commands[name]
    for text in [command.help, *(getattr(parameter, "help", None) for parameter in command.params)]:
        assert not re.search(r"(?<!\\)\[[a-z#/@]", text or ""), f"shown without its brackets: {text}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)[^)]*\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for target in targets:
        if re.match(r"[a-z]+:|#", target):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{target} does not exist"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_quoted_commands_exist(page):
    for words in quoted_commands(page.read_text(encoding="utf-8")):
        check_command(words)


@pytest.mark.parametrize(
    "text", ["`fercomp tarin`", "    fercomp train --epoch 3", "```\n$ fercomp fetch --from x\n```\n"]
)
def test_quoted_commands_that_do_not_exist_are_caught(text):
    (words,) = quoted_commands(text)
    with pytest.raises(AssertionError, match="has no"):
        check_command(words)


def test_version_is_the_same_everywhere():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changes = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", changes, re.MULTILINE)
    assert newest
    cited = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    assert __version__ == project["version"] == newest[1] == cited
