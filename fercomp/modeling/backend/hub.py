"""KerasHub, where it is installed; and whether a saved network needs it, told without importing it."""

import os
import warnings
import zipfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from fercomp.core.errors import FercompError

HUB: Final = "keras_hub"

# Kaggle's client for models, which KerasHub imports, writes to stdout what it does.
os.environ.setdefault("KAGGLEHUB_VERBOSITY", "error")


def has_hub() -> bool:
    """Tells whether KerasHub is installed in this environment."""
    return find_spec(HUB) is not None


def require_hub(what: str) -> None:
    """Checks that KerasHub is there.

    Args:
        what: What needs it, for the error.

    Raises:
        FercompError: It is not installed.
    """
    if not has_hub():
        raise FercompError(
            f"{what} needs KerasHub, which is not in this environment: put `./run hub` before the command, "
            "such as `./run hub fercomp train`, which installs it in an environment of its own; without "
            "`./run`, `uv sync --directory hub --extra desktop` does"
        )


def import_hub(what: str) -> Any:
    """Imports KerasHub, which registers its layers, and returns it.

    Args:
        what: What needs it, for the error.

    Raises:
        FercompError: It is not installed.
    """
    require_hub(what)
    # Swin's blocks hand a mask on that nothing looks at, and Keras says so at each of them.
    warnings.filterwarnings("ignore", r".*WindowAttention\) was passed an input with a mask", UserWarning)
    return import_module(HUB)


def settle_positions(model: Any) -> None:
    """Lets a network be saved with the positions of patches that it has learned.

    DINOv2 of KerasHub 0.32 saves a second table, into which it takes what was learned only where the sum of
    all changes is above zero.

    Args:
        model: Any Keras model; one of `backbones.hub` has tables of one shape.
    """
    for layer in model._flatten_layers():
        learned = getattr(layer, "interpolated_position_embeddings", None)
        if learned is not None and learned.shape == layer.position_embeddings.shape:
            layer.position_embeddings.assign(learned)


def needs_hub(path: Path) -> bool:
    """Tells whether a `.keras` file holds layers of KerasHub's; what is no such file holds none."""
    try:
        with zipfile.ZipFile(path) as file:
            return f'"{HUB}>' in file.read("config.json").decode(errors="replace")
    except (OSError, KeyError, zipfile.BadZipFile):
        return False
