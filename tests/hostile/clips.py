"""Hostile clips: cut off, damaged, with odd sound. A good photo beside each is done."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from .base import face
from .case import Case

CONTAINERS = {
    "mp4": "libx264",
    "mkv": "libx264",
    "avi": "mpeg4",
    "flv": "flv1",
    "ts": "mpeg2video",
    "webm": "libvpx",
}
SOUNDS = {
    "pcm_s16le": ("s16", ("avi", "mkv")),
    "pcm_f32le": ("flt", ("mkv",)),
    "pcm_u8": ("u8", ("avi",)),
    "pcm_s32le": ("s32", ("mkv",)),
}
RATES = (7999, 8000, 11024, 22255, 44100, 96000, 192000)
LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 6: "5.1", 8: "7.1"}


def clip_cases() -> Iterator[Case]:
    """Gives all cases of clips."""
    rng = np.random.default_rng(11)
    for kind in CONTAINERS:
        for share in (0.01, 0.1, 0.33, 0.5, 0.8, 0.97, 0.999):
            yield _case(f"{kind} cut to {share:.1%}", partial(_cut, kind, share))
        for i in range(8):
            yield _case(
                f"{kind} with wrong bytes, {i}",
                partial(_wrong_bytes, kind, int(rng.integers(2**31)), 3 + 20 * i),
            )
    for codec, (form, kinds) in SOUNDS.items():
        for kind in kinds:
            for rate in RATES:
                yield _case(f"{kind}, {codec} at {rate} Hz", partial(_with_sound, kind, codec, form, rate, 1))
            for channels in LAYOUTS:
                yield _case(
                    f"{kind}, {codec} of {channels}", partial(_with_sound, kind, codec, form, 44100, channels)
                )
    for width, height in ((16, 16), (17, 33), (2, 200), (200, 2), (1920, 16)):
        yield _case(f"{width}x{height}", partial(_sized, width, height))
    for name in ("x" * 250 + ".mp4", "y" * 240 + ".mp4", "-i.mp4", "a\nb.mp4", "\x1b[2J.mp4", "%d.mp4"):
        yield _case(f"name {name!r}"[:60], partial(_named, name))
    for kind in ("mp4", "mkv", "avi", "mts", "m2ts", "vob", "dv", "mov", "wmv", "mpg"):
        yield _case(f"text called .{kind}", partial(_text, kind))


def _case(name: str, make: Any) -> Case:
    def build(work: Path) -> list[str]:
        media = work / "precious" / "media"
        media.mkdir()
        face("happy", 1, 96).save(media / "good.png")
        make(media)
        return ["annotate", str(media), "--model", "tiny", "--detector", "whole", "--output", "out"]

    return Case("clips", name, build, "either", _good_one_is_done)


def _good_one_is_done(work: Path) -> str:
    records = work / "out" / "records.csv"
    text = records.read_text(encoding="utf-8", errors="replace") if records.is_file() else ""
    return "" if "good.png,face" in text else "the good photo beside it has no row"


@cache
def clip(
    kind: str, width: int = 96, height: int = 64, sound: tuple[str, str, int, int] | None = None
) -> bytes:
    """Returns a clip of two seconds as bytes; `sound` is codec, format of its samples, rate and channels."""
    import tempfile

    import av

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"clip.{kind}"
        with av.open(str(path), "w") as container:
            video = container.add_stream(CONTAINERS.get(kind, "libx264"), rate=25)
            video.width, video.height = width, height
            even = width % 2 == height % 2 == 0
            video.pix_fmt = "yuv420p" if even else "yuv444p"
            tone = _tone_stream(container, sound) if sound else None
            picture = np.asarray(face("surprise", 5, 64).resize((width, height)))
            for i in range(50):
                frame = av.VideoFrame.from_ndarray(np.roll(picture, i, axis=1).copy(), format="rgb24")
                container.mux(video.encode(frame))
            container.mux(video.encode())
            if tone:
                _write_tone(container, tone, sound)
        return path.read_bytes()


def _tone_stream(container: Any, sound: tuple[str, str, int, int]) -> Any:
    codec, form, rate, channels = sound
    stream = container.add_stream(codec, rate=rate)
    stream.codec_context.layout = LAYOUTS[channels]
    stream.codec_context.format = form
    return stream


def _write_tone(container: Any, stream: Any, sound: Any) -> None:
    import av

    _, form, rate, channels = sound
    dtype = {"s16": np.int16, "flt": np.float32, "u8": np.uint8, "s32": np.int32}[form]
    for start in range(0, 2 * rate, 1024):
        samples = np.zeros((1, 1024 * channels), dtype)
        frame = av.AudioFrame.from_ndarray(samples, format=form, layout=LAYOUTS[channels])
        frame.rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _cut(kind: str, share: float, media: Path) -> None:
    data = clip(kind)
    (media / f"cut.{kind}").write_bytes(data[: int(len(data) * share)])


def _wrong_bytes(kind: str, seed: int, count: int, media: Path) -> None:
    data = np.frombuffer(clip(kind), np.uint8).copy()
    rng = np.random.default_rng(seed)
    data[rng.integers(0, len(data), count)] = rng.integers(0, 256, count)
    (media / f"bad.{kind}").write_bytes(data.tobytes())


def _with_sound(kind: str, codec: str, form: str, rate: int, channels: int, media: Path) -> None:
    (media / f"loud.{kind}").write_bytes(clip(kind, sound=(codec, form, rate, channels)))


def _sized(width: int, height: int, media: Path) -> None:
    (media / "odd.mkv").write_bytes(clip("mkv", width, height))


def _named(name: str, media: Path) -> None:
    (media / name).write_bytes(clip("mp4"))


def _text(kind: str, media: Path) -> None:
    (media / f"letter.{kind}").write_text("no clip at all " * 100)
