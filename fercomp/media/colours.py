"""Colours of frames: from what a clip holds to RGB, and the tags that say how a copy is written."""

from functools import cache
from typing import Final, NamedTuple

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

_BT709: Final = 1
_MATRICES: Final = frozenset({_BT709, 2, 4, 5, 6, 7, 9})
"""Matrices that swscale converts to, as FFmpeg numbers them (ITU-T H.273); 2 is *unspecified*."""

WHITE: Final = 203.0
"""cd/m2 of white in a picture of standard range that is shown within one of high range (ITU-R BT.2408)."""

PEAK: Final = 1000.0
"""cd/m2 of the brightest light that is told from white: what HLG is made for, and most of PQ."""

_KNEE: Final = 0.5
"""Share of white below which light stays as it is."""

# ITU-R BT.2087: the colours of BT.2020 in those of BT.709, which every screen has.
_TO_BT709: Final = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], dtype=np.float32
)


class Colours(NamedTuple):
    """How the pixels of a frame are meant, as FFmpeg numbers it (ITU-T H.273)."""

    matrix: int
    range: int
    primaries: int
    transfer: int


def written_as(frame: VideoFrame) -> Colours:
    """Says how a copy of a frame is to be written and tagged, in YUV of 8 bits and standard range.

    What was RGB before, or in a matrix that nothing here writes, becomes BT.709.

    Args:
        frame: A frame of the original.
    """
    if is_hdr(frame):
        return Colours(_BT709, ColorRange.MPEG, ColorPrimaries.BT709, ColorTrc.BT709)
    primaries, transfer = frame.color_primaries, frame.color_trc
    if frame.format.is_rgb:
        primaries = ColorPrimaries.BT709 if primaries == ColorPrimaries.UNSPECIFIED else primaries
        transfer = ColorTrc.IEC61966_2_1 if transfer == ColorTrc.UNSPECIFIED else transfer
        return Colours(_BT709, ColorRange.MPEG, primaries, transfer)
    if frame.colorspace not in _MATRICES:
        return Colours(_BT709, ColorRange.MPEG, primaries, transfer)
    return Colours(frame.colorspace, frame.color_range, primaries, transfer)


def is_known(frame: VideoFrame) -> bool:
    """Says whether the colours of a frame can be told exactly: not all matrices can be read."""
    return frame.format.is_rgb or frame.colorspace in _MATRICES


def _readable(matrix: int) -> int:
    """Returns the matrix itself, or the nearest of those that swscale reads."""
    return matrix if matrix in _MATRICES else {10: 9}.get(matrix, _BT709)


def is_hdr(frame: VideoFrame) -> bool:
    """Says whether a frame has a high dynamic range (HLG or PQ), which would look pale as it is."""
    return frame.color_trc in (ColorTrc.ARIB_STD_B67, ColorTrc.SMPTE2084)


def to_rgb(frame: VideoFrame, width: int, height: int) -> np.ndarray:
    """Returns a frame as `(h, w, 3)` uint8 RGB of standard range.

    High dynamic range is tone-mapped: light up to half of white stays as it is, brighter light is rolled off
    so that `PEAK` becomes white. FFmpeg's own way takes seconds to set up.

    Args:
        frame: The frame.
        width: Pixels of the result.
        height: Likewise.
    """
    if not frame.format.is_rgb:
        frame.colorspace = _readable(frame.colorspace)
    if not is_hdr(frame):
        return frame.to_ndarray(format="rgb24", width=width, height=height)
    signal = frame.to_ndarray(format="rgb48le", width=width, height=height)
    light = _light(frame.color_trc).take(signal.astype(np.uint16, copy=False))
    if frame.color_primaries in (ColorPrimaries.BT2020, ColorPrimaries.UNSPECIFIED):
        light = cv2.transform(light, _TO_BT709)
    # The square root spends the steps of the table as eyes do: many of them on what is dark.
    np.clip(light, 0, PEAK / WHITE, out=light)
    steps = cv2.sqrt(light) * np.float32(_STEPS / np.sqrt(PEAK / WHITE))
    return _shown().take(steps.astype(np.uint16))


_STEPS: Final = 65535


@cache
def _light(transfer: int) -> np.ndarray:
    """Returns `(65536,)` float32: the light of a signal as a share of white."""
    signal = np.linspace(0, 1, _STEPS + 1)
    nits = _pq(signal) if transfer == ColorTrc.SMPTE2084 else _hlg(signal)
    return (nits / WHITE).astype(np.float32)


def _pq(signal: np.ndarray) -> np.ndarray:
    """Returns cd/m2 (SMPTE ST 2084)."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = signal ** (1 / m2)
    return 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _hlg(signal: np.ndarray) -> np.ndarray:
    """Returns cd/m2 on a screen of `PEAK` (ITU-R BT.2100), its gamma of 1.2 taken channel by channel."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return PEAK * scene**1.2


@cache
def _shown() -> np.ndarray:
    """Returns `(65536,)` uint8: what is shown for the square root of light up to `PEAK`."""
    light = np.linspace(0, 1, _STEPS + 1) ** 2 * (PEAK / WHITE)
    most = (PEAK / WHITE - _KNEE) / (1 - _KNEE)
    above = np.maximum(light - _KNEE, 0) / (1 - _KNEE)
    # Reinhard et al., 2002, Photographic tone reproduction for digital images, formula 4, above the knee.
    rolled = np.minimum(light, _KNEE) + (1 - _KNEE) * above * (1 + above / most**2) / (1 + above)
    return np.rint(255 * np.clip(rolled, 0, 1) ** (1 / 2.4)).astype(np.uint8)  # ITU-R BT.1886
