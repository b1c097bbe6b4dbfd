"""How commands say what came out, what a model scored, and what to type next."""

import json
import math
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from fercomp.core.terminal import one_line


def tell(*lines: str) -> None:
    """Prints lines of a command's result: each is one line, whatever is in the names in it."""
    for line in lines:
        typer.echo(one_line(line))


def tell_json(known: Any) -> None:
    """Prints JSON for other programs, what is not a number as null.

    Args:
        known: Dictionaries, lists, texts and numbers.
    """
    typer.echo(json.dumps(_without_nan(known), indent=2, allow_nan=False))


def _without_nan(known: Any) -> Any:
    if hasattr(known, "_asdict"):
        known = known._asdict()
    if isinstance(known, dict):
        return {name: _without_nan(value) for name, value in known.items()}
    if isinstance(known, list | tuple):
        return [_without_nan(value) for value in known]
    return None if isinstance(known, float) and not math.isfinite(known) else known


def say_next(*commands: str) -> None:
    """Says what to type next, a command on each line, in the order in which they are typed.

    Examples:
        >>> say_next("fercomp review", "fercomp relabel")
        Next: fercomp review
              fercomp relabel
    """
    from fercomp.core.paths import Workspace
    from fercomp.demo.competition import is_demo

    for number, command in enumerate(commands):
        is_refused = f"{command} ".startswith("fercomp submit ") and is_demo(Workspace().raw)
        tell(f"{'      ' if number else 'Next: '}{command}{' --dry-run' if is_refused else ''}")


def to_kaggle(model: str, csv: Path) -> tuple[str, str, str]:
    """Returns the commands that lead from a model to its score at Kaggle.

    Args:
        model: Its name or folder, as a user names it.
        csv: Where its submission goes.
    """
    named = shlex.quote(model)
    return (
        f"fercomp predict --model {named}",
        f"fercomp submission --model {named}",
        f"fercomp submit {shlex.quote(str(csv))}",
    )


def _from_to(numbers: Iterable[int], what: str) -> str:
    """Says of how many something is, such as `1 to 9 views`, or `9 views` where all numbers are the same."""
    from fercomp.core.progress import count

    least, *more = sorted(set(numbers))
    return f"{least} to {count(more[-1], what)}" if more else count(least, what)


def looks(folder: Path, views: int) -> str:
    """Says how often a model looks at each face of a photo where it is asked for so many views."""
    from fercomp.faces.tta import number_of_views
    from fercomp.modeling.bundle.find import network_cards

    cards = network_cards(folder)
    each = (views if card.views else number_of_views(False, card.flip) for card in cards)
    return f"{_from_to(each, 'look')} at each face"


def scored(folder: Path) -> str:
    """Says what the model of a folder scored on the holdout, and of how many views of each photo."""
    from fercomp.faces.tta import number_of_views
    from fercomp.modeling.bundle.card import read_card
    from fercomp.modeling.bundle.find import network_cards

    scores = read_card(folder).scores
    views = (number_of_views(card.views, card.flip) for card in network_cards(folder))
    return (
        f"holdout accuracy {scores['accuracy']:.4f} ({_from_to(views, 'view')}), "
        f"macro-F1 {scores['macro_f1']:.4f} on {scores['n']:,.0f} photos"
    )
