"""Writes the list of KerasHub's networks that `--backbone` takes. A test compares it with KerasHub's own.

./run hub python -m tests.make_hub_presets
"""

import re
from typing import Any, Final

from fercomp.core.files import write_json
from fercomp.core.hub_presets import PRESETS

FAMILIES: Final = (
    *("DINOV2", "DINOV3", "SigLIP", "CLIP", "MetaCLIP2", "ViT", "DeiT", "SwinTransformer"),
    *("HGNetV2", "MobileNet", "MobileNetV5", "EfficientNet", "ResNet"),
)
"""What KerasHub calls the families, without `Backbone`. Others do something else, or Keras has them."""

SIZES: Final = {"MobileNetV5": 256}
"""Side of the input in pixels, where it is another than 224 and no preset's name says so."""

_NAMED: Final = ("SigLIP", "CLIP", "MetaCLIP2", "ViT", "DeiT", "SwinTransformer")
"""Families whose presets are for one size, which their names say where it is another than 224."""


def presets() -> dict[str, dict[str, Any]]:
    """Returns what there is by name: handle at Kaggle, and side of the input."""
    from keras_hub import models

    found = {}
    for family in FAMILIES:
        own = getattr(models, f"{family}Backbone").presets
        for name, preset in own.items():
            said = re.search(r"_(\d{3})(?=_|$)", name) if family in _NAMED else None
            size = int(said[1]) if said else SIZES.get(family, 224)
            handle = preset["kaggle_handle"].removeprefix("kaggle://")
            found[name] = {"family": family, "handle": handle, "size": size}
    return dict(sorted(found.items()))


if __name__ == "__main__":
    write_json(PRESETS, presets())
