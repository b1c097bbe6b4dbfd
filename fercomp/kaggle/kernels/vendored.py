"""Packages that travel to a kernel without internet: those of its image may be missing, or too old.

What travels is what is installed here, file by file, as an unpacked wheel is. Packages of Python code run
under any version of Python; OpenVINO only under the one that it was made for.
"""

import importlib.metadata
import json
import platform
import sys
import zipfile
import zlib
from collections.abc import Mapping
from importlib.metadata import Distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement  # matplotlib depends on it
from packaging.version import Version

from fercomp.core.errors import FercompError
from fercomp.kaggle.kernels.packages import AT_LEAST, PYTHON, VENDORED, package_name

LIGHT: Final = ("filelock", "keras", "rich", "ruamel.yaml", "tqdm", "typer")
"""What `predict` imports that is Python code only. The rest is in Kaggle's image.

Keras travels since an older one cannot read what a newer one has written: 3.10 not what 3.15 has. It runs on
the image's TensorFlow.
"""

_THERE: Final = "pygments"
"""Jupyter, which runs kernels, needs it; it is as large as all of these."""

_LEAST_KERAS: Final = f"{VENDORED}/keras/{AT_LEAST}"

_LARGEST_METADATA: Final = 2**16  # bytes

_UNREADABLE: Final = (OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError)
"""What a damaged file may raise, whose network is then told to be damaged where it is loaded."""

_COMPILED: Final = (".so", ".pyd", ".dylib")
"""How files are called that are for one Python and one system."""


def vendored_files(openvino: bool) -> dict[str, Path | bytes]:
    """Lists the files of packages that travel, by their path in the kernel's folder.

    Args:
        openvino: Whether OpenVINO has to travel, since a network has no `model.keras`.

    Raises:
        FercompError: It has to, and that of this machine does not run at Kaggle.
    """
    files: dict[str, Path | bytes] = {}
    for name in LIGHT:
        files |= _files(package_name(name), _with_needed(name))
    if "keras" in LIGHT:
        files[_LEAST_KERAS] = importlib.metadata.version("keras").encode()
    if openvino:
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            raise FercompError(
                "a network without model.keras needs OpenVINO, and this machine's does not run at Kaggle "
                "(x86-64 Linux): submit a model that fercomp has trained, or do it on such a machine"
            )
        files |= _files("openvino", {"openvino", "openvino-telemetry"})
        files[f"{VENDORED}/openvino/{PYTHON}"] = f"{sys.version_info[0]}.{sys.version_info[1]}".encode()
    return files


def least_keras(files: Mapping[str, Path | bytes]) -> dict[str, Path | bytes]:
    """Says which Keras a kernel with internet needs: one older than saved a network cannot read that.

    Args:
        files: What travels, by its path in the kernel's folder.

    Returns:
        One more file that travels; nothing where no network does.
    """
    networks = [entry for entry in files.values() if isinstance(entry, Path) and entry.suffix == ".keras"]
    versions = [version for network in networks if (version := _saved_by(network))]
    return {_LEAST_KERAS: max(versions).public.encode()} if versions else {}


def _saved_by(network: Path) -> Version | None:
    """Returns the version of Keras that saved a network; `None` where the file does not say it."""
    try:
        with zipfile.ZipFile(network) as archive, archive.open("metadata.json") as file:
            return Version(json.loads(file.read(_LARGEST_METADATA))["keras_version"])
    except (*_UNREADABLE, zipfile.BadZipFile, zlib.error):
        return None


def _with_needed(name: str) -> set[str]:
    """Returns a package and what it needs, but for what is compiled, which Kaggle's image has."""
    needed: set[str] = {package_name(name)}
    for one in _required(importlib.metadata.distribution(name)):
        needed |= _closure(one) or set()
    return needed - {_THERE}


def _closure(name: str) -> set[str] | None:
    """Returns a package and all that it needs, `None` where some of that is compiled."""
    found = importlib.metadata.distribution(name)
    if any(file.suffix in _COMPILED for file in found.files or ()):
        return None
    closures = [_closure(one) for one in _required(found)]
    return None if None in closures else {name}.union(*(one for one in closures if one))


def _required(found: Distribution) -> list[str]:
    required = map(Requirement, found.requires or ())
    return [
        package_name(one.name) for one in required if not one.marker or one.marker.evaluate({"extra": ""})
    ]


def _files(folder: str, names: set[str]) -> Mapping[str, Path | bytes]:
    files: dict[str, Path | bytes] = {}
    for name in sorted(names):
        for file in importlib.metadata.distribution(name).files or ():
            path = Path(str(file.locate()))
            if ".." not in file.parts and "__pycache__" not in file.parts and path.is_file():
                files[f"{VENDORED}/{folder}/{file.as_posix()}"] = path
    return files
