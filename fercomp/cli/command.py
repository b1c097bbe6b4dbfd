"""How every command runs: what is typed is looked at, and nothing that is printed controls the terminal."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer.core

from fercomp.core.errors import FercompError
from fercomp.core.paths import at_home
from fercomp.core.terminal import guarded, one_line

_PATHS: Final = re.compile("PATH|DIR|CSV|SOURCE|MODEL|TEACHER")
"""In the metavar of what may be a path."""


class Command(typer.core.TyperCommand):
    """A command that takes no empty words, knows `~`, and prints through a guard."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the arguments.

        Raises:
            FercompError: One is empty, no number, or a path that begins with the `~` of nobody.
        """
        # An empty variable of a shell; taken for a path, it would be the current folder.
        if any(not word or re.fullmatch("--[^=]+=", word) for word in args):
            raise FercompError(
                "an argument is empty: leave it out, or look at the variable that it came from"
            )
        with _hinting(self, list(args)):
            left = super().parse_args(ctx, args)
        for parameter in self.params:
            value = ctx.params.get(parameter.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise FercompError(f"{parameter.opts[0]} {value}: expected a number that is finite")
            if value and _PATHS.search(parameter.metavar or ""):
                ctx.params[parameter.name] = _at_home(value)
        return left

    def get_params(self, ctx: Any) -> list[Any]:
        """Returns the parameters, flags without a type."""
        return _flags_without_type(super().get_params(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Writes `--help`: paragraphs are filled to the width, however the code breaks their lines."""
        paragraphs = (self.help or "").split("\n\n")
        self.help = "\n\n".join(
            each if each.startswith("\b") else each.replace("\n", " ") for each in paragraphs
        )
        super().format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command."""
        with guarded():
            return super().invoke(ctx)


class Commands(typer.core.TyperGroup):
    """All commands. Whatever was typed wrongly is told so that it can be printed."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parses what stands before the command."""
        with _printable_errors():
            return super().make_context(*args, **kwargs)

    def get_params(self, ctx: Any) -> list[Any]:
        """Returns the parameters, flags without a type."""
        return _flags_without_type(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Finds the command, parses its arguments and runs it."""
        with _printable_errors():
            return super().invoke(ctx)


def _flags_without_type(parameters: list[Any]) -> list[Any]:
    """Returns parameters of which `--help` shows no type where none is typed: after a flag."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters


@contextmanager
def _printable_errors() -> Iterator[None]:
    try:
        yield
    # Typer 0.29 brings a click of its own, earlier ones import it: the error is known by what it has.
    except Exception as error:
        if isinstance(message := getattr(error, "message", None), str):
            error.message = one_line(message)  # type: ignore[attr-defined]
        raise


def _at_home(value: Any) -> Any:
    return [*map(_at_home, value)] if isinstance(value, (list, tuple)) else type(value)(at_home(value))


@contextmanager
def _hinting(command: typer.core.TyperCommand, typed: list[str]) -> Iterator[None]:
    """Says of `--epochs 3`, where that is no option of a command, that `--set train.epochs=3` is meant.

    Args:
        command: The command that parses its arguments in the block.
        typed: They.
    """
    try:
        yield
    # Typer 0.29 brings a click of its own, earlier ones import it: the error is known by what it has.
    except Exception as error:
        option = getattr(error, "option_name", None)
        takes_set = any("--set" in parameter.opts for parameter in command.params)
        if option and takes_set and (keys := _parameters_called(option, command.name or "")):
            meant = " or ".join(f"--set {key}={_value_after(option, typed)}" for key in keys)
            error.possibilities = []  # type: ignore[attr-defined]
            error.message = f"No such option: {option}. Did you mean {meant}?"  # type: ignore[attr-defined]
        raise


def _parameters_called(option: str, command: str) -> list[str]:
    """Returns the parameters of the name of an option; of several, those of the command's own group."""
    from fercomp.core.params import Params
    from fercomp.core.params.group import keys_of

    name = option.lstrip("-").replace("-", "_")
    keys = [key for key in keys_of(Params) if key.rsplit(".", 1)[-1] == name]
    return [key for key in keys if key.startswith(f"{command}.")] or keys


def _value_after(option: str, args: list[str]) -> str:
    """Returns what was typed as the option's value, or what stands for it."""
    for word, following in zip(args, [*args[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name == option:
            value = value if equals else following
            return value if value and not value.startswith("-") else "VALUE"
    return "VALUE"
