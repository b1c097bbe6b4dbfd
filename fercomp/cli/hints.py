"""Where a parameter is typed as an option, such as `--epochs 3`, the way it is meant is said."""

from typing import Any

import typer.core


class HintingCommand(typer.core.TyperCommand):
    """A command whose unknown options are looked for among the parameters of `params.yaml`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the arguments, and says of `--epochs 3` that `--set train.epochs=3` is meant."""
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        # Typer 0.29 brings a click of its own, earlier ones import it: the error is known by what it has.
        except Exception as error:
            option = getattr(error, "option_name", None)
            takes_set = any("--set" in parameter.opts for parameter in self.params)
            if option and takes_set and (keys := _parameters_called(option, self.name or "")):
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
