"""What a clip's file says that it holds, and how much of it came."""

import struct
from collections.abc import Sequence
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

if TYPE_CHECKING:
    from av.packet import Packet

NEAR_THE_END: Final = 0.5
"""Seconds of a clip that may be missing at its end: containers round."""

SLOWEST: Final = 1
"""Frames a second that a clip is thought to have where its pictures do not say it."""

_FIELDS: Final = 2.5
"""How much further apart than its pictures say frames may be: twice, where they count fields."""

_PROMISING: Final = frozenset({"mov", "matroska", "avi", "asf", "flv"})
"""FFmpeg's names of formats that write down how long they are; of others it is read off their last bytes, so
that it agrees with whatever is left of the file."""

_ASF_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
"""What the object in the header of an ASF file begins with that holds the duration."""


class Promise:
    """Compares what a file promises with what was read of it.

    A length of the pictures is compared with the pictures; one of the whole file with whatever lasts longest
    in it, since sound may go on after the last picture. So then the packets of all streams are looked at.

    Args:
        container: The file.
        stream: Its pictures.
        path: The file itself.

    Attributes:
        seconds: How long the pictures are, or the whole file where it says no more; `None` where it does not.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, path: Path) -> None:
        self._stream = stream
        self._last = 0.0
        self.seconds: float | None = None
        self._whole = False
        self._counts = "mov" in container.format.name.split(",")
        names = set(container.format.name.split(","))
        if "avi" in names and stream.frames and stream.average_rate:
            # FFmpeg shortens the duration of a cut off file, the number of frames stays.
            self.seconds = float(stream.frames / stream.average_rate)
        elif stream.duration and stream.time_base and names & _PROMISING:
            self.seconds = float(stream.duration * stream.time_base)
        elif container.duration and names & _PROMISING:
            self.seconds, self._whole = container.duration / av.time_base, True
        elif "asf" in names:
            self.seconds, self._whole = _asf_seconds(path), True

    def streams(self, container: InputContainer) -> Sequence[Stream]:
        """Returns the streams whose packets `saw` is to be told of."""
        return list(container.streams) if self._whole else [self._stream]

    def saw(self, packet: "Packet[Any]") -> None:
        """Takes note of when a packet ends."""
        if self._whole and packet.pts is not None and packet.time_base:
            self._last = max(self._last, float((packet.pts + (packet.duration or 0)) * packet.time_base))

    def broken(self, frames: int, last: float) -> str | None:
        """Says, after the last frame, what is missing.

        Args:
            frames: Number of frames that were read or were found damaged.
            last: Seconds at which the last of them ends.

        Returns:
            What was promised and what came, or `None` where that agrees.
        """
        end = max(last, self._last)
        if self.seconds is not None and end < self.seconds - NEAR_THE_END:
            return f"ends after {end:.1f} of {self.seconds:.1f} s"
        promised = self._frames()
        if frames < 0.9 * promised and (promised - frames) / float(self._rate) > NEAR_THE_END:
            return f"gave {frames:,} of the {promised:,.0f} frames that it promises"
        return None

    @property
    def _rate(self) -> float:
        return float(self._stream.average_rate or 25)

    def _frames(self) -> float:
        """Returns how many frames are to come, less those that an editing program has cut away."""
        stream = self._stream
        if not self._counts or not stream.frames:  # an AVI counts those that its camera dropped
            return 0
        entries = list(stream.index_entries)
        if self._is_slow([entry.timestamp for entry in entries]):
            return stream.frames - sum(entry.size == 0 for entry in entries)
        left = stream.frames - sum(entry.size == 0 or entry.is_discard for entry in entries)
        # Where every frame is a picture of its own, FFmpeg has taken from the index what was cut away.
        return min(left, float((stream.duration or inf) * (stream.time_base or 0)) * self._rate)

    def _is_slow(self, times: Sequence[int]) -> bool:
        """Says whether no two frames are as close as the pictures say of themselves: a clock that is damaged.

        By such a clock, an edit list leaves hardly anything of a clip, though nobody has cut it.
        """
        stream = self._stream
        steps = [later - earlier for earlier, later in pairwise(sorted(times)) if later > earlier]
        closest = float(min(steps) * (stream.time_base or 0)) if steps else 1 / self._rate
        return closest > _FIELDS / float(stream.codec_context.framerate or SLOWEST)


def _asf_seconds(path: Path) -> float | None:
    """Returns the duration in the header of an ASF file, which FFmpeg gives only of whole ones."""
    with path.open("rb") as file:
        head = file.read(2**16)
    at = head.find(_ASF_PROPERTIES)
    if at < 0 or len(head) < at + 92:
        return None
    play, _, preroll, flags = struct.unpack("<QQQI", head[at + 64 : at + 92])
    is_broadcast = flags & 1
    return None if is_broadcast else play / 1e7 - preroll / 1e3
