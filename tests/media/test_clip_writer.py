import av
import numpy as np
import pytest

from fercomp.core.files import atomic_file
from fercomp.media.clip_writer import ClipWriter
from fercomp.media.clips import Clip
from fercomp.media.problems import ClipProblem


def pictures(n, width=64, height=48):
    """A grey bar that wanders over black."""
    for i in range(n):
        image = np.zeros((height, width, 3), dtype=np.uint8)
        image[:, i % width : i % width + 8] = 150
        yield image


def copied(source, target):
    with Clip(source) as clip, ClipWriter(target, clip) as writer:
        for frame in clip:
            writer.write(frame, frame.image)
    return target


def told(path):
    """Returns the times of all frames, codec names by kind, and the sound as numbers."""
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    with av.open(str(path)) as container:
        kinds = {stream.type: stream.codec_context.name for stream in container.streams}
        sound = [f.to_ndarray() for f in container.decode(audio=0)] if "audio" in kinds else []
    return times, kinds, np.concatenate([part.reshape(-1) for part in sound]) if sound else None


def packets(path):
    """Returns the bytes of the sound as they are stored."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0)]


def seconds(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return float(stream.duration * stream.time_base)


@pytest.mark.parametrize(
    ("suffix", "rate"), [(".mp4", 25), (".mp4", 30), (".mov", 24), (".avi", 25), (".ts", 25)]
)
def test_a_copy_keeps_frames_times_and_duration(tmp_path, write_clip, suffix, rate):
    # AVI has no times of its own: with H.264, which reorders frames, they can only be guessed.
    encoder = "mpeg4" if suffix == ".avi" else "libx264"
    source = write_clip(tmp_path / f"a{suffix}", list(pictures(40)), rate=rate, encoder=encoder)
    copy = copied(source, tmp_path / "copy.mp4")
    times, kinds, _ = told(copy)
    assert kinds == {"video": "h264"}
    assert len(times) == 40
    np.testing.assert_allclose(np.diff(times), 1 / rate, atol=2e-3)
    assert times[0] == pytest.approx(0, abs=2 / rate)
    assert seconds(copy) == pytest.approx(40 / rate, abs=1 / rate)


def test_29_97_stays_29_97(tmp_path, write_clip):
    from fractions import Fraction

    source = write_clip(tmp_path / "a.mp4", list(pictures(60)), rate=Fraction(30000, 1001))
    copy = copied(source, tmp_path / "copy.mp4")
    with av.open(str(copy)) as container:
        assert container.streams.video[0].average_rate == Fraction(30000, 1001)
    assert seconds(copy) == pytest.approx(seconds(source), abs=1e-3)


EVENLY = list(range(0, 1000, 40))
UNEVEN = {
    "pauses": [0, 40, 41, 200, 1000, 1033, 1500],
    "a frame is dropped": [*EVENLY[:12], *EVENLY[13:]],
    "a pause before the last": [*EVENLY, 1500],
    "a minute before the last": [*EVENLY, 61_000],
    "a pause after the first": [0, *(5000 + ms for ms in EVENLY)],
    "two": [0, 10_000],
}
"""Milliseconds at which frames are shown that are not evenly spaced."""


@pytest.mark.parametrize(
    ("suffix", "encoder"),
    [(".mp4", "mpeg4"), (".mov", "mpeg4"), (".mkv", "mpeg4"), (".webm", "libvpx")],
)
@pytest.mark.parametrize("times", UNEVEN.values(), ids=UNEVEN)
def test_a_variable_rate_stays_variable(tmp_path, write_clip, suffix, encoder, times):
    """Seen: of 61 s with one frame in the last minute, the copy said 1.04 s; of two frames in 10 s, 15."""
    source = write_clip(tmp_path / f"a{suffix}", list(pictures(len(times))), times=times, encoder=encoder)
    copy = copied(source, tmp_path / "copy.mp4")
    np.testing.assert_allclose(told(copy)[0], np.array(times) / 1000, atol=1e-3)
    until = times[-1] / 1000 + 0.04
    assert seconds(copy) == pytest.approx(until, abs=1e-3)
    with av.open(str(copy)) as container:
        assert container.duration / av.time_base == pytest.approx(until, abs=1e-3)


@pytest.mark.parametrize(
    ("suffix", "sound", "kept"),
    [(".mp4", "aac", True), (".mkv", "libmp3lame", True), (".avi", "pcm_s16le", False)],
)
def test_the_sound_stays(tmp_path, write_clip, suffix, sound, kept):
    source = write_clip(tmp_path / f"a{suffix}", list(pictures(50)), sound=sound)
    copy = copied(source, tmp_path / "copy.mp4")
    _, kinds, heard = told(copy)
    _, _, original = told(source)
    assert kinds == {"video": "h264", "audio": told(source)[1]["audio"] if kept else "aac"}
    assert abs(len(heard) - len(original)) <= 4096
    if kept:
        assert packets(copy) == packets(source)
    spectrum = np.abs(np.fft.rfft(heard[:40960].astype(float)))
    assert np.argmax(spectrum) * 44100 / 40960 == pytest.approx(440, abs=2)


@pytest.mark.parametrize(("days", "is_told"), [(1, False), (2, True), (10_000, True)])
def test_a_pause_that_an_mp4_cannot_say_is_a_damaged_clock(tmp_path, write_clip, days, is_told):
    times = [0, 40, 80, days * 86_400_000]
    source = write_clip(tmp_path / "a.mkv", list(pictures(4)), times=times, encoder="libvpx")
    if is_told:
        with pytest.raises(ClipProblem, match=r"a\.mkv has a damaged clock, no frame comes for [\d,]+ s: "):
            copied(source, tmp_path / "copy.mp4")
    else:
        assert seconds(copied(source, tmp_path / "copy.mp4")) == pytest.approx(days * 86_400 + 0.04)


def test_an_odd_size_becomes_even_by_its_last_row_and_column(tmp_path, write_clip):
    source = write_clip(tmp_path / "a.mp4", list(pictures(5, 63, 47)))
    with Clip(copied(source, tmp_path / "copy.mp4")) as clip:
        assert (clip.width, clip.height) == (64, 48)


def test_colours_stay(tmp_path, write_clip):
    colours = [np.full((48, 64, 3), rgb, dtype=np.uint8) for rgb in ((200, 40, 40), (40, 200, 40))]
    source = write_clip(tmp_path / "a.mp4", colours * 5)
    with Clip(source) as before, Clip(copied(source, tmp_path / "copy.mp4")) as after:
        for a, b in zip(before, after, strict=True):
            assert np.abs(a.image.astype(int) - b.image).mean() < 3


def test_after_ctrl_c_the_file_plays_as_far_as_it_goes(tmp_path, write_clip):
    source = write_clip(tmp_path / "a.mp4", list(pictures(50)), sound="aac")
    with (
        pytest.raises(KeyboardInterrupt),
        Clip(source) as clip,
        ClipWriter(tmp_path / "b.mp4", clip) as writer,
    ):
        for frame in clip:
            writer.write(frame, frame.image)
            if frame.index == 19:
                raise KeyboardInterrupt
    times, _, heard = told(tmp_path / "b.mp4")
    assert len(times) == writer.frames == 20
    assert 0.7 < len(heard) / 44100 < 0.95


def test_after_an_error_no_file_is_left(tmp_path, write_clip):
    source = write_clip(tmp_path / "a.mp4", list(pictures(50)))
    with (
        pytest.raises(ZeroDivisionError),
        Clip(source) as clip,
        atomic_file(tmp_path / "b.mp4") as temporary,
        ClipWriter(temporary, clip) as writer,
    ):
        for frame in clip:
            writer.write(frame, frame.image)
            raise ZeroDivisionError
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4"}
