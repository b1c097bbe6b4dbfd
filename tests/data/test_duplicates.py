"""Copies are found, strangers are not."""

from io import BytesIO

import imagehash
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from fercomp.core.params import PrepareParams
from fercomp.data.duplicates import duplicate_groups, perceptual_hashes, thumbnail
from fercomp.media.images import decode_image

DEFAULTS = PrepareParams()


def picture(seed: int, width: int = 96, height: int = 96) -> np.ndarray:
    """A picture with coarse and fine structure, unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width))
    for side in (3, 6, 12, 24):
        layer = Image.fromarray(rng.integers(0, 256, (side, side), dtype=np.uint8))
        total += np.asarray(layer.resize((width, height), Image.Resampling.BICUBIC)) * 12 / side
    grey = (255 * (total - total.min()) / np.ptp(total)).astype(np.uint8)
    return np.stack([grey, grey // 2 + 60, 255 - grey // 3], axis=2)


def recompressed(image: np.ndarray, quality: int) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return decode_image(file.getvalue())


def groups_of(
    images: list[np.ndarray], bits: int | None = None, correlation: float | None = None
) -> list[int]:
    thumbnails = np.stack([thumbnail(image) for image in images])
    found = duplicate_groups(
        perceptual_hashes(thumbnails),
        thumbnails,
        DEFAULTS.duplicate_bits if bits is None else bits,
        DEFAULTS.duplicate_correlation if correlation is None else correlation,
    )
    assert found.dtype == np.int64
    return found.tolist()


def test_hashes_equal_those_of_imagehash():
    images = [picture(seed, 50 + 3 * seed, 120 - 2 * seed) for seed in range(40)]
    ours = perceptual_hashes(np.stack([thumbnail(image) for image in images]))
    theirs = [str(imagehash.phash(Image.fromarray(image))) for image in images]
    assert [f"{value:016x}" for value in ours] == theirs


def test_copies_recompressed_brighter_darker_resized_or_grey():
    image = picture(0)
    brighter = np.clip(image * 1.15 + 10, 0, 255).astype(np.uint8)
    smaller = np.asarray(Image.fromarray(image).resize((48, 60)))
    grey = np.asarray(Image.fromarray(image).convert("L").convert("RGB"))
    copies = [
        image,
        recompressed(image, 30),
        recompressed(brighter, 80),
        image // 2,
        recompressed(smaller, 90),
        grey,
    ]
    assert groups_of([picture(1), *copies, picture(2)]) == [0, 1, 1, 1, 1, 1, 1, 2]


def test_strangers_stay_apart():
    assert groups_of([picture(seed) for seed in range(200)]) == list(range(200))


def test_similar_hashes_alone_do_not_make_a_copy():
    images = [picture(seed) for seed in range(60)]
    assert groups_of(images, bits=64) == list(range(60))
    assert len(set(groups_of(images, bits=64, correlation=-1.0))) == 1


def test_copies_of_copies_share_a_group():
    """The ends of a chain need not be alike."""
    start, end = picture(3).astype(float), picture(4).astype(float)
    chain = [(start + (end - start) * share).astype(np.uint8) for share in np.linspace(0, 1, 9)]
    assert len(set(groups_of([chain[0], chain[-1]], bits=64))) == 2
    assert len(set(groups_of(chain, bits=64))) == 1


def test_pictures_of_one_colour_are_copies_of_each_other_only():
    flat = [np.full((20, 20, 3), value, dtype=np.uint8) for value in (0, 1, 127, 128, 129, 254, 255)]
    for bits in (0, 64):
        assert groups_of([*flat, picture(0)], bits=bits) == [*[0] * len(flat), 1]


def test_identical_pictures_at_the_strictest_setting():
    assert groups_of([picture(0), picture(1), picture(0)], bits=0, correlation=1.0) == [0, 1, 0]


def test_a_hundred_thousand_equal_pairs_take_no_time():
    assert groups_of([picture(0)] * 500) == [0] * 500


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 12), st.just(32), st.just(32))),
    st.integers(0, 64),
    st.floats(0, 1),
)
def test_groups_are_numbered_by_first_appearance(thumbnails, bits, correlation):
    groups = duplicate_groups(perceptual_hashes(thumbnails), thumbnails, bits, correlation)
    _, first = np.unique(groups, return_index=True)
    assert (np.diff(first) > 0).all()
    assert sorted(set(groups.tolist())) == list(range(len(first)))
