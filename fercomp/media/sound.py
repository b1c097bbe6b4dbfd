"""The sound of a clip: copied as it is where an MP4 takes it, else made anew as AAC."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from fercomp.core.errors import FercompError
from fercomp.core.files import is_disk_full
from fercomp.core.progress import say
from fercomp.media.channels import StereoMixer, explicit_layout
from fercomp.media.clips import Clip
from fercomp.media.containers import open_container

KEPT: Final = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "opus", "flac", "alac"})
"""Sound that browsers or players take out of an MP4; it is copied bit by bit, other sound becomes AAC."""

RATES: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Samples per second that AAC has, as far as players are sure to know them."""

_JITTER: Final = 0.05
"""Seconds by which a piece of sound may be off its place: clocks in milliseconds round."""

_FAULTS: Final = (av.FFmpegError, FercompError, OSError, ValueError, TypeError, ArithmeticError, MemoryError)
"""What a damaged or strange sound track makes FFmpeg and PyAV raise."""

if TYPE_CHECKING:
    SoundPacket = Packet[AudioStream]  # PyAV has no such thing at run time


class Sound:
    """Puts the first sound track of a clip beside its frames; a clip without sound is fine.

    Sound that cannot be used is left out with a word, from where it fails on. The file is opened a second
    time: its packets then need not pass through the pipeline of pictures.

    Args:
        clip: The original.
        target: The copy.
    """

    def __init__(self, clip: Clip, target: OutputContainer) -> None:
        self._clip, self._target = clip, target
        self._heard = Fraction(0)
        self._begin = clip.begin + Fraction(clip.start)
        self._packets: Iterator[SoundPacket] = iter(())
        self._source = None
        try:
            self._source = open_container(clip.path)
            if self._source.streams.audio:
                self._packets = self._copied(self._source.streams.audio[0])
        except _FAULTS as error:
            self._give_up(error)
        self._next = self._advance()

    def write_until(self, time: Fraction | None) -> None:
        """Writes what is heard until a time of the copy in seconds; `None` for all that is left."""
        while self._next is not None and (time is None or _starts(self._next) <= time):
            self._heard = max(self._heard, _starts(self._next))
            try:
                self._target.mux(self._next)
            except av.FFmpegError as error:
                if isinstance(error, OSError) and is_disk_full(error):
                    raise
                self._give_up(error)
            self._next = self._advance()

    def close(self) -> None:
        """Closes the source."""
        if self._source is not None:
            self._source.close()

    def _advance(self) -> "SoundPacket | None":
        try:
            return next(self._packets, None)
        except _FAULTS as error:
            self._give_up(error)
            return None

    def _give_up(self, error: BaseException) -> None:
        place = f"ends at {float(self._heard):.1f} s" if self._heard else "is left out"
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        say(f"{self._clip.path}: the sound {place} ({reason})")
        self._packets = iter(())

    def _copied(self, track: AudioStream) -> "Iterator[SoundPacket]":
        if track.codec_context is None:
            raise ValueError("of a kind that is not known")
        if fits_mp4(track):
            return self._as_it_is(track, self._target.add_stream_from_template(track))
        return self._as_aac(track)

    def _as_it_is(self, track: AudioStream, new: AudioStream) -> "Iterator[SoundPacket]":
        for packet in self._read(track):
            if packet.dts is None or packet.pts is None:
                continue
            begin = round(self._begin / packet.time_base)
            packet.pts, packet.dts = packet.pts - begin, packet.dts - begin
            if self._clip.start and packet.pts < 0:
                continue
            packet.stream = new
            yield packet

    def _as_aac(self, track: AudioStream) -> "Iterator[SoundPacket]":
        channels = explicit_layout(track)
        rate = next((rate for rate in RATES if rate >= (track.rate or 0)), RATES[-1])
        new = self._target.add_stream("aac", rate=rate, layout="mono" if channels == 1 else "stereo")
        return self._encoded(track, new)

    def _encoded(self, track: AudioStream, new: AudioStream) -> "Iterator[SoundPacket]":
        resampler = AudioResampler(format="fltp", layout=new.layout, rate=new.rate)
        mixer, clock = StereoMixer(), _Clock(self._begin)
        for packet in self._read(track):
            for frame in packet.decode():
                if clock.set(frame):
                    for piece in resampler.resample(mixer.mixed(frame)):
                        yield from new.encode(piece)
        for piece in resampler.resample(None):
            yield from new.encode(piece)
        yield from new.encode(None)

    def _read(self, track: AudioStream) -> "Iterator[SoundPacket]":
        source, end = self._source, self._clip.end
        if source is None:
            return
        if self._clip.start:
            source.seek(int(self._begin * av.time_base))
        for packet in source.demux(track):
            if end is not None and _starts(packet) - self._clip.begin >= end:
                return
            yield packet


class _Clock:
    """Gives pieces of sound their places in the copy: one behind the other, gaps stay gaps.

    Args:
        begin: Seconds on the container's clock at which the copy begins.
    """

    def __init__(self, begin: Fraction) -> None:
        self._begin = begin
        self._next: int | None = None

    def set(self, frame: AudioFrame) -> bool:
        """Sets the time of the next frame; says whether it is to be heard."""
        place = self._next or 0
        if frame.pts is not None and frame.time_base:
            told = round((frame.pts * frame.time_base - self._begin) * frame.rate)
            if self._next is None or told > place + _JITTER * frame.rate:
                place = told
        frame.time_base, frame.pts = Fraction(1, frame.rate), place
        self._next = place + frame.samples
        return place >= 0


def fits_mp4(track: AudioStream) -> bool:
    """Says whether an MP4 takes a track as it is: asked by beginning one, since FFmpeg has many rules."""
    if track.codec_context.name not in KEPT:
        return False
    try:
        trial = av.open(BytesIO(), "w", format="mp4")
        trial.add_stream_from_template(track)
        trial.start_encoding()
    except _FAULTS:
        return False
    with suppress(*_FAULTS):  # some kinds say no more than that nothing came
        trial.close()
    return True


def _starts(packet: "SoundPacket") -> Fraction:
    return Fraction(packet.dts or 0) * packet.time_base
