"""Near-duplicates: photos that show the same picture, recompressed, brighter, darker or cut a little aside.

A copy in both training and holdout makes a network look better than it is, so copies are found before
photos are divided. Perceptual hashes name the candidates, the correlation of small grey thumbnails
decides: faces that fill the frame have similar hashes whoever they belong to.
"""

from typing import Final

import numpy as np
from PIL import Image

THUMBNAIL_SIDE: Final = 32
"""Pixels; the size of which `phash` takes the 8 x 8 lowest frequencies."""

_HASH_SIDE: Final = 8


def thumbnail(image: np.ndarray) -> np.ndarray:
    """Shrinks an `(h, w, 3)` uint8 RGB picture to `(32, 32)` uint8 grey, its sides not kept in proportion."""
    grey = Image.fromarray(image).convert("L")
    return np.asarray(grey.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS))


def perceptual_hashes(thumbnails: np.ndarray) -> np.ndarray:
    """Computes the perceptual hash of each thumbnail: which low frequencies lie above their median.

    The bits are those of `imagehash.phash` (after Krawetz, "Looks Like It", 2011), which calls scipy for
    every single photo and takes six times as long as decoding a small one.

    Args:
        thumbnails: `(N, 32, 32)` uint8.

    Returns:
        `(N,)` uint64. The first bit is the most significant, as in `str(imagehash.phash(...))`.
    """
    step = np.arange(THUMBNAIL_SIDE)
    cosines = np.cos(np.pi * (2 * step + 1) * np.arange(_HASH_SIDE)[:, None] / (2 * THUMBNAIL_SIDE))  # DCT-II
    low = (cosines @ thumbnails @ cosines.T).reshape(len(thumbnails), _HASH_SIDE**2)
    bits = low > np.median(low, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8").ravel().astype(np.uint64)


def duplicate_groups(
    hashes: np.ndarray, thumbnails: np.ndarray, max_bits: int, min_correlation: float
) -> np.ndarray:
    """Groups photos that show the same picture.

    Two photos are copies when their hashes differ in at most `max_bits` and their thumbnails correlate at
    least `min_correlation`, which brightness and contrast do not change. Copies of copies share a group.

    Args:
        hashes: `(N,)` uint64 from `perceptual_hashes`.
        thumbnails: `(N, 32, 32)` uint8.
        max_bits: 0 to 64.
        min_correlation: -1 to 1.

    Returns:
        `(N,)` int64: the number of each photo's group, counted from 0 by first appearance. A photo without
        copies is a group of its own.
    """
    group = np.arange(len(hashes))  # named by the first member until the end
    # One photo against all later ones: 400 kB at a time for 50,000 photos stay in the processor's cache.
    for photo, value in enumerate(hashes):
        near = photo + 1 + np.flatnonzero(np.bitwise_count(hashes[photo + 1 :] ^ value) <= max_bits)
        near = near[group[near] != group[photo]]
        if len(near) == 0:
            continue
        vectors = _standardised(thumbnails[np.append(photo, near)])
        # A picture and itself correlate by 1 only up to rounding.
        copies = near[vectors[1:] @ vectors[0] >= min_correlation - 1e-6]
        if len(copies):
            merged = np.append(group[copies], group[photo])
            group[np.isin(group, merged)] = merged.min()
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def _standardised(thumbnails: np.ndarray) -> np.ndarray:
    """Makes each thumbnail a vector of mean 0 and length 1, whose products are correlations."""
    vectors = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    # A picture of one colour has no direction; this one makes it a copy of others of one colour only.
    vectors[length[:, 0] == 0] = 1.0
    return vectors / np.where(length == 0, THUMBNAIL_SIDE, length)
