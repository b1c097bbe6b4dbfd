"""Near-duplicates: photos that show the same picture, recompressed, brighter, darker or cut a little aside.

A copy in both training and holdout makes a network look better than it is, so copies are found before
photos are divided. Perceptual hashes name the candidates, the correlation of small grey thumbnails
decides: faces that fill the frame have similar hashes whoever they belong to.
"""

from typing import Final

import numpy as np
from PIL import Image

from fercomp.data.near_pairs import near_pairs

THUMBNAIL_SIDE: Final = 32
"""Pixels; the size of which `phash` takes the 8 x 8 lowest frequencies."""

_HASH_SIDE: Final = 8

_ROUNDING: Final = 1e-6
"""A picture and itself correlate by 1 only up to this."""

_CORRELATED: Final = 4096
"""Pairs of thumbnails that are correlated at once, 32 MB as float32."""


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
    group = np.arange(len(hashes))
    for pairs in near_pairs(hashes, max_bits):
        apart = pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]
        group = _joined(group, apart[_correlation(thumbnails, apart) >= min_correlation - _ROUNDING])
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    by_appearance: np.ndarray = np.argsort(np.argsort(first))[number]
    return by_appearance.astype(np.int64)


def _correlation(thumbnails: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Correlates the two thumbnails of each of m pairs: `(m,)` float32."""
    found = [np.empty(0, np.float32)]
    for start in range(0, len(pairs), _CORRELATED):
        left, right = pairs[start : start + _CORRELATED].T
        vectors = _standardised(thumbnails[left]), _standardised(thumbnails[right])
        found.append(np.einsum("ij,ij->i", *vectors))
    return np.concatenate(found)


def _joined(group: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Returns groups, `(N,)` int, of which those that a pair connects are one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = (np.ones(len(pairs), bool), (group[pairs[:, 0]], group[pairs[:, 1]]))
    joined: np.ndarray = connected_components(coo_array(edges, (len(group),) * 2), directed=False)[1]
    named: np.ndarray = joined[group]
    return named


def _standardised(thumbnails: np.ndarray) -> np.ndarray:
    """Makes each thumbnail a vector of mean 0 and length 1, whose products are correlations."""
    vectors = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    # A picture of one colour has no direction; this one makes it a copy of others of one colour only.
    vectors[length[:, 0] == 0] = 1.0
    return vectors / np.where(length == 0, THUMBNAIL_SIDE, length)
