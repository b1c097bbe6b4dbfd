"""Weights that come in packages of the registry: found without importing what is in them."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from fercomp.core.errors import FercompError


def packaged_file(package: str, file: str, network: str) -> Path:
    """Returns where a file of an installed package is.

    Args:
        package: Name of the package.
        file: Path of the file, relative to where packages are installed.
        network: Whose weights these are, for the message.

    Raises:
        FercompError: The package is not installed.
    """
    try:
        return Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError as error:
        raise FercompError(
            f"the weights of {network} need the package {package}: install it, or train with "
            "`train.weights=none`"
        ) from error
