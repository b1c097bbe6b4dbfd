"""Parameters of `train` that have moved to `inference` and `machine`, since no weight depends on them."""

import json
from collections.abc import Mapping
from typing import Any, Final

from fercomp.core.errors import FercompError
from fercomp.core.params.machine import MachineParams
from fercomp.core.params.pipeline import TRAINED

_MOVED: Final = {
    "margin": "inference.margin",
    "flip_average": "inference.flip",
    "view_average": "inference.views",
    "compress": "inference.precision",
    "memory_gb": "machine.cache_gb",
}


def refuse_moved(values: Mapping[str, Any]) -> None:
    """Refuses what somebody wrote where it stood before.

    Args:
        values: The whole of `params.yaml`, not checked yet.

    Raises:
        FercompError: A parameter has moved; the message says where to, and which value is the same there.
    """
    _refuse(values.get("train"), "train.", "")
    for group in TRAINED:
        experiments = values.get(group)
        for name, changes in experiments.items() if isinstance(experiments, Mapping) else ():
            _refuse(changes, f"{group}.{name}.", f"{group}.{name}.")


def _refuse(changes: Any, old: str, new: str) -> None:
    if not isinstance(changes, Mapping):
        return
    for key, place in _MOVED.items():
        if key in changes:
            # An experiment may hold an `inference` of its own; the machine is the same for all.
            inside = "" if place.startswith("machine.") else new
            value = _there(key, changes[key])
            told = value if isinstance(value, str) else json.dumps(value, default=str)
            raise FercompError(f"parameter {old}{key} has moved: write {inside}{place}: {told}")


def modern(card: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a card as if it were written today.

    Args:
        card: A card's values, not checked; in the first cards, `trained.params` holds what has moved.

    Returns:
        The same with `trained.inference` beside `trained.params`, and the recipe of then among these; as it
        is where it has them, or no parameters.
    """
    trained = card.get("trained")
    params = trained.get("params") if isinstance(trained, Mapping) else None
    if not isinstance(trained, Mapping) or not isinstance(params, Mapping) or "inference" in trained:
        return dict(card)
    inference = {
        "margin": params.get("margin"),
        "flip": card.get("flip", False),
        "views": card.get("views", False),
        "precision": _there("compress", params.get("compress")),
    }
    kept = {"recipe": 1} | {key: value for key, value in params.items() if key not in _MOVED}
    return {**card, "trained": {**trained, "params": kept, "inference": inference}}


def _there(key: str, value: Any) -> Any:
    """Returns the value that means the same in the new place."""
    if key == "compress":
        return "float16" if value else "float32"
    if key == "memory_gb":  # of memory then, of the disk now
        return MachineParams().cache_gb
    return value
