"""Pictures of every kind, made on the spot: used rightly, or refused with a reason."""

import math
import os
import struct
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from fercomp.media.images import MAX_PIXELS, ImageProblem, decode_image, decode_photo, jpeg_loss, read_image

RED, BLUE, WHITE = (200, 30, 40), (20, 60, 220), (255, 255, 255)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def two_halves(mode: str = "RGB", left=RED, right=BLUE, size: tuple[int, int] = (32, 16)) -> Image.Image:
    """A picture whose left half differs from its right half."""
    image = Image.new(mode, size, right)
    image.paste(left, (0, 0, size[0] // 2, size[1]))
    return image


def assert_halves(pixels: np.ndarray, left=RED, right=BLUE, tolerance: int = 0) -> None:
    assert pixels.shape == (16, 32, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous
    for x, colour in ((0, left), (8, left), (24, right), (31, right)):
        assert np.abs(pixels[8, x].astype(int) - colour).max() <= tolerance


def reason_of(data: bytes) -> str:
    with pytest.raises(ImageProblem) as caught:
        decode_image(data, "face.jpg")
    assert str(caught.value).startswith("face.jpg ")
    assert "\n" not in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("GIF", {}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 4),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 4),
        ("MPO", {"quality": 95, "subsampling": 0}, 4),
    ],
)
def test_formats(kind, options, tolerance):
    assert_halves(decode_image(encoded(two_halves(), kind, **options)), tolerance=tolerance)


def test_the_bytes_count_and_not_the_name(tmp_path):
    path = tmp_path / "face.jpg"
    path.write_bytes(encoded(two_halves(), "PNG"))
    assert_halves(read_image(path))


def test_grey_one_bit_and_palette():
    grey = two_halves("L", 40, 200)
    assert_halves(decode_image(encoded(grey, "PNG")), (40,) * 3, (200,) * 3)
    assert_halves(decode_image(encoded(grey, "JPEG", quality=95)), (40,) * 3, (200,) * 3, tolerance=2)
    assert_halves(decode_image(encoded(two_halves("1", 0, 1), "PNG")), (0,) * 3, WHITE)
    assert_halves(decode_image(encoded(two_halves().quantize(4), "PNG")), tolerance=1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(kind):
    ramp = np.linspace(0, 65535, 32 * 16).astype(np.uint16).reshape(16, 32)
    pixels = decode_image(encoded(Image.fromarray(ramp), kind))
    np.testing.assert_array_equal(pixels, np.repeat((ramp >> 8)[..., None], 3, axis=2))


def test_16_bit_colour_is_scaled_not_clipped():
    colour = np.random.default_rng(0).integers(0, 65536, (16, 32, 3), dtype=np.uint16)
    done, data = cv2.imencode(".png", colour)
    assert done
    np.testing.assert_array_equal(decode_image(data.tobytes()), (colour >> 8)[..., ::-1])


def test_32_bit_numbers_are_refused():
    assert reason_of(encoded(Image.new("F", (16, 16), 0.5), "TIFF")) == "unsupported"


def test_cmyk_as_adobe_inverts_it_and_as_tiff_does_not():
    cmyk = two_halves().convert("CMYK")
    jpeg = encoded(cmyk, "JPEG", quality=95, subsampling=0)
    assert b"Adobe" in jpeg
    assert_halves(decode_image(jpeg), tolerance=6)
    assert_halves(decode_image(encoded(cmyk, "TIFF")), tolerance=2)


def palette_picture() -> Image.Image:
    image = two_halves("P", 1, 0)
    image.putpalette([9, 9, 9, *RED])
    return image


@pytest.mark.parametrize(
    ("picture", "options", "left"),
    [
        (two_halves("RGBA", (*RED, 255), (9, 9, 9, 0)), {}, RED),
        (two_halves("LA", (77, 255), (9, 0)), {}, (77,) * 3),
        (palette_picture(), {"transparency": 0}, RED),
        (two_halves("RGB", RED, (9, 9, 9)), {"transparency": (9, 9, 9)}, RED),
    ],
    ids=["RGBA", "LA", "P", "RGB"],
)
def test_transparent_parts_show_white(picture, options, left):
    assert_halves(decode_image(encoded(picture, "PNG", **options)), left, WHITE)


def test_half_transparent_is_mixed_with_white():
    pixels = decode_image(encoded(Image.new("RGBA", (16, 16), (0, 0, 0, 128)), "PNG"))
    assert np.unique(pixels).tolist() == [127]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_counts(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    later = [two_halves(left=BLUE, right=RED)]
    data = encoded(two_halves(), kind, save_all=True, append_images=later, **options)
    with Image.open(BytesIO(data)) as image:
        assert image.n_frames == 2
    assert_halves(decode_image(data))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied(orientation, kind):
    noise = np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8)
    image = Image.fromarray(noise.repeat(8, axis=0).repeat(8, axis=1))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exact = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}
    pixels = decode_image(encoded(image, kind, exif=exif, **exact.get(kind, {})))
    image.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    assert pixels.shape == ((40, 24, 3) if orientation >= 5 else (24, 40, 3))
    assert np.abs(pixels.astype(int) - expected).max() <= (6 if kind == "JPEG" else 0)


def test_a_telephone_held_upright():
    """Orientation 6: the file's left side is the top of the picture."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = decode_image(encoded(two_halves(), "PNG", exif=exif))
    assert pixels.shape == (32, 16, 3)
    assert pixels[0, 8].tolist() == list(RED)
    assert pixels[31, 8].tolist() == list(BLUE)


def test_broken_exif_does_not_cost_the_picture():
    data = encoded(two_halves(), "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert_halves(decode_image(data), tolerance=4)


def test_files_that_hold_no_picture(tmp_path):
    def reason(path: Path) -> str:
        with pytest.raises(ImageProblem) as caught:
            read_image(path)
        return caught.value.reason

    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("this is not a picture" * 20)
    (tmp_path / "page.png").write_bytes(b"<html><body>404</body></html>")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert reason(tmp_path / "gone.jpg") == "missing"
    assert reason(tmp_path / "text.jpg" / "0.jpg") == "missing"
    assert reason(tmp_path) == "not_a_file"
    assert reason(tmp_path / "pipe.jpg") == "not_a_file"
    assert reason(tmp_path / "empty.jpg") == "empty"
    assert reason(tmp_path / "text.jpg") == "not_an_image"
    assert reason(tmp_path / "page.png") == "not_an_image"
    assert reason(tmp_path / ("a" * 300)) == "unreadable"
    assert reason(tmp_path / "a\0b.jpg") == "unreadable"


def test_a_file_of_somebody_else(tmp_path, monkeypatch):
    path = tmp_path / "0.jpg"
    path.write_bytes(encoded(two_halves(), "JPEG"))

    def refuse(self: Path) -> bytes:  # root, who runs tests in containers, may read everything
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ImageProblem) as caught:
        read_image(path)
    assert caught.value.reason == "permission_denied"


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.bmp"
    with path.open("wb") as file:
        file.truncate(600 * 2**20)  # sparse: takes no room
    with pytest.raises(ImageProblem, match="bytes") as caught:
        read_image(path)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated(kind, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    # Of a TIFF the table of contents stands last; WebP's decoder does not say what it misses.
    expected = {"TIFF": {"truncated", "not_an_image", "unreadable"}, "WEBP": {"unreadable"}}
    assert reason_of(data[: int(len(data) * share)]) in expected.get(kind, {"truncated"})


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_that_lacks_its_end_is_decoded_as_far_as_it_goes(progressive, mode, orientation):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 64, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(noise.convert(mode), "JPEG", progressive=progressive, exif=exif, quality=80)
    whole = decode_photo(data)
    assert whole.missing is None
    for lost in (2, 3, 20):
        nearly = decode_photo(data[:-lost])
        assert nearly.missing is not None
        assert nearly.missing < 0.2
        upright = nearly.pixels if orientation == 1 else np.rot90(nearly.pixels)
        expected = whole.pixels if orientation == 1 else np.rot90(whole.pixels)
        if not progressive:
            np.testing.assert_array_equal(upright[:64], expected[:64])
    if progressive or mode == "CMYK":
        return
    halves = [decode_photo(data[: int(len(data) * share)]) for share in (0.95, 0.7, 0.5)]
    assert [half.missing for half in halves] == sorted(half.missing for half in halves)
    assert 0.3 < halves[-1].missing < 0.7
    assert halves[-1].pixels.shape == whole.pixels.shape


def test_a_jpeg_of_which_no_picture_came_is_truncated():
    data = encoded(two_halves(), "JPEG")
    scan = data.index(b"\xff\xda")
    for end in (scan // 2, scan - 1, scan + 3, scan + 14):
        assert reason_of(data[:end]) in ("truncated", "not_an_image")
    assert reason_of(data[: scan + 14]) == "truncated"


@given(st.integers(20, 10_000), st.booleans())
def test_a_jpeg_cut_anywhere_is_a_picture_or_truncated(end, progressive):
    data = encoded(two_halves(size=(64, 64)), "JPEG", progressive=progressive, quality=95)
    try:
        assert decode_photo(data[: end % len(data)]).pixels.shape == (64, 64, 3)
    except ImageProblem as problem:
        assert problem.reason in ("truncated", "not_an_image", "unreadable")


def test_avif():
    assert_halves(decode_image(encoded(two_halves(), "AVIF", quality=100, subsampling="4:4:4")), tolerance=4)
    exif = Image.Exif()
    exif[0x0112] = 3
    assert_halves(
        decode_image(encoded(two_halves(), "AVIF", quality=100, exif=exif)), BLUE, RED, tolerance=30
    )


def heic(width=32, height=16):
    file = BytesIO()
    pillow_heif.from_pillow(two_halves(size=(width, height))).save(file, quality=100, chroma=444)
    return file.getvalue()


def test_a_heic_is_read_whatever_its_name(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(heic(64, 64))
    pixels = read_image(tmp_path / "photo.jpg")
    assert pixels.shape == (64, 64, 3)
    assert np.abs(pixels[32, 8].astype(int) - RED).max() < 12


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"heim"])
def test_a_damaged_heic_is_called_one(brand):
    data = b"\0\0\0\x18ftyp" + brand + bytes(4) + b"heicmif1" + bytes(64)
    with pytest.raises(ImageProblem, match=r"is a HEIC photo that is damaged") as caught:
        decode_image(data, "photo.jpg")
    assert caught.value.reason == "unreadable"


@given(end=st.integers(0), byte=st.integers(0, 255))
def test_a_heic_cut_or_changed_anywhere_is_a_picture_or_a_problem(end, byte):
    whole = heic(64, 64)
    end %= len(whole)
    for data in (whole[:end], whole[:end] + bytes([byte]) + whole[end + 1 :]):
        try:
            assert decode_image(data).shape == (64, 64, 3)
        except ImageProblem as problem:
            assert problem.reason in ("truncated", "not_an_image", "unreadable", "too_small", "too_large")


def test_a_large_picture_is_the_same_in_strips(monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (700, 50, 3), dtype=np.uint8)
    monkeypatch.setattr("fercomp.media.pixels._LARGE", 1000)
    np.testing.assert_array_equal(decode_image(encoded(Image.fromarray(noise), "PNG")), noise)


@pytest.mark.parametrize("size", [(1, 1), (7, 500), (500, 7)])
def test_too_small(size):
    assert reason_of(encoded(Image.new("RGB", size), "PNG")) == "too_small"


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims a size and holds no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + end + struct.pack(">I", 0) + b"IDAT"


@pytest.mark.parametrize("side", [11_000, 15_000, 60_000])
def test_decompression_bombs_are_refused_by_their_header(side):
    assert side**2 > MAX_PIXELS
    assert reason_of(png_header(side, side)) == "too_large"


def test_formats_that_start_programs_are_not_opened():
    assert reason_of(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n") == "not_an_image"


SEEDS = [
    encoded(two_halves().convert(mode), kind)
    for mode, kind in [
        ("RGB", "JPEG"),
        ("CMYK", "JPEG"),
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("RGB", "BMP"),
        ("P", "GIF"),
        ("RGB", "WEBP"),
        ("L", "TIFF"),
    ]
]


def usable_or_problem(data: bytes) -> None:
    try:
        pixels = decode_image(data)
    except ImageProblem as problem:
        assert problem.reason
    else:
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        assert pixels.dtype == np.uint8
        loss = jpeg_loss(data)
        assert math.isnan(loss) or 0 < loss < 2**16


def test_the_loss_of_a_jpeg_grows_as_its_quality_falls():
    losses = [jpeg_loss(encoded(two_halves(), "JPEG", quality=quality)) for quality in (100, 95, 80, 50, 10)]
    assert losses[0] == 1
    assert losses == sorted(set(losses))
    assert jpeg_loss(encoded(two_halves("L", 10, 200), "JPEG", quality=50)) == losses[3]


@pytest.mark.parametrize("options", [{"format": "PNG"}, {"format": "WEBP", "quality": 10}, {"format": "BMP"}])
def test_only_a_jpeg_tells_its_loss(options):
    file = BytesIO()
    two_halves().save(file, **options)
    assert math.isnan(jpeg_loss(file.getvalue()))


@given(st.binary(max_size=400))
def test_any_bytes(data):
    usable_or_problem(data)


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12),
    st.integers(0, 10**6),
)
def test_damaged_pictures(data, changes, end):
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    usable_or_problem(bytes(damaged[: end % (2 * len(damaged))]))


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_jpeg_is_decoded_at_a_reduced_scale_where_that_is_enough(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 8, 3), dtype=np.uint8))
    picture = smooth.resize((256, 384), Image.Resampling.BICUBIC)
    data = encoded(picture, "JPEG", exif=exif, quality=95)
    whole = decode_photo(data).pixels
    for least, scale in ((257, 1), (256, 1), (128, 2), (100, 2), (32, 8), (1, 8)):
        reduced = decode_photo(data, least=least).pixels
        assert reduced.shape[:2] == tuple(side // scale for side in whole.shape[:2])
        blocks = whole.reshape(reduced.shape[0], scale, reduced.shape[1], scale, 3).mean(axis=(1, 3))
        assert np.abs(reduced - blocks).mean() < 2
    cut = decode_photo(data[: len(data) * 2 // 3], least=128)
    assert cut.pixels.shape == decode_photo(data, least=128).pixels.shape
    assert 0.1 < cut.missing < 0.6
    for kind in ("PNG", "WEBP"):
        assert decode_photo(encoded(picture, kind), least=32).pixels.shape == (384, 256, 3)
