import os
from itertools import pairwise

import av
import numpy as np
import pytest

from fercomp.media.clips import Clip
from fercomp.media.problems import ClipProblem

RED, BLUE = (200, 30, 30), (30, 30, 200)


def picture(left=RED, right=BLUE, width=64, height=48):
    image = np.empty((height, width, 3), dtype=np.uint8)
    image[:, : width // 2], image[:, width // 2 :] = left, right
    return image


def close(pixel, colour):
    return np.abs(pixel.astype(int) - colour).max() < 40


def frames_of(path):
    with Clip(path) as clip:
        frames = list(clip)
        return clip, frames, clip.problem()


def test_frames_come_in_order_with_their_times(tmp_path, write_clip):
    clip, frames, problem = frames_of(write_clip(tmp_path / "a.mp4", [picture()] * 12, rate=24))
    assert (clip.width, clip.height, clip.rate, clip.count, problem) == (64, 48, 24, 12, None)
    assert [frame.index for frame in frames] == list(range(12))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) / 24, atol=1e-4)
    assert frames[0].image.shape == (48, 64, 3)
    assert close(frames[5].image[24, 10], RED)
    assert close(frames[5].image[24, 50], BLUE)


def test_a_variable_rate_is_kept(tmp_path, write_clip):
    times = [0, 33, 67, 300, 310, 1000]
    _, frames, _ = frames_of(write_clip(tmp_path / "a.mp4", [picture()] * 6, times=times))
    np.testing.assert_allclose([frame.time for frame in frames], np.array(times) / 1000, atol=1e-3)


def with_bytes(path, places):
    """Writes bytes over others, each so far behind the first of a name."""
    data = bytearray(path.read_bytes())
    for name, behind, new in places:
        at = data.index(name) + behind
        data[at : at + len(new)] = new
    path.write_bytes(data)
    return path


def void(n):
    return bytes([0xEC, 0x80 | (n - 2), *bytes(n - 2)])


NO_RATE = {
    "avi": [(b"avih", 8, bytes(4)), (b"strh", 28, bytes(8))],
    "webm": [(b"\x23\xe3\x83", 0, void(8))],
    "mkv": [(b"\x23\xe3\x83", 0, void(8)), (b"\x44\x89\x88", 0, void(11))],
}
"""What takes the frame rate out of the header: AVI's two; Matroska's DefaultDuration, and its Duration."""

DAMAGED_CLOCKS = [
    *(("avi", [(b"strh", 28, scale.to_bytes(4, "little"))]) for scale in (10**6, 2**31, 2**32 - 1)),
    *(("avi", [(b"strh", 32, rate.to_bytes(4, "little"))]) for rate in (10**6, 2**31, 2**32 - 1)),
    *(
        (end, [(b"\x2a\xd7\xb1\x83", 4, ns.to_bytes(3, "big"))])
        for end in ("webm", "mkv")
        for ns in (1, 1000)
    ),
]


@pytest.mark.parametrize("suffix", NO_RATE)
def test_without_a_rate_a_clip_is_as_long_as_it_was(tmp_path, write_clip, suffix):
    encoder = "mjpeg" if suffix == "avi" else "libvpx-vp9"
    path = write_clip(tmp_path / f"a.{suffix}", [picture()] * 24, rate=24, encoder=encoder)
    clip, frames, problem = frames_of(with_bytes(path, NO_RATE[suffix]))
    assert (len(frames), problem) == (24, None)
    assert frames[-1].time + 1 / clip.rate == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("suffix", "places"), DAMAGED_CLOCKS)
def test_a_clock_that_cannot_be_is_told(tmp_path, write_clip, suffix, places):
    """Seen: 24 frames in no time without a word, or in 11 days, or a failure that said nothing of a clock."""
    encoder = "mjpeg" if suffix == "avi" else "libvpx-vp9"
    path = with_bytes(
        write_clip(tmp_path / f"a.{suffix}", [picture()] * 24, rate=24, encoder=encoder), places
    )
    try:
        _, frames, problem = frames_of(path)
    except ClipProblem as told:
        problem = told
    else:
        assert len(frames) == 24
    assert problem.reason == "damaged"
    assert f"a.{suffix} has a damaged clock, " in str(problem)


def test_a_clock_that_stands_still_is_told(tmp_path, write_clip):
    """Seen: a clip of 1 s whose clock stands still had a copy of 24 s, without a word."""
    path = write_clip(tmp_path / "a.mp4", [picture()] * 24, rate=24, encoder="mpeg4")
    _, frames, problem = frames_of(with_bytes(path, [(b"stts", 16, bytes(4))]))
    assert (len(frames), problem.reason) == (24, "damaged")
    assert "a.mp4 has a damaged clock, it lasts 22.0 s and promises 1.0: " in str(problem)


@pytest.mark.parametrize(("rotation", "red_at"), [(90, (60, 24)), (-90, (4, 24)), (180, (24, 60))])
def test_a_turned_clip_is_upright(tmp_path, write_clip, rotation, red_at):
    clip, frames, _ = frames_of(write_clip(tmp_path / "a.mp4", [picture()] * 3, rotation=rotation))
    upright = (48, 64) if rotation in (90, -90) else (64, 48)
    assert (clip.width, clip.height) == upright
    assert frames[1].image.shape == (*upright[::-1], 3)
    assert close(frames[1].image[red_at], RED)


def test_an_odd_size_is_read_as_it_is(tmp_path, write_clip):
    clip, frames, _ = frames_of(write_clip(tmp_path / "a.mp4", [picture(width=63, height=47)] * 3))
    assert (clip.width, clip.height) == (63, 47)
    assert frames[0].image.shape == (47, 63, 3)


def test_a_changed_resolution_is_scaled_to_the_first(tmp_path, write_clip):
    """Two streams of MPEG-2 behind each other are one whose pictures change their size."""
    parts = [
        write_clip(tmp_path / f"{i}.mpg", [picture(width=w, height=h)] * 6, encoder="mpeg2video")
        for i, (w, h) in enumerate([(64, 48), (128, 96)])
    ]
    both = tmp_path / "both.mpg"
    both.write_bytes(b"".join(part.read_bytes() for part in parts))
    _, frames, _ = frames_of(both)
    assert len(frames) > 8
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert close(frames[-1].image[24, 10], RED)
    assert all(a.pts < b.pts for a, b in pairwise(frames))


def test_a_truncated_clip_gives_what_is_there_and_says_so(tmp_path, write_clip):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(75)]
    path = write_clip(tmp_path / "a.mp4", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    _, frames, problem = frames_of(path)
    assert 20 < len(frames) < 60
    assert problem.reason == "truncated"
    assert "ends after" in str(problem)


def test_damage_in_the_middle_is_left_out_and_told(tmp_path, write_clip):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(50)]
    path = write_clip(tmp_path / "a.mp4", noise, encoder="mjpeg")
    with av.open(str(path)) as container:
        packet = list(container.demux(video=0))[25]
        begin, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    data[begin : begin + size] = bytes(size)
    path.write_bytes(data)
    _, frames, problem = frames_of(path)
    assert len(frames) == 49
    assert problem.reason == "damaged"
    assert "1 damaged places" in str(problem)


def test_what_is_no_clip_has_a_reason(tmp_path, write_clip):
    from PIL import Image

    Image.fromarray(picture()).save(tmp_path / "photo.jpg")
    (tmp_path / "photo.jpg").rename(tmp_path / "photo.mp4")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "folder.mp4").mkdir()
    # A playlist may name any file or address; it must not be followed.
    write_clip(tmp_path / "real.ts", [picture()] * 3)
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nreal.ts\n#EXT-X-ENDLIST\n")
    (tmp_path / "concat.mp4").write_text("ffconcat version 1.0\nfile real.ts\n")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        tone = container.add_stream("aac", rate=44100)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.rate = 44100
        container.mux(tone.encode(samples))
        container.mux(tone.encode())
    whole = write_clip(tmp_path / "whole.mp4", [picture()] * 30)
    (tmp_path / "head.mp4").write_bytes(whole.read_bytes()[:600])
    data = whole.read_bytes()
    (tmp_path / "none.mp4").write_bytes(data[: data.index(b"mdat") + 4])
    reasons = {
        "photo.mp4": "not_a_video",
        "empty.mp4": "empty",
        "text.mp4": "not_a_video",
        "folder.mp4": "not_a_file",
        "list.mp4": "not_a_video",
        "concat.mp4": "not_a_video",
        "sound.mp4": "no_video_stream",
        "head.mp4": "not_a_video",
        "none.mp4": "no_frames",
        "missing.mp4": "missing",
    }
    for name, reason in reasons.items():
        with pytest.raises(ClipProblem) as problem:
            Clip(tmp_path / name)
        assert (name, problem.value.reason) == (name, reason)
        assert name in str(problem.value)


def test_a_name_that_looks_like_an_address_is_a_file(tmp_path, write_clip, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", [picture()] * 3)
    os.rename("a.mp4", "http:a%20b.mp4")  # noqa: PTH104
    assert len(frames_of(type(tmp_path)("http:a%20b.mp4"))[1]) == 3
