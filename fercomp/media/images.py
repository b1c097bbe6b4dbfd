"""Still pictures: the only place that decodes one.

Whatever a file holds, the caller gets `(h, w, 3)` uint8 RGB as a person would see the picture, or an
`ImageProblem` with a reason in one word. Pillow decodes, because it tells apart what OpenCV does not: a
truncated file from a whole one, CMYK, 16 bits, transparency, and a huge picture before it is decoded.
"""

import math
import os
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, UnidentifiedImageError

from fercomp.core.arguments import require_path
from fercomp.media.image_formats import FORMATS, ended_jpeg, formats_of, is_heic
from fercomp.media.pixels import grey_rows, pixels_of
from fercomp.media.problems import ImageProblem, reading

MIN_SIDE: Final = 8
"""Pixels. A picture with a shorter side shows no face; trackers and placeholders are 1x1."""

MAX_PIXELS: Final = 120_000_000
"""Room for a 108-megapixel telephone photo, which takes 360 MB decoded; more is a mistake or a bomb."""

MAX_BYTES: Final = 512 * 2**20
"""Largest file that is read: `MAX_PIXELS` of uncompressed RGBA with some room."""

# Decompression bombs are refused below, by a limit of our own; oddities in metadata concern nobody here.
warnings.filterwarnings("ignore", module=r"PIL\.")

_ORIENTATION_TAG: Final = 0x0112
_TO_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Decoded:
    """A picture as a person sees it.

    Attributes:
        pixels: `(h, w, 3)` uint8 RGB, writable and contiguous.
        missing: Share of its rows that did not come and are grey, 0 to 1; `None` for a whole file.
    """

    pixels: np.ndarray
    missing: float | None = None


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Reads a picture.

    Args:
        path: The file. Its name does not matter, its bytes do.

    Returns:
        `(h, w, 3)` uint8 RGB, see `decode_photo`.

    Raises:
        ImageProblem: The file cannot be read or is not a usable picture.
        FercompError: It is no path.
    """
    name = require_path(path, "the file of a picture")
    return decode_image(read_file(Path(name)), name)


def read_file(path: Path) -> bytes:
    """Reads the bytes of a picture's file.

    Raises:
        ImageProblem: `path` is missing, not a file, not readable, empty or larger than `MAX_BYTES`.
    """
    with reading(path, ImageProblem, "a picture") as status:
        if status.st_size > MAX_BYTES:
            raise ImageProblem(
                "too_large", f"{path} has {status.st_size:,} bytes: at most {MAX_BYTES:,} are read"
            )
        data = path.read_bytes()
    if not data:
        raise ImageProblem("empty", f"{path} is empty (0 bytes): a picture was expected")
    return data


def decode_image(data: bytes, name: str = "the picture") -> np.ndarray:
    """Decodes a picture as `decode_photo` does, and returns its pixels only."""
    return decode_photo(data, name).pixels


def decode_photo(data: bytes, name: str = "the picture", least: int | None = None) -> Decoded:
    """Decodes a picture the way a person sees it.

    EXIF orientation is applied. Grey, palette, 1-bit and CMYK pictures become RGB; 16 bits are scaled to
    8. Transparent parts show white, the colour of the pages that cut-outs are made for: the colours stored
    beneath them are arbitrary. Of an animation the first frame counts. Colour profiles are not applied. A
    JPEG that lacks its end is decoded as far as it goes.

    Args:
        data: The bytes of a JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC.
        name: What to call the picture in an error.
        least: A JPEG is decoded at half, a quarter or an eighth of its scale where its shorter side keeps so
            many pixels: libjpeg then leaves out what makes fine detail, which takes less time.

    Returns:
        The picture, of at least `MIN_SIDE` pixels a side.

    Raises:
        ImageProblem: The bytes are not a usable picture.
    """
    try:
        return _decoded(data, name, least)
    except ImageProblem as problem:
        ended = ended_jpeg(data) if problem.reason == "truncated" else None
        if ended is None:
            raise
        decoded = _decoded(ended, name, least, is_whole=False)
        if decoded.missing == 1:
            raise
        return decoded


def _decoded(data: bytes, name: str, least: int | None, is_whole: bool = True) -> Decoded:
    try:
        with Image.open(BytesIO(data), formats=formats_of(data)) as image:
            _require_usable(image, name)
            if least is not None:
                image.draft(None, (least, least))
            image.load()
            rgb = _rgb(image)
            return Decoded(pixels_of(_upright(rgb, image)), None if is_whole else grey_rows(rgb))
    except ImageProblem:
        raise
    except UnidentifiedImageError as error:
        if is_heic(data):
            raise ImageProblem("unreadable", f"{name} is a HEIC photo that is damaged: replace it") from error
        expected = ", ".join((*FORMATS, "AVIF", "HEIC"))
        raise ImageProblem("not_an_image", f"{name} is not a picture: {expected} were expected") from error
    except Image.DecompressionBombError as error:
        raise _too_large(name) from error
    except MemoryError as error:
        raise ImageProblem("too_large", f"{name} needs more memory than there is: make it smaller") from error
    # Pillow's readers trust what a file says about itself and, on damaged bytes, raise nearly anything.
    except Exception as error:
        if "truncated" in str(error).lower() or isinstance(error, EOFError):
            raise ImageProblem("truncated", f"{name} ends too early: copy it again") from error
        raise ImageProblem("unreadable", f"{name} is damaged ({error}): replace it") from error


def jpeg_loss(data: bytes) -> float:
    """Says how much detail a JPEG was saved without.

    Args:
        data: The bytes of a picture that `decode_image` takes.

    Returns:
        The mean step by which brightness was rounded (its quantisation table, ITU-T T.81, 1992): 1 to 255 for
        8 bits, and NaN for other formats, which do not tell what their picture was made of.
    """
    try:
        with Image.open(BytesIO(data), formats=("JPEG",)) as image:
            tables: dict[int, list[int]] = getattr(image, "quantization", {})
            return float(np.mean(tables.get(0, [math.nan])))
    except UnidentifiedImageError:
        return math.nan


def _require_usable(image: Image.Image, name: str) -> None:
    """Refuses by the header alone what cannot be used, before memory is spent on it."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(name)
    if min(width, height) < MIN_SIDE:
        raise ImageProblem(
            "too_small", f"{name} has {width}x{height} pixels: at least {MIN_SIDE} a side are needed"
        )
    if image.mode in ("I", "F"):
        raise ImageProblem(
            "unsupported", f"{name} holds 32-bit numbers and does not say which is white: save it with 8 bits"
        )


def _too_large(name: str) -> ImageProblem:
    return ImageProblem(
        "too_large", f"{name} has more than {MAX_PIXELS / 1e6:.0f} million pixels: make it smaller"
    )


def _upright(image: Image.Image, source: Image.Image) -> Image.Image:
    """Applies the EXIF orientation of the source; a broken EXIF block leaves a good picture as it lies."""
    try:
        method = _TO_UPRIGHT.get(source.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:
        return image
    return image if method is None else image.transpose(method)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # 16-bit grey, which Pillow's own conversion would clip at 255
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        return white.convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
