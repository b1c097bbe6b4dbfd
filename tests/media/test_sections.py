"""Sections of clips: the right frames, at their times, and a copy that begins at 0 with its sound."""

import av
import numpy as np
import pytest

from fercomp.media.clip_writer import ClipWriter
from fercomp.media.clips import Clip
from fercomp.media.problems import ClipProblem

ENCODERS = {
    "mp4": "libx264",
    "mkv": "libx264",
    "avi": "mpeg4",
    "ts": "mpeg2video",
    "mpg": "mpeg2video",
    "webm": "libvpx",
    "flv": "flv1",
    "wmv": "wmv2",
}


def numbered(n):
    """Pictures whose brightness tells their number."""
    return [np.full((48, 64, 3), 20 + 2 * i, np.uint8) for i in range(n)]


def number_of(image):
    return (float(image[10:-10, 10:-10].mean()) - 20) / 2


@pytest.mark.parametrize("suffix", ENCODERS)
@pytest.mark.parametrize(("start", "end"), [(1.0, 2.0), (0.0, 1.5), (2.48, None), (3.2, 3.24), (0.03, None)])
def test_a_section_has_its_frames_at_their_times(tmp_path, write_clip, suffix, start, end):
    path = write_clip(tmp_path / f"a.{suffix}", numbered(100), encoder=ENCODERS[suffix])
    with Clip(path) as clip:
        whole = list(clip)
    with Clip(path, start, end) as clip:
        frames = list(clip)
        assert clip.problem() is None
    half = 0.02
    inside = [f for f in whole if f.time >= start - half and (end is None or f.time < end)]
    np.testing.assert_allclose([f.time for f in frames], [f.time for f in inside], atol=2e-3)
    assert [f.index for f in frames] == list(range(len(inside)))
    for got, expected in zip(frames, inside, strict=True):
        assert number_of(got.image) == pytest.approx(number_of(expected.image), abs=2)


@pytest.mark.parametrize(
    ("suffix", "sound"), [("mp4", "aac"), ("mkv", "pcm_s16le"), ("avi", "libmp3lame"), ("ts", "mp2")]
)
def test_the_copy_of_a_section_begins_at_0_with_its_sound(tmp_path, write_clip, suffix, sound):
    path = write_clip(tmp_path / f"a.{suffix}", numbered(100), encoder=ENCODERS[suffix], sound=sound)
    with Clip(path, 1.0, 3.0) as clip, ClipWriter(tmp_path / "b.mp4", clip) as writer:
        for frame in clip:
            writer.write(frame, frame.image)
    with av.open(str(tmp_path / "b.mp4")) as container:
        times = [f.time for f in container.decode(video=0)]
    with av.open(str(tmp_path / "b.mp4")) as container:
        heard = [f.time for f in container.decode(audio=0)]
    assert times[0] == pytest.approx(0, abs=0.05)
    assert (len(times), times[-1]) == (50, pytest.approx(1.96, abs=0.05))
    assert heard[0] == pytest.approx(0, abs=0.08)
    assert heard[-1] == pytest.approx(2, abs=0.15)


def test_the_copy_of_a_section_ends_where_it_ends_also_in_a_pause(tmp_path, write_clip):
    path = write_clip(tmp_path / "a.mp4", numbered(4), times=[0, 1000, 2000, 12_000], encoder="mpeg4")
    with Clip(path, 1.0, 3.0) as clip, ClipWriter(tmp_path / "b.mp4", clip) as writer:
        for frame in clip:
            writer.write(frame, frame.image)
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.duration / av.time_base == pytest.approx(2, abs=1e-3)


def test_a_section_of_a_cut_off_clip_is_truncated_only_where_it_is_cut(tmp_path, write_clip):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(100)]
    path = write_clip(tmp_path / "a.mp4", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for start, end, reason in ((0.2, 1.0, None), (1.0, None, "truncated"), (0.5, 3.5, "truncated")):
        with Clip(path, start, end) as clip:
            assert list(clip)
            problem = clip.problem()
        assert (problem and problem.reason) == reason


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_a_section_behind_the_end_is_a_problem_of_that_clip(tmp_path, write_clip, suffix):
    path = write_clip(tmp_path / f"a.{suffix}", numbered(50), encoder=ENCODERS[suffix])
    with pytest.raises(ClipProblem, match=r"no picture from 9 s to its end, it lasts 2\.0 s") as problem:
        Clip(path, 9)
    assert problem.value.reason == "no_frames"
