"""What a frame holds against what is read, written and tagged."""

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from fercomp.media.clip_writer import ClipWriter
from fercomp.media.clips import Clip

PATCHES = [(200, 40, 40), (40, 180, 60), (50, 60, 190), (128, 128, 128), (255, 255, 255), (0, 0, 0)]


def patches():
    """A picture of six colours, 32 pixels wide each."""
    return np.repeat(np.repeat(np.array(PATCHES, np.uint8)[None], 32, axis=1), 64, axis=0)


def write(path, encoder, pix_fmt, frames, **tags):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=25)
        stream.height, stream.width = 64, 192
        stream.pix_fmt = pix_fmt
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        if encoder.startswith("libx264"):
            stream.options = {"crf": "2"}
        for frame in frames:
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def copied(source, target):
    with Clip(source) as clip, ClipWriter(target, clip) as writer:
        for frame in clip:
            writer.write(frame, frame.image)
    return target


def tags(path):
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        return context.colorspace, context.color_range, context.color_primaries, context.color_trc


def seen_as_tagged(path):
    """Returns the patches as a player shows them that goes by the tags."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        rgb = frame.reformat(format="rgb24", src_colorspace=tags(path)[0], src_color_range=tags(path)[1])
        return rgb.to_ndarray()[32, 16::32]


@pytest.mark.parametrize(
    ("suffix", "encoder", "pix_fmt"),
    [
        ("mkv", "libx264rgb", "rgb24"),
        ("mp4", "libx264rgb", "bgr0"),
        ("mkv", "ffv1", "gbrp10le"),
        ("mov", "png", "rgb24"),
        ("mov", "qtrle", "rgb24"),
        ("avi", "rawvideo", "bgr24"),
        ("avi", "utvideo", "gbrp"),
    ],
)
def test_rgb_is_tagged_as_what_is_written(tmp_path, suffix, encoder, pix_fmt):
    frames = [
        av.VideoFrame.from_ndarray(patches(), format="rgb24").reformat(format=pix_fmt) for _ in range(5)
    ]
    source = write(tmp_path / f"a.{suffix}", encoder, pix_fmt, frames)
    copy = copied(source, tmp_path / "b.mp4")
    matrix, span, primaries, transfer = tags(copy)
    assert (matrix, span, primaries) == (Colorspace.ITU709, ColorRange.MPEG, ColorPrimaries.BT709)
    assert transfer == ColorTrc.IEC61966_2_1
    np.testing.assert_allclose(seen_as_tagged(copy).astype(int), PATCHES, atol=12)


@pytest.mark.parametrize("matrix", [1, 4, 5, 6, 7, 9, 0, 8, 10, 14])
@pytest.mark.parametrize("span", [ColorRange.MPEG, ColorRange.JPEG])
def test_a_matrix_stays_where_it_can_be_written(tmp_path, capsys, matrix, span):
    """YCgCo (8), constant light (10) and ICtCp (14) are read about right, and that is said."""
    known = matrix in (1, 4, 5, 6, 7, 9)
    frame = av.VideoFrame.from_ndarray(patches(), format="rgb24")
    nearest = matrix if known else {10: 9}.get(matrix, 1)
    frames = [
        frame.reformat(format="yuv420p", dst_colorspace=nearest, dst_color_range=span) for _ in range(5)
    ]
    source = write(tmp_path / "a.mkv", "libx264", "yuv420p", frames, colorspace=matrix, color_range=span)
    copy = copied(source, tmp_path / "b.mp4")
    assert tags(copy)[:2] == ((matrix, span) if known else (Colorspace.ITU709, ColorRange.MPEG))
    assert ("only about right" in capsys.readouterr().err) != known
    np.testing.assert_allclose(seen_as_tagged(copy).astype(int), PATCHES, atol=14)


def hdr(signals, transfer, primaries=ColorPrimaries.BT2020):
    """A frame of grey patches: what the signal says, 0 to 1, in 10 bits."""
    levels = np.rint(64 + 876 * np.array(signals)).astype(np.uint16)
    picture = np.full((96, 192), 512, np.uint16)
    picture[:64] = np.repeat(np.resize(levels, 6), 32)
    frame = av.VideoFrame.from_ndarray(picture, format="yuv420p10le")
    frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries = 9, 1, transfer, primaries
    return frame


# cd/m2 by signal: SMPTE ST 2084 and ITU-R BT.2100 (HLG on a screen of 1,000), by their own tables.
PQ = {0.0: 0, 0.3024: 10, 0.4400: 50, 0.5081: 100, 0.5807: 203, 0.7518: 1000}
HLG = {0.0: 0, 0.2: 7.9, 0.38: 26, 0.5: 50.7, 0.75: 203, 1.0: 1000}


@pytest.mark.parametrize(("transfer", "table"), [(ColorTrc.SMPTE2084, PQ), (ColorTrc.ARIB_STD_B67, HLG)])
def test_high_dynamic_range_is_tone_mapped(tmp_path, transfer, table):
    described = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": transfer}
    source = write(
        tmp_path / "a.mkv", "libx264", "yuv420p10le", [hdr(list(table), transfer)] * 5, **described
    )
    with Clip(source) as clip:
        image = next(iter(clip)).image
    shown = image[32, 16::32].astype(float)
    assert np.ptp(shown, axis=1).max() <= 2  # grey stays grey
    light = np.array(list(table.values())) / 203
    dark = light <= 0.5
    # What a screen of 203 cd/m2 shows of a picture of standard range (ITU-R BT.1886).
    np.testing.assert_allclose((shown[dark, 0] / 255) ** 2.4, light[dark], atol=0.015)
    assert (np.diff(shown[:, 0]) > 8).all()
    assert 200 < shown[4, 0] < 240  # white of standard range leaves room for what is brighter
    assert shown[5, 0] >= 252
    copy = copied(source, tmp_path / "b.mp4")
    assert tags(copy) == (1, ColorRange.MPEG, ColorPrimaries.BT709, ColorTrc.BT709)
    np.testing.assert_allclose(seen_as_tagged(copy)[:, 0], shown[:, 0], atol=6)


def test_colours_of_high_dynamic_range_are_those_of_every_screen(tmp_path):
    """The red of BT.709, told in the wider primaries of BT.2020, is red again."""
    linear = np.array([[0.6274, 0.0691, 0.0164]])  # ITU-R BT.2087, its first column
    signal = (linear * 203 / 1000) ** (1 / 1.2)
    bright = 0.17883277 * np.log(np.maximum(12 * signal - 0.28466892, 1e-9)) + 0.55991073
    coded = np.where(signal <= 1 / 12, np.sqrt(3 * signal), bright)
    values = np.rint(coded[0] * 65535).astype(np.uint16)
    rgb = av.VideoFrame.from_ndarray(np.tile(values, (64, 192, 1)), format="rgb48le")
    frame = rgb.reformat(format="yuv420p10le", dst_colorspace=9, dst_color_range=1)
    frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries = 9, 1, 18, 9
    described = {"colorspace": 9, "color_range": 1, "color_primaries": 9, "color_trc": 18}
    source = write(tmp_path / "a.mkv", "ffv1", "yuv420p10le", [frame] * 3, **described)
    with Clip(source) as clip:
        red, green, blue = next(iter(clip)).image[32, 96]
    assert red > 200
    assert max(green, blue) < 70


def test_standard_range_is_as_it_was(tmp_path):
    frames = [av.VideoFrame.from_ndarray(patches(), format="rgb24") for _ in range(5)]
    source = write(tmp_path / "a.mkv", "libx264", "yuv420p", frames)
    with Clip(source) as clip, av.open(str(source)) as container:
        plain = next(container.decode(video=0)).to_ndarray(format="rgb24")
        np.testing.assert_array_equal(next(iter(clip)).image, plain)
