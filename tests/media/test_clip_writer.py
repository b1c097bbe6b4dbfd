import av
import numpy as np
import pytest

from fercomp.core.files import atomic_file
from fercomp.media.clip_writer import ClipWriter
from fercomp.media.clips import Clip


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


def test_a_variable_rate_stays_variable(tmp_path, write_clip):
    times = [0, 40, 41, 200, 1000, 1033, 1500]
    source = write_clip(tmp_path / "a.mp4", list(pictures(7)), times=times)
    copy_times, _, _ = told(copied(source, tmp_path / "copy.mp4"))
    np.testing.assert_allclose(copy_times, np.array(times) / 1000, atol=1e-3)


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
