"""Annotated copies of photos, as bytes in the photo's own format."""

import struct
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from fercomp.annotate.output.names import plain_name
from fercomp.annotate.sources.found import Photo
from fercomp.media.problems import ImageProblem

# Full colour resolution: the usual half of it frays coloured labels.
_JPEG: Final = (
    cv2.IMWRITE_JPEG_QUALITY,
    92,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
)
_LONGEST_JPEG: Final = 65_500
"""Longest side that libjpeg writes, in pixels."""

_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "PNG": {"compress_level": 1},
        "TIFF": {"compression": "tiff_lzw"},
        "WEBP": {"quality": 92, "method": 2},
        "AVIF": {"quality": 90, "speed": 9},
    }
)
"""What Pillow's encoders are told, by format; the others have nothing to choose."""


def encode(photo: Photo, image: np.ndarray) -> bytes:
    """Encodes the annotated copy of a photo in the photo's own format.

    Args:
        photo: The photo, by whose suffix the format is chosen; PNG where it is no picture's.
        image: `(h, w, 3)` uint8 RGB.

    Returns:
        The bytes of the file.

    Raises:
        ImageProblem: A side has more pixels than the format can count.
    """
    kind = Image.registered_extensions()[Path(plain_name(photo.file, is_video=False)).suffix.lower()]
    try:
        # The same bytes from both; but Pillow keeps other threads from Python while it encodes.
        return _jpeg(image) if kind == "JPEG" else _by_pillow(image, kind)
    except (OSError, ValueError, OverflowError, struct.error, cv2.error) as error:
        shape = f"{image.shape[1]}x{image.shape[0]}"
        raise ImageProblem(
            "unsupported", f"{photo.path} has {shape} pixels, too many for {kind}: make it smaller"
        ) from error


def _jpeg(image: np.ndarray) -> bytes:
    if max(image.shape) > _LONGEST_JPEG:  # OpenCV would print a line of its own
        raise ValueError(f"a side has more than {_LONGEST_JPEG} pixels")
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _JPEG)
    return data.tobytes()


def _by_pillow(image: np.ndarray, kind: str) -> bytes:
    data = BytesIO()
    Image.fromarray(image).save(data, kind, **_OPTIONS.get(kind, {}))
    return data.getvalue()
