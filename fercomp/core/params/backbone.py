"""What a backbone is used with unless something else is asked for: the size of its input, and its weights."""

from collections.abc import Mapping
from typing import Any, Final

from fercomp.core.hub_presets import PRESET, hub_presets

COMPACT: Final = "compact"
"""The backbone of our own, for small photos."""

COMPACT_WIDE: Final = "compact_wide"
"""The same with half as many channels again, for more photos or more time."""

LITE0: Final = "efficientnet_lite0"
"""The backbone whose ImageNet weights come with a package."""

FACENET: Final = "facenet"
"""The backbone whose weights come from telling people apart, with a package, too."""

SIZES: Final[Mapping[Any, int]] = {COMPACT: 48, COMPACT_WIDE: 48, LITE0: 96, FACENET: 128}
"""Side of the input in pixels of backbones that are used with small photos."""

_WEIGHTS: Final[Mapping[Any, str]] = {COMPACT: "none", COMPACT_WIDE: "none", FACENET: "faces"}
"""Where backbones start from that have no ImageNet weights."""


def usual_weights(backbone: Any) -> str:
    """Returns where a backbone starts from by default; of one that is not known, `imagenet`."""
    return PRESET if backbone in hub_presets() else _WEIGHTS.get(backbone, "imagenet")


def usual_size(backbone: Any) -> int:
    """Returns the side of its input in pixels by default; of one that is not known, 224."""
    preset = hub_presets().get(backbone)
    return preset.size if preset else SIZES.get(backbone, 224)
