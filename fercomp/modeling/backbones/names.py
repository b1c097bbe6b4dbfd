"""Which backbones there are, told without Keras: our own, those of `keras.applications`, KerasHub's."""

import re
from types import MappingProxyType
from typing import Final

from fercomp.core.errors import unknown_name
from fercomp.core.hub_presets import hub_presets
from fercomp.core.params.backbone import COMPACT, COMPACT_WIDE, FACENET, LITE0

BUILT_HERE: Final = (COMPACT, COMPACT_WIDE, LITE0, FACENET)
"""Networks that are built here."""

_APPLICATIONS: Final = {
    "convnext": ("ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge"),
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "efficientnet": tuple(f"EfficientNetB{i}" for i in range(8)),
    "efficientnet_v2": (
        *(f"EfficientNetV2B{i}" for i in range(4)),
        *(f"EfficientNetV2{size}" for size in "SML"),
    ),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "inception_v3": ("InceptionV3",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "mobilenet_v3": ("MobileNetV3Small", "MobileNetV3Large"),
    "nasnet": ("NASNetMobile", "NASNetLarge"),
    "resnet": ("ResNet50", "ResNet101", "ResNet152"),
    "resnet_v2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "vgg16": ("VGG16",),
    "vgg19": ("VGG19",),
    "xception": ("Xception",),
}


def snake_name(class_name: str) -> str:
    """Returns the name a user types for a class of `keras.applications`.

    Args:
        class_name: Such as `"ConvNeXtXLarge"`, `"EfficientNetV2B0"` or `"ResNet50V2"`.

    Returns:
        Such as `"convnext_xlarge"`, `"efficientnet_v2_b0"` or `"resnet50_v2"`.
    """
    # Families are one word in the literature: split off only what tells their members apart.
    name = re.sub(
        r"(ConvNeXt|EfficientNet|MobileNet|NASNet|Inception|ResNet\d*)(?=[A-Z])", r"\1_", class_name
    )
    return re.sub(r"(V\d)(?=[A-Z])", r"\1_", name).lower()


APPLICATIONS: Final = MappingProxyType(
    {snake_name(cls): (module, cls) for module, classes in _APPLICATIONS.items() for cls in classes}
)
"""Name to (module, class) of `keras.applications`."""

BACKBONES: Final = (*BUILT_HERE, *APPLICATIONS)
"""What is there wherever fercomp is; KerasHub's networks need an environment of their own."""


def every_backbone() -> tuple[str, ...]:
    """Returns the names of all, KerasHub's included."""
    return (*BACKBONES, *hub_presets())


def check_backbone_name(name: str) -> None:
    """Checks that there is a backbone of a name.

    Raises:
        FercompError: There is none; the message has near names, of all families.
    """
    if name not in (names := every_backbone()):
        raise unknown_name("backbone", name, names, shown=(*BACKBONES, "and KerasHub's (docs/how-to/hub.md)"))
