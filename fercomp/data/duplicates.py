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
"""Pairs of thumbnails that are multiplied at once, 32 MB as float32."""


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
    flat = (thumbnails == thumbnails[:, :1, :1]).all(axis=(1, 2))
    bits[flat] = False  # all but their first frequency is rounding
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
    pictures, group = _Pictures(thumbnails), np.arange(len(hashes))
    for pairs in near_pairs(hashes, max_bits):
        apart = pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]
        group = _joined(group, apart[pictures.correlation(apart) >= min_correlation - _ROUNDING])
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    by_appearance: np.ndarray = np.argsort(np.argsort(first))[number]
    return by_appearance.astype(np.int64)


class _Pictures:
    """Thumbnails `(N, 32, 32)` uint8, and the mean and standard deviation of each, for their correlations."""

    def __init__(self, thumbnails: np.ndarray) -> None:
        # From -128 to 127, a product of two has at most 2 ** 24, so float32 adds it up without any rounding.
        self._pixels = (thumbnails ^ np.uint8(128)).view(np.int8).reshape(len(thumbnails), -1)
        self._means = self._pixels.mean(axis=1)
        itself = np.repeat(np.arange(len(thumbnails))[:, None], 2, axis=1)
        self._deviations = np.sqrt(self._products(itself) - self._means**2)

    def correlation(self, pairs: np.ndarray) -> np.ndarray:
        """Correlates the two of each of m pairs: `(m,)` float64.

        A picture of one colour has no direction: it is a copy of others of one colour, and of no other.
        """
        left, right = pairs.T
        covariances = self._products(pairs) - self._means[left] * self._means[right]
        deviations = self._deviations[left] * self._deviations[right]
        alike = self._deviations[left] == self._deviations[right]
        found: np.ndarray = np.divide(covariances, deviations, out=alike.astype(float), where=deviations > 0)
        return found

    def _products(self, pairs: np.ndarray) -> np.ndarray:
        """Returns the mean product of the pixels of each of m pairs: `(m,)` float64."""
        found = [np.empty(0)]
        for start in range(0, len(pairs), _CORRELATED):
            left, right = (
                self._pixels[side].astype(np.float32) for side in pairs[start : start + _CORRELATED].T
            )
            found.append(np.einsum("ij,ij->i", left, right) / self._pixels.shape[1])
        return np.concatenate(found)


def _joined(group: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Returns groups, `(N,)` int, of which those that a pair connects are one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = (np.ones(len(pairs), bool), (group[pairs[:, 0]], group[pairs[:, 1]]))
    joined: np.ndarray = connected_components(coo_array(edges, (len(group),) * 2), directed=False)[1]
    named: np.ndarray = joined[group]
    return named
