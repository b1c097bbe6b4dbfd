"""Clips with sound of any number of channels; run as a program, it copies many of them and names each.

A crash of the process is what it is to find, so it has one of its own.
"""

import struct
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np

from fercomp.media.clip_writer import ClipWriter
from fercomp.media.clips import Clip
from fercomp.media.sound import RATES

CHANNELS = range(1, 17)
CODECS = ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "tta", "wavpack")
HERTZ = (7350, 8000, 11024, 16000, 22255, 32000, 44100, 48000, 96000, 192000)
FILES = ("mkv", "avi", "mov", "any order.mov")
TONE = 440
SOUND = b"any kind of sound"
KINDS = (b"raw ", b"sowt", b"twos", b"in24", b"in32", b"fl32", b"fl64", b"lpcm")


def layout_of(channels: int) -> str:
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")


def write_sound(
    path: Path, codec: str, channels: int, rate: int, layout: str = "", seconds: float = 0.4, start: float = 0
) -> Path:
    """Writes a clip of grey pictures whose first channel has a tone, the others silence."""
    layout = layout or layout_of(channels)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4" if path.suffix != ".ts" else "mpeg2video", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream(codec, rate=rate, layout=layout)
        kind = sound.codec_context.codec.audio_formats[0].name
        sound.format = kind
        for i in range(round(seconds * 25)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            frame.pts, frame.time_base = i + round(start * 25), Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        encoded(container, sound, tone(channels, rate, seconds), kind, layout, start)
    return path


def tone(channels: int, rate: int, seconds: float) -> np.ndarray:
    """Returns `(channels, n)` float64, -1 to 1."""
    wave = np.zeros((channels, round(seconds * rate)))
    wave[0] = 0.5 * np.sin(np.arange(wave.shape[1]) / rate * TONE * 2 * np.pi)
    return wave


def encoded(container, sound, wave, kind, layout, start) -> None:
    size = 1024
    for begin in range(0, wave.shape[1], size):
        part = wave[:, begin : begin + size]
        samples = av.AudioFrame(format=kind, layout=layout, samples=part.shape[1])
        samples.rate, samples.pts = sound.rate, begin + round(start * sound.rate)
        values = numbers(part, kind.removesuffix("p"))
        planes = values if kind.endswith("p") else [np.ascontiguousarray(values.T)]
        # `planes` of a frame with eight planes counts too many.
        for plane, content in zip(samples.planes, planes, strict=False):
            plane.update(np.ascontiguousarray(content).tobytes())
        container.mux(sound.encode(samples))
    container.mux(sound.encode())


def numbers(wave: np.ndarray, kind: str) -> np.ndarray:
    if kind == "u8":
        return (wave * 127 + 128).astype(np.uint8)
    if kind in ("flt", "dbl"):
        return wave.astype({"flt": np.float32, "dbl": np.float64}[kind])
    dtype = {"s16": np.int16, "s32": np.int32}[kind]
    return (wave * np.iinfo(dtype).max).astype(dtype)


def in_any_order(path: Path, order: list[int]) -> None:
    """Names the channels of a MOV one by one, in the numbers of its format: 1 is left, 2 is right."""
    data = bytearray(path.read_bytes())
    entry = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", SOUND]
    begin, old = (found(data, 0, len(data), [*entry, b"chan"]) or [0])[-1], 0
    if begin:
        (old,) = struct.unpack(">I", data[begin : begin + 4])
    chain = found(data, 0, len(data), entry)
    if not begin:
        begin = chain[-1] + struct.unpack(">I", data[chain[-1] : chain[-1] + 4])[0]
    body = struct.pack(">III", 0, 0, len(order))
    body += b"".join(struct.pack(">IIfff", label, 0, 0, 0, 0) for label in order)
    box = struct.pack(">I4sI", 12 + len(body), b"chan", 0) + body
    data[begin : begin + old] = box
    for outer in chain:
        (size,) = struct.unpack(">I", data[outer : outer + 4])
        data[outer : outer + 4] = struct.pack(">I", size + len(box) - old)
    path.write_bytes(data)


def found(data: bytearray, begin: int, end: int, names: list[bytes]) -> list[int]:
    """Returns where the boxes of such names lie that are one in the other; none where there are none."""
    while names and begin + 8 <= end:
        size, name = struct.unpack(">I4s", data[begin : begin + 8])
        if name == names[0] or (names[0] == SOUND and name in KINDS):
            head = 16 if name == b"stsd" else 8
            if name in KINDS:
                head = 36 + (0, 16, 36)[data[begin + 17]]
            inside = found(data, begin + head, begin + size, names[1:])
            if inside or len(names) == 1:
                return [begin, *inside]
        begin += size
    return []


def copied(source: Path, target: Path) -> Path:
    with Clip(source) as clip, ClipWriter(target, clip) as writer:
        for frame in clip:
            writer.write(frame, frame.image)
    return target


def heard(path: Path) -> tuple[int, int, float]:
    """Returns rate, number of channels and seconds of the sound."""
    with av.open(str(path)) as container:
        frames = [(f.rate, f.layout.nb_channels, f.samples) for f in container.decode(audio=0)]
    return frames[0][0], frames[0][1], sum(n for _, _, n in frames) / frames[0][0]


def cases(share: int) -> Iterator[tuple[int, str, int, str]]:
    """Gives every so many of all combinations."""
    for i, case in enumerate(product(CHANNELS, CODECS, HERTZ, FILES)):
        if i % share == 0:
            yield case


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    done = 0
    for channels, codec, rate, file in cases(int(sys.argv[1])):
        sys.stdout.write(f"{channels} {codec} {rate} {file}\n")
        sys.stdout.flush()
        source = folder / f"a.{file.split('.')[-1]}"
        if source.suffix != ".mkv" and not codec.startswith("pcm"):
            continue
        write_sound(source, codec, channels, rate)
        if file.startswith("any order"):
            in_any_order(source, list(range(channels, 0, -1)))
        got_rate, got_channels, seconds = heard(copied(source, folder / "b.mp4"))
        assert got_rate == next((r for r in RATES if r >= rate), RATES[-1])
        assert got_channels == min(channels, 2)
        assert abs(seconds - 0.4) < 0.15, seconds
        done += 1
    sys.stdout.write(f"copied {done}\n")


if __name__ == "__main__":
    main()
