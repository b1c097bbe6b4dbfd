"""Annotated clips: H.264 in MP4 with the sound of the original."""

from fractions import Fraction
from pathlib import Path
from typing import Final, Self

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from fercomp.media.clips import Clip, Frame
from fercomp.media.sound import Sound

ENCODER: Final = "libx264"
OPTIONS: Final = {"preset": "superfast", "crf": "21", "mbtree": "1", "rc-lookahead": "10"}
"""A quality at which no difference is seen. The two last come from `veryfast`: with them a file is a tenth
larger than with that preset, without them by half, and either takes two thirds of its time."""


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
        self._stream, self._clip, self._until = stream, clip, Fraction(0)
        self._origin, self._last = round(clip.start / clip.time_base), -1
        self._reformatter = VideoReformatter()  # one for all frames: to set it up takes as long as a frame
        self.frames = 0
        self._sound = Sound(clip, self._container)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finishes the file, also on Ctrl-C, after which it plays as far as it goes."""
        try:
            if kind is None or kind is KeyboardInterrupt:
                self._container.mux(self._stream.encode())
                self._sound.write_until(None if kind is None else self._until)
        finally:
            self._sound.close()
            self._container.close()

    def write(self, frame: Frame, image: np.ndarray) -> None:
        """Adds a frame.

        Args:
            frame: The original, which says when it is shown.
            image: Its annotated copy, `(h, w, 3)` uint8 RGB.
        """
        pts = max(frame.pts - self._origin, self._last + 1)
        self._until, self._last = Fraction(pts) * self._clip.time_base, pts
        self._container.mux(self._stream.encode(self._converted(pts, image)))
        self._sound.write_until(self._until)
        self.frames += 1

    def _converted(self, pts: int, image: np.ndarray) -> VideoFrame:
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        matrix, span, _, _ = self._clip.colours
        rgb = VideoFrame.from_ndarray(image, format="rgb24")
        converted = self._reformatter.reformat(
            rgb, format="yuv420p", dst_colorspace=matrix, dst_color_range=span, threads=1
        )
        converted.pts, converted.time_base = pts, self._clip.time_base
        return converted
