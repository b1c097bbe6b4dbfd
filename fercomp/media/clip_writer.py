"""Annotated clips: H.264 in MP4 with the sound of the original."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Final, Self

import av
import numpy as np
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from fercomp.media.clips import Clip, Frame
from fercomp.media.sound import Sound

ENCODER: Final = "libx264"
OPTIONS: Final = {"preset": "superfast", "crf": "21", "mbtree": "1", "rc-lookahead": "10", "bf": "0"}
"""A quality at which no difference is seen. `mbtree` and `rc-lookahead` come from `veryfast`: with them a
file is a tenth larger than with that preset, without them by half, and either takes two thirds of its time.

Frames are stored in the order in which they are shown (`bf`): of others, FFmpeg takes the duration from when
the last is decoded, which is wrong where they are not evenly spaced. A file is 2 to 16 % larger by it, and
written in no more time.
"""

_MOST_STEPS: Final = 2**31 - 1
"""Of its clock that an MP4 may have between two frames; FFmpeg moves a later one without a word."""

_SLOWEST_CLOCK: Final = 20_000
"""Steps a second: FFmpeg doubles those of a slower clock until they are 10,000 at least."""


class ClipWriter:
    """Writes the annotated frames of a clip with its times, its shape and its sound; a section begins at 0.

    Args:
        path: The MP4; `core.files.atomic_file` gives a temporary one.
        clip: The original.

    Attributes:
        frames: Number of frames written.
    """

    def __init__(self, path: Path, clip: Clip) -> None:
        # The index first, so that a browser shows the first frame before it has the last.
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        stream = self._container.add_stream(ENCODER, rate=clip.rate, options=OPTIONS)
        # H.264 as everybody decodes it has an even number of rows and columns.
        stream.width, stream.height = clip.width + clip.width % 2, clip.height + clip.height % 2
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = clip.time_base
        if clip.pixel_ratio:
            stream.codec_context.sample_aspect_ratio = clip.pixel_ratio
        context = stream.codec_context
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = clip.colours
        context.flags |= Flags.frame_duration  # else the last frame is as long as the mean one
        self._stream, self._clip, self._until = stream, clip, Fraction(0)
        self._origin, self._last = round(clip.start / clip.time_base), -1
        self._longest = int(_MOST_STEPS / max(clip.time_base.denominator, _SLOWEST_CLOCK) / clip.time_base)
        self._reformatter = VideoReformatter()  # one for all frames: to set it up takes as long as a frame
        self.frames = 0
        self._sound = Sound(clip, self._container)
        # Ctrl-C interrupts the main thread alone. Between `encode` and `mux` it would lose a frame, without
        # which those after it cannot be decoded.
        self._own = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finishes the file, also on Ctrl-C, after which it plays as far as it goes."""
        try:
            if kind is None or kind is KeyboardInterrupt:
                self._own.submit(self._finish, kind is None).result()
        finally:
            self._own.shutdown()
            self._sound.close()
            self._container.close()

    def _finish(self, is_whole: bool) -> None:
        self._container.mux(self._stream.encode())
        self._sound.write_until(None if is_whole else self._until)

    def write(self, frame: Frame, image: np.ndarray) -> None:
        """Adds a frame.

        Args:
            frame: The original, which says when it is shown.
            image: Its annotated copy, `(h, w, 3)` uint8 RGB.

        Raises:
            ClipProblem: It comes so long after the one before that an MP4 cannot say it.
        """
        self._own.submit(self._write, frame, image).result()

    def _write(self, frame: Frame, image: np.ndarray) -> None:
        pts = max(frame.pts - self._origin, self._last + 1)
        if (pause := pts - self._last) > self._longest:
            seconds = float(pause * self._clip.time_base)
            raise self._clip.damaged_clock(f"no frame comes for {seconds:,.0f} s")
        self._until, self._last = Fraction(pts) * self._clip.time_base, pts
        self._container.mux(self._stream.encode(self._converted(frame, pts, image)))
        self._sound.write_until(self._until)
        self.frames += 1

    def _converted(self, frame: Frame, pts: int, image: np.ndarray) -> VideoFrame:
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        matrix, span, _, _ = self._clip.colours
        rgb = VideoFrame.from_ndarray(image, format="rgb24")
        converted = self._reformatter.reformat(
            rgb, format="yuv420p", dst_colorspace=matrix, dst_color_range=span, threads=1
        )
        converted.pts, converted.time_base = pts, self._clip.time_base
        converted.duration = min(max(1, frame.duration), self._longest)
        return converted
