import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from fercomp.media.channels import stereo_weights
from fercomp.media.clips import Clip
from tests.media.sounds import RATES, TONE, copied, heard, in_any_order, write_sound

PROGRAM = Path(__file__).with_name("sounds.py")


def run(share):
    run = subprocess.run([sys.executable, PROGRAM, str(share)], capture_output=True, text=True)
    assert run.returncode == 0, (run.stdout.splitlines()[-1:], run.stderr[-2000:])
    return int(run.stdout.split()[-1])


@pytest.mark.slow
def test_no_number_of_channels_format_or_rate_kills_the_process():
    """What is copied of a sample of the product has its length, a rate that AAC has, and two channels."""
    assert run(131) > 25


@pytest.mark.slow
def test_a_larger_part_of_the_product_kills_no_process_either():
    """The whole is `python tests/media/sounds.py 1`: 4,160 clips, many minutes."""
    assert run(37) > 100


@pytest.mark.parametrize("rate", [11024, 22255, 192_000, 6000, 44_100])
@pytest.mark.parametrize(
    ("suffix", "codec"), [(".avi", "pcm_s16le"), (".mkv", "pcm_u8"), (".mov", "pcm_s16be")]
)
def test_a_rate_that_aac_lacks_becomes_one_that_it_has(tmp_path, capsys, rate, suffix, codec):
    source = write_sound(tmp_path / f"a{suffix}", codec, 1, rate, seconds=1)
    got, channels, seconds = heard(copied(source, tmp_path / "b.mp4"))
    assert got == next((r for r in RATES if r >= rate), 48_000)
    assert (channels, capsys.readouterr().err) == (1, "")
    assert seconds == pytest.approx(1, abs=0.1)
    assert pitch(tmp_path / "b.mp4") == pytest.approx(TONE, abs=5)


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 44100])
def test_mp3_is_kept_where_an_mp4_takes_it(tmp_path, rate):
    source = write_sound(tmp_path / "a.avi", "libmp3lame", 1, rate, seconds=1)
    copy = copied(source, tmp_path / "b.mp4")
    with av.open(str(copy)) as container:
        name = container.streams.audio[0].codec_context.name
    assert name.startswith("mp3" if rate >= 16000 else "aac")
    assert heard(copy)[2] == pytest.approx(1, abs=0.05 + 2 * 1152 / rate)
    assert pitch(copy) == pytest.approx(TONE, abs=5)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".ts", "mp2"), (".mpg", "mp2"), (".ts", "aac"), (".mkv", "mp2")]
)
def test_sound_starts_with_its_picture(tmp_path, suffix, codec):
    """Clocks that start at 100 s, as those of recordings do."""
    source = write_sound(tmp_path / f"a{suffix}", codec, 2, 48_000, seconds=2, start=100)
    copy = copied(source, tmp_path / "b.mp4")
    picture, sound = starts(copy)
    before = np.subtract(*starts(source))
    assert picture < 0.2
    assert picture - sound == pytest.approx(before, abs=0.05)
    with av.open(str(copy)) as container:
        assert container.duration / av.time_base < 2.5


def test_a_pause_in_the_sound_stays_a_pause(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        for _ in range(100):
            container.mux(
                video.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24"))
            )
        container.mux(video.encode())
        for begin in (*range(0, 8000, 800), *range(24_000, 32_000, 800)):
            wave = np.full((1, 800), 9000, np.int16)
            samples = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
            samples.rate, samples.pts, samples.time_base = 8000, begin, Fraction(1, 8000)
            container.mux(sound.encode(samples))
        container.mux(sound.encode())
    with av.open(str(copied(path, tmp_path / "b.mp4"))) as container:
        times = [f.time for f in container.decode(audio=0)]
    assert min(t for t in times if t > 1.5) == pytest.approx(3, abs=0.15)
    assert max(times) == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
def test_channels_in_any_order_are_heard(tmp_path, channels):
    source = write_sound(tmp_path / "a.mov", "pcm_s16le", channels, 48_000, seconds=1)
    in_any_order(source, list(range(channels, 0, -1)))
    assert pitch(copied(source, tmp_path / "b.mp4")) == pytest.approx(TONE, abs=5)


def test_sound_that_cannot_be_decoded_is_left_out_with_a_word(tmp_path, capsys):
    source = write_sound(tmp_path / "a.avi", "pcm_s16le", 2, 44_100, seconds=1)
    data = source.read_bytes()
    place = data.index(b"auds")
    header = data.index(b"strf", place) + 8
    # A kind of sound that nobody knows.
    source.write_bytes(data[:header] + b"\x34\x12" + data[header + 2 :])
    copy = copied(source, tmp_path / "b.mp4")
    with av.open(str(copy)) as container:
        assert len(list(container.decode(video=0))) == 25
        assert not container.streams.audio
    assert "the sound is left out" in capsys.readouterr().err


def test_who_is_left_is_left():
    left, right = stereo_weights(["FL", "FR", "FC", "LFE", "BL", "BR"]).T
    np.testing.assert_allclose(left, np.array([1, 0, 0.7, 0.7, 1, 0]) / 3.4)
    np.testing.assert_allclose(right, np.array([0, 1, 0.7, 0.7, 0, 1]) / 3.4)
    np.testing.assert_allclose(stereo_weights(["NONE"] * 3)[:, 0], np.array([1, 0, 0.7]) / 1.7)
    np.testing.assert_allclose(stereo_weights(["FC", "BC", "LFE"]).sum(axis=0), 1)


def starts(path):
    """Returns when the first picture and the first sound come, in seconds."""
    times = []
    for kind in ("video", "audio"):
        with av.open(str(path)) as container:
            times.append(next(container.decode(**{kind: 0})).time)
    return times


def pitch(path):
    """Returns the strongest frequency."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        wave = np.concatenate([f.to_ndarray().astype(float)[0] for f in frames])
    return np.argmax(np.abs(np.fft.rfft(wave))[1:]) * frames[0].rate / len(wave) + frames[0].rate / len(wave)


def test_a_clip_keeps_its_length_whatever_its_sound(tmp_path):
    source = write_sound(tmp_path / "a.mkv", "pcm_s16le", 2, 48_000, seconds=1)
    with Clip(copied(source, tmp_path / "b.mp4")) as clip:
        assert len(list(clip)) == 25
