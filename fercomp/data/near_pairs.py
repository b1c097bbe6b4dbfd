"""Pairs of like hashes, of many without comparing each with every other.

Up to 100,000 hashes, all pairs are compared: some seconds. Of more, each hash is compared with its neighbours
in many sorted lists, in each of which the bits stand in another random order (Charikar, 2002): hashes that
differ in a few bits begin alike in some of them. Time and memory grow with the number of hashes, not with its
square, however alike they are; what is missed is measured (docs/experiments/copies.md).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import numpy as np

from fercomp.core.parallel import in_order, threads

EXACT: Final = 100_000
"""Hashes up to which all pairs are compared."""

ORDERS: Final = 256
"""Sorted lists."""

WINDOW: Final = 64
"""Neighbours in each list that a hash is compared with."""

FOUND: Final = ((1, 0), (24, 2), (64, 4), (128, 6))
"""From so many lists on, pairs that differ in so few bits are no longer taken: they were found, all but one
of many thousands, and would be again in most lists."""

_TOGETHER: Final = 2**20
"""Pairs that are given at once, if there are so many."""

_SORTED: Final = 2**24
"""Pairs among which those that were found twice are looked for at once, 128 MiB."""

_REMEMBERED: Final = 2**25
"""Pairs of which it is remembered that they were given, 256 MiB; more may be given twice."""

_BITS: Final = 64


def near_pairs(hashes: np.ndarray, max_bits: int, exact: int = EXACT) -> Iterator[np.ndarray]:
    """Finds hashes that differ in few bits.

    Args:
        hashes: `(N,)` uint64.
        max_bits: How many bits may differ, 0 to 64.
        exact: Hashes up to which all pairs are compared.

    Yields:
        Pairs `(m, 2)` int64: positions in `hashes`, the smaller one first.
    """
    parts = _all(hashes, max_bits) if len(hashes) <= exact else _neighbours(hashes, max_bits)
    for codes in parts:
        yield np.column_stack(np.divmod(codes, len(hashes)))


def _all(hashes: np.ndarray, max_bits: int) -> Iterator[np.ndarray]:
    """Compares every hash with all later ones: 400 kB at a time for 50,000 stay in the processor's cache."""
    found: list[np.ndarray] = []
    waiting = 0
    for i, value in enumerate(hashes):
        near = i + 1 + np.flatnonzero(np.bitwise_count(hashes[i + 1 :] ^ value) <= max_bits)
        if len(near):
            found.append(i * len(hashes) + near)
            waiting += len(near)
        if waiting > _TOGETHER:
            yield np.concatenate(found)
            found, waiting = [], 0
    if found:
        yield np.concatenate(found)


def _neighbours(hashes: np.ndarray, max_bits: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    orders = [np.arange(_BITS), *(rng.permutation(_BITS) for _ in range(ORDERS - 1))]
    given = np.empty(0, np.int64)
    found: list[np.ndarray] = []
    with ThreadPoolExecutor(threads()) as pool:
        look = partial(_in_order, hashes, max_bits)
        for i, codes in enumerate(in_order(pool, look, enumerate(orders), threads())):
            found.append(codes)
            if sum(map(len, found)) < _SORTED and i < len(orders) - 1:
                continue
            new = _without(_distinct(np.concatenate(found)), given)
            found = []
            kept = given if len(given) + len(new) <= _REMEMBERED else given[:0]
            given = np.sort(np.concatenate([kept, new]), kind="stable")  # which merges what is sorted
            yield from (new[start : start + _TOGETHER] for start in range(0, len(new), _TOGETHER))


def _distinct(codes: np.ndarray) -> np.ndarray:
    """Sorts codes in place and returns each once; NumPy's `unique` takes fifty times as long for millions."""
    codes.sort()
    first = np.ones(len(codes), bool)
    np.not_equal(codes[1:], codes[:-1], out=first[1:])
    return codes[first]


def _without(codes: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Returns codes that are not among the given ones; both are sorted."""
    if not len(given):
        return codes
    place = np.minimum(np.searchsorted(given, codes), len(given) - 1)
    new: np.ndarray = codes[given[place] != codes]
    return new


def _in_order(hashes: np.ndarray, max_bits: int, numbered: tuple[int, np.ndarray]) -> np.ndarray:
    """Compares neighbours where hashes are sorted by their bits in one order."""
    number, order = numbered
    least = 1 + max((bits for lists, bits in FOUND if number >= lists), default=-1)
    rows = np.argsort(_reordered(hashes, order), kind="stable")
    values = hashes[rows]
    found = [np.empty(0, np.int64)]
    for step in range(1, min(WINDOW, len(hashes) - 1) + 1):
        bits = np.bitwise_count(values[step:] ^ values[:-step])
        left = np.flatnonzero((bits <= max_bits) & (bits >= least))
        one, other = rows[left], rows[left + step]
        found.append(np.minimum(one, other) * len(hashes) + np.maximum(one, other))
    return np.concatenate(found)


def _reordered(hashes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Returns hashes whose bit i is bit `order[i]` of the given ones, by tables of what each byte becomes."""
    result = np.zeros(len(hashes), np.uint64)
    values = np.arange(256, dtype=np.uint64)
    for byte in range(_BITS // 8):
        table = np.zeros(256, np.uint64)
        for bit in range(8):
            place = int(np.flatnonzero(order == byte * 8 + bit)[0])
            table |= ((values >> np.uint64(bit)) & np.uint64(1)) << np.uint64(place)
        result |= table[(hashes >> np.uint64(8 * byte)).astype(np.uint8)]
    return result
