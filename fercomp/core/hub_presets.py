"""KerasHub's networks by name, known without KerasHub, which is in an environment of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

PRESETS: Final = Path(__file__).with_name("hub_presets.json")
"""Made from KerasHub's own list."""

PRESET: Final = "preset"
"""What `train.weights` is for the weights that KerasHub has for a network."""


@dataclass(frozen=True)
class Preset:
    """A network of KerasHub's with its weights.

    Attributes:
        family: What KerasHub calls its family, such as `DINOV2`.
        handle: Where it is at Kaggle: owner, model, `keras`, variation, version.
        size: Side of the input in pixels that it is for.
    """

    family: str
    handle: str
    size: int

    @property
    def page(self) -> str:
        """The page at Kaggle with its files, and where its terms are accepted."""
        return f"https://www.kaggle.com/models/{self.handle}"


@cache
def hub_presets() -> Mapping[str, Preset]:
    """Reads the presets, by name."""
    entries = json.loads(PRESETS.read_text(encoding="utf-8"))
    return MappingProxyType({name: Preset(**entry) for name, entry in entries.items()})
