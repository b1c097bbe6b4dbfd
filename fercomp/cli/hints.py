"""Where a parameter is typed as an option, such as `--epochs 3`, the way it is meant is said."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer.core


@contextmanager
def hinting(command: typer.core.TyperCommand, typed: list[str]) -> Iterator[None]:
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
