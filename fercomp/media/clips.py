"""Moving pictures: the only place that decodes a clip.

Frames come upright, in order, with the times at which they are shown. What cannot be decoded is left out
and told at the end; what is no clip at all is a `ClipProblem` with a reason in one word.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import inf
from pathlib import Path
from typing import Final, Self

import av
import numpy as np
from av.video.frame import VideoFrame

from fercomp.core.progress import say
from fercomp.media.colours import is_known, to_rgb, written_as
from fercomp.media.completeness import Promise
from fercomp.media.containers import open_container, video_stream
from fercomp.media.problems import ClipProblem

_FASTEST: Final = 999
"""Frames a second; more come by a damaged clock, by which each may be a moment behind the one before."""

_LONGEST_STEP: Final = 60
"""Seconds of a step of a clock that is not damaged."""

_TIMES_LONGER: Final = 2
"""How many times as long as promised a clip is by a damaged clock, where a frame has no time or an
earlier one than that before it; elsewhere, FFmpeg may have written a wrong duration of uneven frames."""


@dataclass(frozen=True)
class Frame:
    """A moment of a clip.

    Attributes:
        index: Number of the frame, from 0; in a section, its number there.
        time: Seconds since the clip's beginning, in a section, too.
        pts: The same in units of the clip's `time_base`.
        image: `(h, w, 3)` uint8 RGB, upright; every frame of a clip has the same shape.
        duration: How long it is shown, at most until the section ends, in units of `pts`; that of a mean one
            where the clip does not say.
    """

    index: int
    time: float
    pts: int
    image: np.ndarray
    duration: int = 0


class Clip:
    """A clip, or a section of one, that is read once, from its beginning to its end.

    Args:
        path: The file. Its name does not matter, its bytes do.
        start: Seconds since the clip's beginning at which the section begins.
        end: Seconds at which it ends; `None` for the clip's end.

    Attributes:
        path: The file.
        start: As given.
        end: As given.
        width: Pixels of the upright frames; where they change, those of the first one.
        height: Likewise.
        pixel_ratio: Width of a pixel over its height; `None` where the clip does not say.
        rate: Mean number of frames per second.
        time_base: Seconds per unit of `pts`.
        begin: Seconds on the container's clock that count as 0, for picture and sound alike.
        seconds: Duration as the file promises it; `None` where it does not.
        colours: How a copy is to be written and tagged.

    Raises:
        ClipProblem: The file cannot be read, is no clip, or holds no picture, or none in the section.
    """

    def __init__(self, path: Path, start: float = 0.0, end: float | None = None) -> None:
        self.path, self.start, self.end = path, start, end
        self._undecodable = 0
        self._frames = 0
        self._moved = 0
        self._last_time = 0.0
        self._is_past_end = False
        self._container = open_container(path)
        try:
            self._stream = video_stream(self._container, path)
            self._promise = Promise(self._container, self._stream, path)
            self.rate = self._stream.average_rate or self._stream.guessed_rate or Fraction(25)
            self.time_base = self._stream.time_base or Fraction(1, 90_000)
            if self.time_base > _LONGEST_STEP:
                raise self.damaged_clock(f"a step of it lasts {float(self.time_base):,.0f} s")
            self.begin = Fraction(self._container.start_time or 0, av.time_base)
            self._decoded = self._section()
            self._first = self._require_first()
        except BaseException:
            self._container.close()
            raise
        first = self._first
        self._turns = round(first.rotation / 90) % 4
        sides = (first.width, first.height)
        self.width, self.height = sides if self._turns % 2 == 0 else sides[::-1]
        ratio = self._stream.sample_aspect_ratio
        self.pixel_ratio = 1 / ratio if ratio and self._turns % 2 else ratio
        self.seconds = self._promise.seconds
        self.colours = written_as(first)
        if not is_known(first):
            say(
                f"{path}: its colours are of a kind that is read only about right (matrix {first.colorspace})"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """Gives the frames; a frame without a time, or with an earlier one, is shown a moment later."""
        step = max(1, round(1 / (self.rate * self.time_base)))
        begin = round(self.begin / self.time_base)
        pts = round(self.start / self.time_base) - step
        for index, frame in enumerate(chain([self._first], self._decoded)):
            self._moved += frame.pts is None or frame.pts - begin <= pts
            pts = max(pts + 1, frame.pts - begin) if frame.pts is not None else pts + step
            time = float(pts * self.time_base)
            if self.end is not None and time >= self.end:
                self._is_past_end = True
                return
            self._last_time, self._frames = time, index + 1
            left = inf if self.end is None else self.end / self.time_base - pts
            yield Frame(index, time, pts, self._upright(frame), round(min(frame.duration or step, left)))

    @property
    def count(self) -> int | None:
        """The number of frames that the file promises; `None` where it does not, and for a section."""
        return None if self.start or self.end is not None else self._stream.frames or None

    def problem(self) -> ClipProblem | None:
        """Says, after the last frame, whether a part of the clip is missing."""
        if not self._is_past_end:
            # Of a section, only the end tells: the frames before its start were not read.
            frames = self._stream.frames if self.start else self._frames + self._undecodable
            broken = self._promise.broken(frames, self._last_time + float(1 / self.rate))
            if broken is not None:
                return ClipProblem("truncated", f"{self.path} {broken}: copy it again")
        seconds = max(0.0, self._last_time - self.start)  # the first may come half a step before it
        if self._frames - 1 > _FASTEST * seconds:
            return self.damaged_clock(f"{self._frames:,} frames come in {seconds:.3f} s")
        if self._moved and self.seconds is not None and self._last_time > _TIMES_LONGER * self.seconds:
            return self.damaged_clock(f"it lasts {self._last_time:.1f} s and promises {self.seconds:.1f}")
        if self._undecodable:
            return ClipProblem(
                "damaged", f"{self.path} has {self._undecodable} damaged places: copy it again"
            )
        return None

    def damaged_clock(self, why: str) -> ClipProblem:
        """Returns what is said of a clip whose times cannot be.

        Args:
            why: What is wrong with them.
        """
        return ClipProblem(
            "damaged",
            f"{self.path} has a damaged clock, {why}: copy it again, or convert it at a rate of its own",
        )

    def _require_first(self) -> VideoFrame:
        first = next(self._decoded, None)
        if first is not None and (self.end is None or self._time(first) < self.end):
            return first
        if self.start or self.end is not None:
            until = "its end" if self.end is None else f"{self.end:g} s"
            seconds = self._promise.seconds
            length = "" if seconds is None else f", it lasts {seconds:.1f} s"
            raise ClipProblem(
                "no_frames", f"{self.path} holds no picture from {self.start:g} s to {until}{length}"
            )
        raise ClipProblem("no_frames", f"{self.path} holds no picture that can be decoded: copy it again")

    def _section(self) -> Iterator[VideoFrame]:
        """Gives the decoded frames from the section's start on."""
        if not self.start:
            yield from self._decode()
            return
        half = float(1 / self.rate) / 2
        for seconds in (self.start, 0.0):
            with suppress(av.FFmpegError):  # without an index: from where it stands
                self._container.seek(int((seconds + self.begin) * av.time_base))
            frames = self._decode()
            first = next(frames, None)
            # Some formats are found only about right: what lands behind the start begins anew.
            if first is not None and first.pts is not None and self._time(first) <= self.start + half:
                break
        for frame in chain([] if first is None else [first], frames):
            if frame.pts is None or self._time(frame) >= self.start - half:
                yield frame

    def _time(self, frame: VideoFrame) -> float:
        return float((frame.pts or 0) * self.time_base - self.begin)

    def _decode(self) -> Iterator[VideoFrame]:
        packets = self._container.demux(*self._promise.streams(self._container))
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:  # the file ends in the middle of a packet
                self._undecodable += 1
                packet = None
            if packet is None:
                return
            self._promise.saw(packet)
            if packet.stream.index != self._stream.index:
                continue
            try:
                yield from self._stream.decode(packet)
            except av.FFmpegError:
                self._undecodable += 1

    def _upright(self, frame: VideoFrame) -> np.ndarray:
        width, height = (self.width, self.height) if self._turns % 2 == 0 else (self.height, self.width)
        return np.ascontiguousarray(np.rot90(to_rgb(frame, width, height), self._turns))
