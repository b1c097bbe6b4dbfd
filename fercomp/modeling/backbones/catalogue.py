"""Backbones by their lower-case name, each with its own preprocessing inside.

Every backbone built here takes float32 RGB in 0 to 255 and returns a feature map, so a caller cannot feed
one network what another expects.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from fercomp.core.errors import FercompError, in_brief
from fercomp.core.hub_presets import PRESET, hub_presets
from fercomp.core.params import FACENET, LITE0
from fercomp.modeling.backbones.compact import CHANNELS, build_compact
from fercomp.modeling.backbones.download import look_for_weights
from fercomp.modeling.backbones.efficientnet_lite import build_efficientnet_lite0, load_imagenet
from fercomp.modeling.backbones.facenet import build_facenet, load_faces
from fercomp.modeling.backbones.hub_files import look_for_preset, weights_folder
from fercomp.modeling.backbones.names import APPLICATIONS, check_backbone_name
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.hub import require_hub
from fercomp.modeling.backend.keras_file import load_keras

_OURS: Final[Mapping[str, Callable[[int], keras.Model]]] = MappingProxyType(
    {
        **{name: partial(build_compact, name) for name in CHANNELS},
        LITE0: build_efficientnet_lite0,
        FACENET: build_facenet,
    }
)
"""Name to what builds the network for a size."""

_PRETRAINED: Final[Mapping[str, Mapping[str, Callable[[keras.Model], None]]]] = MappingProxyType(
    {**{name: {} for name in CHANNELS}, LITE0: {"imagenet": load_imagenet}, FACENET: {"faces": load_faces}}
)
"""Name to the weights that come with packages, each with what gives them to the network."""

_NAMED_WEIGHTS: Final = ("none", "imagenet", "faces", PRESET)
"""What `weights` may be other than the path of a file."""


def check_backbone(name: str, weights: str) -> None:
    """Checks what can be told of a backbone and its weights without building it.

    Args:
        name: As `build_backbone` takes it.
        weights: Likewise.

    Raises:
        FercompError: The name is unknown, the network has no such weights, there is no such file, or the
            network is KerasHub's, which is not installed.
    """
    check_backbone_name(name)
    if name in hub_presets():
        require_hub(name)
        pretrained: tuple[str, ...] = (PRESET,)
    else:
        pretrained = ("imagenet",) if name in APPLICATIONS else tuple(_PRETRAINED[name])
    if weights in _NAMED_WEIGHTS and weights not in ("none", *pretrained):
        known = ", ".join(("none", *pretrained))
        raise FercompError(f"{name} has no weights `{weights}`: expected {known}, or the path of a file")
    if weights not in _NAMED_WEIGHTS and not Path(weights).is_file():
        raise FercompError(
            f"weights file {weights} not found: expected {', '.join(('none', *pretrained))}, or the path of "
            "a .weights.h5 file or of a model's model.keras"
        )


def check_weights(name: str, size: int, weights: str) -> None:
    """Looks for weights that would be downloaded, before minutes are spent on what needs them.

    Args:
        name: As `build_backbone` takes it.
        size: Likewise.
        weights: Likewise; those that come with packages are not looked for.

    Raises:
        FercompError: They are not there, and cannot be downloaded; or the network is KerasHub's, which is
            not installed.
    """
    if name in hub_presets():
        require_hub(name)
        look_for_preset(name, weights == PRESET)
    if name not in APPLICATIONS or weights != "imagenet":
        return
    build = partial(_class_of(name), include_top=False, weights="imagenet", input_shape=(size, size, 3))
    try:
        look_for_weights(build, weights_folder())
    except OSError as error:
        raise _weights_error(name, error) from error
    except ValueError as error:
        raise _size_error(name, size, error) from error


def build_backbone(name: str, size: int, weights: str) -> keras.Model:
    """Builds a backbone.

    Args:
        name: One of `every_backbone`.
        size: Side of the input in pixels, S.
        weights: `none`; `imagenet`, `faces` or `preset`, where the network has such; the path of a Keras
            weights file (`.weights.h5`) for the network, or of a bundle's `model.keras` that holds it as its
            backbone.

    Returns:
        A model from `(n, S, S, 3)` float32 RGB in 0 to 255 to features `(n, h, w, C)` float32.

    Raises:
        FercompError: The name is unknown, the size does not suit the network, or the weights cannot
            be had.
    """
    check_backbone(name, weights)
    if name in hub_presets():
        from fercomp.modeling.backbones.hub import build_hub

        backbone = build_hub(name, size, weights == PRESET)
    else:
        backbone = _application(name, size, weights) if name in APPLICATIONS else _OURS[name](size)
    if weights not in _NAMED_WEIGHTS:
        _load_weights(backbone, Path(weights), name)
    elif name in _OURS and weights != "none":
        _PRETRAINED[name][weights](backbone)
    return backbone


def _application(name: str, size: int, weights: str) -> keras.Model:
    module = getattr(keras.applications, APPLICATIONS[name][0])
    pretrained = "imagenet" if weights == "imagenet" else None
    try:
        network = _class_of(name)(include_top=False, weights=pretrained, input_shape=(size, size, 3))
    except Exception as error:
        # Keras raises a bare Exception for a failed download; nothing narrower can be caught.
        if pretrained and (isinstance(error, OSError) or _DOWNLOAD_FAILED.search(str(error))):
            raise _weights_error(name, error) from error
        if isinstance(error, ValueError):
            raise _size_error(name, size, error) from error
        raise
    inputs = keras.Input((size, size, 3), dtype="float32", name="rgb")
    return keras.Model(inputs, network(module.preprocess_input(inputs)), name=name)


def _class_of(name: str) -> Callable[..., Any]:
    build: Callable[..., Any] = getattr(keras.applications, APPLICATIONS[name][1])
    return build


def _size_error(name: str, size: int, error: Exception) -> FercompError:
    return FercompError(f"{name} cannot be built for {size} pixels: {in_brief(error, 300)}")


_DOWNLOAD_FAILED: Final = re.compile(r"URL fetch failure on (?P<url>\S+): |Incomplete or corrupted file")


def _weights_error(name: str, error: Exception) -> FercompError:
    cache = weights_folder()
    failed = _DOWNLOAD_FAILED.search(str(error))
    if failed and failed["url"]:
        file = failed["url"].rsplit("/", 1)[-1]
        if file.startswith("NASNet"):  # the one family that Keras keeps under other names
            file = file.lower().replace("-", "_")
        remedy = f"put that file into {cache} as {file}"
    else:
        remedy = f"delete what there is of them in {cache} and try again"
    return FercompError(
        f"the ImageNet weights of {name} cannot be had ({in_brief(error, 300)}): {remedy}, or train with "
        f"`train.weights=none`, or with the backbone {LITE0}, whose weights need no network"
    )


def _load_weights(backbone: keras.Model, path: Path, name: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for every layer, before the error that says it
            if path.suffix == ".keras":
                backbone.set_weights(load_keras(path).get_layer(name).get_weights())
            else:
                backbone.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        raise FercompError(f"{path} does not hold weights of {name}: {in_brief(error, 300)}") from error
