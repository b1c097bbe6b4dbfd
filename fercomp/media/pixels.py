"""Pixels of a picture that Pillow has decoded."""

from typing import Final

import numpy as np
from PIL import Image

_LARGE: Final = 4_000_000
"""Pixels from which on memory counts more than the time of many small copies."""

_STRIP: Final = 256
"""Rows of a large picture that are copied at once."""

_GREY: Final = 128
"""What a JPEG shows where nothing came."""


def pixels_of(image: Image.Image) -> np.ndarray:
    """Returns the pixels of an RGB picture.

    Pillow makes two further copies of what it hands over, so a large picture is handed over in strips.

    Args:
        image: The picture.

    Returns:
        `(h, w, 3)` uint8, writable and contiguous.
    """
    if image.width * image.height < _LARGE:
        return np.array(image)
    pixels = np.empty((image.height, image.width, 3), dtype=np.uint8)
    for top in range(0, image.height, _STRIP):
        bottom = min(top + _STRIP, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    return pixels


def grey_rows(image: Image.Image) -> float:
    """Returns the share of rows at the lower end of an RGB picture that are as where nothing came, 0 to 1."""
    for bottom in range(image.height, 0, -1):
        row = np.asarray(image.crop((0, bottom - 1, image.width, bottom)))
        if (np.abs(row.astype(int) - _GREY) > 1).any():
            return 1 - bottom / image.height
    return 1.0
