"""Channels of sound: their layout made safe, and many of them mixed to two."""

from typing import Final

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

_NAMED: Final = frozenset(
    {
        *("2.1", "3.0", "3.0(back)", "4.0", "quad", "quad(side)", "3.1", "5.0", "5.0(side)", "4.1", "5.1"),
        *("5.1(side)", "6.0", "6.0(front)", "6.1", "6.1(back)", "6.1(front)", "7.0", "7.0(front)", "7.1"),
        *("7.1(wide)", "7.1(wide-side)"),
    }
)
"""FFmpeg's names of the usual layouts, whose order needs no memory of its own."""


def explicit_layout(track: AudioStream) -> int:
    """Gives a track, before it is decoded, a channel layout without an order of its own.

    PyAV frees the memory of such an order twice (a MOV may name its channels in any order), once with the
    frame and once with the frame's `layout`, which kills the process. Here it is owned once.

    Returns:
        The number of channels, 0 where it is not known yet.
    """
    context = track.codec_context
    layout = context.layout  # the one owner of the order from the next line but one on
    channels = int(layout.nb_channels)
    if channels:
        named = layout.name if layout.name in _NAMED else f"{channels} channels"
        context.layout = {1: "mono", 2: "stereo"}.get(channels, named)
    return channels


class StereoMixer:
    """Makes two channels of more: left ones go left, right ones right, all others to both."""

    def __init__(self) -> None:
        self._packer: AudioResampler | None = None
        self._weights = np.empty((0, 2), dtype=np.float32)

    def mixed(self, frame: AudioFrame) -> AudioFrame:
        """Returns the frame as it is if it has one channel or two, else mixed.

        Args:
            frame: Any number of channels in any format.

        Raises:
            ValueError: The number of channels has changed.
        """
        channels = frame.layout.nb_channels
        if channels <= 2:
            return frame
        if self._packer is None:
            # Packed, because PyAV miscounts the planes of a frame that has eight of them or more.
            self._packer = AudioResampler(format="flt", layout=frame.layout, rate=frame.rate)
            self._weights = stereo_weights([channel.name for channel in frame.layout.channels])
        (packed,) = self._packer.resample(frame)
        samples = np.frombuffer(memoryview(packed.planes[0]), np.float32, packed.samples * channels)
        both = np.ascontiguousarray((samples.reshape(-1, channels) @ self._weights).T)
        stereo = AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
        stereo.rate, stereo.pts, stereo.time_base = packed.rate, packed.pts, packed.time_base
        return stereo


def stereo_weights(names: list[str]) -> np.ndarray:
    """Says how loud each of n channels is to the left and to the right.

    Args:
        names: FFmpeg's names of the channels, such as `FL`, `SR` and `LFE`; where it knows none, the first
            two channels are taken for left and right.

    Returns:
        `(n, 2)` float32, columns that sum to 1.
    """
    known = any(name.endswith(("L", "R")) for name in names)
    weights = np.full((len(names), 2), 0.7, dtype=np.float32)
    for i, name in enumerate(names):
        if name.endswith("L") if known else i == 0:
            weights[i] = (1, 0)
        elif name.endswith("R") if known else i == 1:
            weights[i] = (0, 1)
    weights /= weights.sum(axis=0)
    return weights
