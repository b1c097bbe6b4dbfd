"""The files of KerasHub's presets: from a folder that somebody filled by hand, or from Kaggle."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fercomp.core.errors import FercompError, in_brief
from fercomp.core.hub_presets import hub_presets
from fercomp.core.paths import at_home
from fercomp.core.reading import read_json

CONFIG: Final = "config.json"
CONVERTER: Final = "image_converter.json"
HUB_WEIGHTS: Final = "model.weights.h5"

_LARGEST: Final = 2**20
"""Bytes of a file that says how a network is made; they have some thousands."""

_REFUSED: Final = (401, 403)
"""What Kaggle answers who has no account there, or has not accepted the terms of a model."""


def weights_folder() -> Path:
    """Returns where Keras keeps the weights that it downloads."""
    return Path(at_home(os.environ.get("KERAS_HOME", "~/.keras")), "models")


def own_folder(name: str) -> Path:
    """Returns where the files of a preset are put by hand."""
    return weights_folder() / name


def preset_source(name: str) -> str:
    """Returns what KerasHub loads a preset from: the folder filled by hand, or the handle at Kaggle."""
    folder = own_folder(name)
    return str(folder) if (folder / CONFIG).is_file() else f"kaggle://{hub_presets()[name].handle}"


def preset_file(name: str, file: str) -> Path:
    """Returns a file of a preset, which is downloaded where it is not there.

    Args:
        name: The preset.
        file: Such as `CONFIG`.

    Raises:
        FercompError: It cannot be had.
    """
    if (own_folder(name) / CONFIG).is_file():
        path = own_folder(name) / file
        if not path.is_file():
            raise FercompError(f"{path} not found: download it from {hub_presets()[name].page}")
        return path
    with told_what_lacks(name, file):
        import kagglehub

        return Path(kagglehub.model_download(hub_presets()[name].handle, file))


def preset_json(name: str, file: str) -> dict[str, Any]:
    """Reads a file of a preset that says how it is made, as `preset_file` finds it."""
    return read_json(preset_file(name, file), _LARGEST, f"download it again from {hub_presets()[name].page}")


def look_for_preset(name: str, weights: bool) -> None:
    """Looks whether the files of a preset are there, or can be downloaded; the small ones then are.

    Args:
        name: The preset.
        weights: Whether its weights are needed, too.

    Raises:
        FercompError: They cannot be had.
    """
    preset_file(name, CONFIG)
    preset_file(name, CONVERTER)
    if (
        weights
        and (own_folder(name) / CONFIG).is_file()
        and not list(own_folder(name).glob("model*.weights.*"))
    ):
        preset_file(name, HUB_WEIGHTS)


@contextmanager
def told_what_lacks(name: str, file: str) -> Iterator[None]:
    """Turns what KerasHub and Kaggle's client raise for files that cannot be had into one line.

    Args:
        name: The preset.
        file: The file that is asked for in the block.

    Raises:
        FercompError: Instead of theirs.
    """
    import requests
    from kagglehub import exceptions

    theirs = (
        *(exceptions.BackendError, exceptions.CredentialError, exceptions.DataCorruptionError),
        *(exceptions.NotFoundError, exceptions.UnauthenticatedError, exceptions.KaggleEnvironmentError),
    )
    try:
        yield
    except (OSError, ValueError, *theirs) as error:
        page = hub_presets()[name].page
        if getattr(getattr(error, "response", None), "status_code", None) in _REFUSED:
            raise FercompError(
                f"{name} needs consent: accept its terms at {page}, with the account whose key is on this "
                "machine (docs/how-to/submit.md), then run the same command again"
            ) from error
        unreachable = isinstance(error, (requests.ConnectionError, requests.Timeout))
        why = "Kaggle cannot be reached" if unreachable else in_brief(error)
        raise FercompError(
            f"{file} of {name} cannot be had ({why}): download {CONFIG}, {CONVERTER} and {HUB_WEIGHTS} from "
            f"{page} and put them into {own_folder(name)}"
        ) from error
