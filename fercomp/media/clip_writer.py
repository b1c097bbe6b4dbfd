"""Annotated clips: H.264 in MP4 with the sound of the original."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from fercomp.core.progress import say
from fercomp.media.clips import Clip, Frame, open_container

ENCODER: Final = "libx264"
OPTIONS: Final = {"preset": "superfast", "crf": "21", "mbtree": "1", "rc-lookahead": "10"}
"""A quality at which no difference is seen. The two last come from `veryfast`: with them a file is a tenth
larger than with that preset, without them by half, and either takes two thirds of its time."""

KEPT_SOUND: Final = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "opus", "flac", "alac"})
"""Sound that browsers or players take out of an MP4; it is copied bit by bit, other sound becomes AAC."""


class ClipWriter:
    """Writes the annotated frames of a clip with its times, its shape and its sound.

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
        self._reformatter = VideoReformatter()  # one for all frames: to set it up takes as long as a frame
        self.frames = 0
        self._sound = _Sound(clip, self._container)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        self._until = Fraction(frame.pts) * self._clip.time_base
        self._container.mux(self._stream.encode(self._converted(frame, image)))
        self._sound.write_until(self._until)
        self.frames += 1

    def _converted(self, frame: Frame, image: np.ndarray) -> VideoFrame:
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        matrix, span, _, _ = self._clip.colours
        rgb = VideoFrame.from_ndarray(image, format="rgb24")
        converted = self._reformatter.reformat(
            rgb, format="yuv420p", dst_colorspace=matrix, dst_color_range=span, threads=1
        )
        converted.pts, converted.time_base = frame.pts, self._clip.time_base
        return converted


class _Sound:
    """Puts the first sound track of a clip beside its frames; a clip without sound is fine.

    The file is opened a second time: its packets then need not pass through the pipeline of pictures.
    """

    def __init__(self, clip: Clip, target: OutputContainer) -> None:
        self._source = open_container(clip.path)
        self._target = target
        tracks = self._source.streams.audio
        self._packets = self._copied(tracks[0], clip) if tracks else iter(())
        self._next = next(self._packets, None)

    def write_until(self, time: Fraction | None) -> None:
        """Writes what is heard until a time in seconds; `None` for all that is left."""
        while self._next is not None and (time is None or self._starts(self._next) <= time):
            self._target.mux(self._next)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Closes the source."""
        self._source.close()

    @staticmethod
    def _starts(packet: "Packet[AudioStream]") -> Fraction:
        return Fraction(packet.dts or 0) * packet.time_base

    def _copied(self, track: AudioStream, clip: Clip) -> "Iterator[Packet[AudioStream]]":
        if track.codec_context.name in KEPT_SOUND:
            new = self._target.add_stream_from_template(track)
            return self._as_it_is(track, new, clip)
        return self._as_aac(track, self._target.add_stream("aac", rate=track.rate), clip)

    def _as_it_is(self, track: AudioStream, new: AudioStream, clip: Clip) -> "Iterator[Packet[AudioStream]]":
        for packet in self._read(track, clip):
            if packet.dts is None or packet.pts is None:
                continue
            begin = round(clip.begin / packet.time_base)
            packet.pts, packet.dts = packet.pts - begin, packet.dts - begin
            packet.stream = new
            yield packet

    def _as_aac(self, track: AudioStream, new: AudioStream, clip: Clip) -> "Iterator[Packet[AudioStream]]":
        # Some files say only how many channels there are, which the encoder does not take for a layout.
        new.layout = {1: "mono", 2: "stereo"}.get(track.channels, track.layout.name)
        resampler = AudioResampler(format="fltp", layout=new.layout, rate=track.rate, frame_size=1024)
        for packet in self._read(track, clip):
            for frame in packet.decode():
                for piece in resampler.resample(frame):
                    yield from new.encode(piece)
        for piece in resampler.resample(None):
            yield from new.encode(piece)
        yield from new.encode(None)

    def _read(self, track: AudioStream, clip: Clip) -> "Iterator[Packet[AudioStream]]":
        try:
            yield from self._source.demux(track)
        except av.FFmpegError as error:
            say(f"{clip.path}: the sound ends where it is damaged ({error.strerror})")
