"""Moving pictures: the only place that decodes a clip.

Frames come upright, in order, with the times at which they are shown. What cannot be decoded is left out
and told at the end; what is no clip at all is a `ClipProblem` with a reason in one word.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from fercomp.core.errors import FercompError

CLIP_SUFFIXES: Final = frozenset(
    {".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv"}
)
"""Lower-case file name endings under which clips are found in folders."""

_FORMATS: Final = "mov,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg"
"""FFmpeg's names of the formats that are read: a closed list, since others (playlists) open further files."""

MAX_CLIP_PIXELS: Final = 8192 * 4320
"""Of a frame; more is a mistake or a bomb."""

NEAR_THE_END: Final = 0.5
"""Seconds of a clip that may be missing at its end: containers round, and count the sound as well."""

ClipReason = Literal[
    "missing",
    "not_a_file",
    "permission_denied",
    "empty",
    "not_a_video",
    "no_video_stream",
    "no_frames",
    "too_large",
    "truncated",
    "damaged",
]


class ClipProblem(FercompError):
    """A clip that cannot be used, or not wholly.

    Attributes:
        reason: One stable word, for tables.
    """

    def __init__(self, reason: ClipReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Frame:
    """A moment of a clip.

    Attributes:
        index: Number of the frame, from 0.
        time: Seconds since the clip's beginning.
        pts: The same in units of the clip's `time_base`.
        image: `(h, w, 3)` uint8 RGB, upright; every frame of a clip has the same shape.
    """

    index: int
    time: float
    pts: int
    image: np.ndarray


class Clip:
    """A clip that is read once, from its beginning to its end.

    Args:
        path: The file. Its name does not matter, its bytes do.

    Attributes:
        path: The file.
        width: Pixels of the upright frames; where they change, those of the first one.
        height: Likewise.
        pixel_ratio: Width of a pixel over its height; `None` where the clip does not say.
        rate: Mean number of frames per second.
        time_base: Seconds per unit of `pts`.
        begin: Seconds on the container's clock that count as 0, for picture and sound alike.
        seconds: Duration as the file promises it; `None` where it does not.
        colours: Matrix, range, primaries and transfer of the first frame, as FFmpeg numbers them.

    Raises:
        ClipProblem: The file cannot be read, is no clip, or holds no picture.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._undecodable = 0
        self._last_time = 0.0
        self._container = open_container(path)
        try:
            self._stream = _video_stream(self._container, path)
            self._decoded = self._decode()
            first = next(self._decoded, None)
            if first is None:
                raise ClipProblem("no_frames", f"{path} holds no picture that can be decoded: copy it again")
        except BaseException:
            self._container.close()
            raise
        self._first = first
        self._turns = round(first.rotation / 90) % 4
        sides = (first.width, first.height)
        self.width, self.height = sides if self._turns % 2 == 0 else sides[::-1]
        ratio = self._stream.sample_aspect_ratio
        self.pixel_ratio = 1 / ratio if ratio and self._turns % 2 else ratio
        self.rate = self._stream.average_rate or self._stream.guessed_rate or Fraction(25)
        self.time_base = self._stream.time_base or Fraction(1, 90_000)
        self.begin = Fraction(self._container.start_time or 0, av.time_base)
        length = self._stream.duration
        self.seconds = float(length * self.time_base) if length else None
        self.colours = (first.colorspace, first.color_range, first.color_primaries, first.color_trc)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Gives the frames; a frame without a time, or with an earlier one, is shown a moment later."""
        step = max(1, round(1 / (self.rate * self.time_base)))
        begin = round(self.begin / self.time_base)
        pts = -step
        for index, frame in enumerate(chain([self._first], self._decoded)):
            pts = max(pts + 1, frame.pts - begin) if frame.pts is not None else pts + step
            self._last_time = float(pts * self.time_base)
            yield Frame(index, self._last_time, pts, self._upright(frame))

    @property
    def count(self) -> int | None:
        """The number of frames that the file promises; `None` where it does not."""
        return self._stream.frames or None

    def problem(self) -> ClipProblem | None:
        """Says, after the last frame, whether a part of the clip is missing."""
        if self.seconds is not None and self._last_time + float(1 / self.rate) < self.seconds - NEAR_THE_END:
            return ClipProblem(
                "truncated",
                f"{self.path} ends after {self._last_time:.1f} of {self.seconds:.1f} s: copy it again",
            )
        if self._undecodable:
            return ClipProblem(
                "damaged", f"{self.path} has {self._undecodable} damaged places: copy it again"
            )
        return None

    def _decode(self) -> Iterator[VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:  # the file ends in the middle of a packet
                self._undecodable += 1
                packet = None
            if packet is None:
                return
            try:
                yield from self._stream.decode(packet)
            except av.FFmpegError:
                self._undecodable += 1

    def _upright(self, frame: VideoFrame) -> np.ndarray:
        width, height = (self.width, self.height) if self._turns % 2 == 0 else (self.height, self.width)
        picture = frame.to_ndarray(format="rgb24", width=width, height=height)
        return np.ascontiguousarray(np.rot90(picture, self._turns))


def open_container(path: Path) -> InputContainer:
    """Opens a file of moving pictures or sound.

    Raises:
        ClipProblem: It cannot be read or is of no known format.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device could wait for ever
            raise ClipProblem("not_a_file", f"{path} is not a file: a video was expected")
        if not os.access(path, os.R_OK):
            raise ClipProblem("permission_denied", f"{path} may not be read: change its permissions")
        if status.st_size == 0:
            raise ClipProblem("empty", f"{path} is empty (0 bytes): a video was expected")
        # `file:` and the whitelists: a name is no address, and a file names no other files to be opened.
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
        return av.open(f"file:{path}", options=options, metadata_errors="replace")
    except FileNotFoundError as error:
        raise ClipProblem("missing", f"{path} not found: a video was expected") from error
    except av.FFmpegError as error:
        raise ClipProblem(
            "not_a_video", f"{path} is not a video that can be read: MP4, MOV, MKV, WebM or AVI were expected"
        ) from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    # The cover of a song is a picture, not a video.
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise ClipProblem(
            "no_video_stream", f"{path} has no pictures in it, only sound: a video was expected"
        )
    stream = streams[0]
    if stream.width * stream.height > MAX_CLIP_PIXELS:
        raise ClipProblem("too_large", f"{path} has {stream.width}x{stream.height} pixels: make it smaller")
    stream.thread_type = "AUTO"
    return stream
