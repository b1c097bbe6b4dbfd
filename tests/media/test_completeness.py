"""Clips that are cut off, by format and place; and whole ones that must not be taken for such."""

import av
import numpy as np
import pytest

from fercomp.media.clips import Clip

FORMATS = {
    "mkv": "libx264",
    "webm": "libvpx",
    "avi": "mpeg4",
    "flv": "flv1",
    "wmv": "wmv2",
    "mp4": "libx264",
    "mov": "mjpeg",
}
"""Formats that write down how long they are, with an encoder for each."""

SOUNDS = {"mkv": "libmp3lame", "avi": "libmp3lame", "flv": "libmp3lame", "mp4": "aac"}


def noise(n, size=(48, 64)):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(n)]


def read(path):
    with Clip(path) as clip:
        return len(list(clip)), clip.problem()


@pytest.mark.parametrize("share", [0.2, 0.33, 0.5, 0.8])
@pytest.mark.parametrize("suffix", sorted(FORMATS.keys() - {"mov"}))  # whose index is at the end
def test_a_cut_off_clip_says_so(tmp_path, write_clip, suffix, share):
    path = write_clip(tmp_path / f"a.{suffix}", noise(100), encoder=FORMATS[suffix])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    frames, problem = read(path)
    assert 5 < frames < 95
    assert problem.reason == "truncated"
    assert "of 4.0 s" in str(problem)


@pytest.mark.parametrize("suffix", SOUNDS)
def test_a_cut_off_clip_with_sound_says_so(tmp_path, write_clip, suffix):
    path = write_clip(tmp_path / f"a.{suffix}", noise(100), encoder=FORMATS[suffix], sound=SOUNDS[suffix])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    _, problem = read(path)
    assert problem.reason == "truncated"


@pytest.mark.parametrize("suffix", [*FORMATS, "ts", "mpg", "ogv"])
@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_a_whole_clip_is_whole(tmp_path, write_clip, suffix, n):
    encoder = {**FORMATS, "ts": "mpeg2video", "mpg": "mpeg2video", "ogv": "libx264"}[suffix]
    path = tmp_path / f"a.{suffix}"
    if suffix == "ogv":
        encoder = "vp8" if "vp8" in av.codecs_available else "libvpx"
    assert read(write_clip(path, noise(n), encoder=encoder)) == (n, None)


@pytest.mark.parametrize("suffix", SOUNDS)
@pytest.mark.parametrize("seconds", [0.2, 6])
def test_sound_may_be_shorter_or_longer_than_the_pictures(tmp_path, suffix, seconds):
    path = tmp_path / f"a.{suffix}"
    with av.open(str(path), "w") as container:
        video = container.add_stream(FORMATS[suffix], rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream(SOUNDS[suffix], rate=44_100, layout="mono")
        for picture in noise(50):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        for i in range(int(seconds * 44_100 / 1152)):
            samples = av.AudioFrame.from_ndarray(
                np.zeros((1, 1152), np.float32), format="fltp", layout="mono"
            )
            samples.rate, samples.pts = 44_100, i * 1152
            container.mux(sound.encode(samples))
        container.mux(sound.encode())
    assert read(path) == (50, None)


def test_an_mp4_with_half_of_its_frames_says_so(tmp_path, write_clip):
    """Every second picture is filled with what a decoder passes over in silence."""
    path = write_clip(tmp_path / "a.mp4", noise(60), encoder="libx264")
    with av.open(str(path)) as container:
        places = [(e.pos, e.size) for e in container.streams.video[0].index_entries if not e.is_keyframe]
    data = bytearray(path.read_bytes())
    for pos, size in places[len(places) // 2 :]:
        filler = (
            (size - 4).to_bytes(4, "big") + b"\x0c" + b"\xff" * (size - 6) + b"\x80"
        )  # H.264, NAL type 12
        data[pos : pos + size] = filler
    path.write_bytes(data)
    frames, problem = read(path)
    assert frames < 45
    assert problem.reason == "truncated"


def test_a_recording_that_never_ended_promises_nothing(tmp_path, write_clip):
    """A recorder that lost its power wrote no duration: all that is there is all that was promised."""
    path = write_clip(tmp_path / "a.mkv", noise(50))
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88")  # Duration, a float of 8 bytes
    path.write_bytes(data[:at] + b"\xec\x89" + bytes(9) + data[at + 11 :])  # an element that says nothing
    frames, problem = read(path)
    assert (frames, problem) == (50, None)


INSIDE = {"mp4": ["libx264", "libx265", "mpeg4", "libvpx-vp9"], "mov": ["libx264", "mjpeg"]}
"""What cameras and editing programs put into these files: pictures that need others, and that need none."""


def with_number(data, box, offset, value):
    """Writes a number of four bytes into the first box of a kind."""
    at = data.index(box) + 4 + offset
    return data[:at] + value.to_bytes(4, "big") + data[at + 4 :]


def number(data, box, offset):
    at = data.index(box) + 4 + offset
    return int.from_bytes(data[at : at + 4], "big")


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "encoder"), [(s, e) for s, encoders in INSIDE.items() for e in encoders])
@pytest.mark.parametrize("rate", [1, 25, 60])
def test_what_an_editor_cut_away_is_not_missed(tmp_path, write_clip, suffix, encoder, rate):
    """A phone's trimming leaves all frames in the file and says which are to be shown."""
    path = write_clip(tmp_path / f"a.{suffix}", noise(100, (64, 64)), rate=rate, encoder=encoder)
    data = path.read_bytes()
    shown = (
        number(data, b"mvhd", 12) * 30 // rate
    )  # one edit: duration in the movie's time, then where it begins
    path.write_bytes(with_number(data, b"elst", 8, shown))
    frames, problem = read(path)
    assert 20 <= frames <= 40
    assert problem is None


@pytest.mark.parametrize(("suffix", "encoder"), [(s, e) for s, encoders in INSIDE.items() for e in encoders])
@pytest.mark.parametrize("scale", [0, 1, 2, 100, 1000, 2**31, 2**32 - 1])
def test_a_damaged_clock_takes_no_frames_unsaid(tmp_path, write_clip, suffix, encoder, scale):
    """By a slow clock, the edit list shows a frame or two. 0 and numbers that are none: FFmpeg takes 1."""
    path = write_clip(tmp_path / f"a.{suffix}", noise(24, (64, 64)), rate=24, encoder=encoder)
    path.write_bytes(with_number(path.read_bytes(), b"mdhd", 12, scale))
    frames, problem = read(path)
    says_its_rate = encoder not in ("mjpeg", "libvpx-vp9")
    assert frames < 4
    if says_its_rate or scale not in (100, 1000):
        assert problem.reason == "truncated"
        assert f"gave {frames} of the 24 frames that it promises" in str(problem)


def test_a_damaged_step_takes_no_frames_unsaid(tmp_path, write_clip):
    path = write_clip(tmp_path / "a.mp4", noise(24), rate=24)
    path.write_bytes(with_number(path.read_bytes(), b"stts", 12, 2**31))
    frames, problem = read(path)
    assert (frames, problem.reason) == (1, "truncated")


def test_an_avi_with_dropped_frames_is_whole(tmp_path, write_clip):
    """What a camera dropped is an empty place in the file, and promised as a frame."""
    times = [0, 40, 80, 400, 440, 2000, 2040]
    assert read(write_clip(tmp_path / "a.avi", noise(7), encoder="mpeg4", times=times)) == (7, None)
