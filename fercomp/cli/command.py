"""How every command runs: nothing of what it prints, wrong usage included, controls the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer.core

from fercomp.cli.hints import HintingCommand
from fercomp.core.terminal import guarded, printable


class Command(HintingCommand):
    """A command that prints through a guard."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parses the arguments; an error that names one of them can be printed."""
        with _printable_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command."""
        with _printable_errors(), guarded():
            return super().invoke(ctx)


class Commands(typer.core.TyperGroup):
    """All commands; an unknown one is named so that it can be printed."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parses what stands before the command."""
        with _printable_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Finds the command and runs it."""
        with _printable_errors():
            return super().invoke(ctx)


@contextmanager
def _printable_errors() -> Iterator[None]:
    try:
        yield
    # Typer 0.29 brings a click of its own, earlier ones import it: the error is known by what it has.
    except Exception as error:
        if isinstance(message := getattr(error, "message", None), str):
            error.message = printable(message)  # type: ignore[attr-defined]
        raise
