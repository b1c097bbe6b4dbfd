"""Like hashes are found, of few and of many."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercomp.data import near_pairs as module
from fercomp.data.near_pairs import near_pairs


def clumps(seed, n, apart):
    """Hashes of a few dozen clumps, in which they differ in up to `apart` bits."""
    rng = np.random.default_rng(seed)
    middles = rng.integers(0, 2**63, 1 + n // 50, dtype=np.uint64)
    flips = np.zeros(n, np.uint64)
    for _ in range(apart):
        flips |= np.uint64(1) << rng.integers(0, 64, n).astype(np.uint64)
    return rng.choice(middles, n) ^ flips


def pairs_of(hashes, max_bits, exact):
    found = [tuple(pair) for pairs in near_pairs(hashes, max_bits, exact) for pair in pairs.tolist()]
    assert len(set(found)) == len(found)
    return set(found)


def all_pairs(hashes, max_bits):
    bits = np.bitwise_count(hashes[:, None] ^ hashes[None])
    return {(i, j) for i, j in np.argwhere(bits <= max_bits).tolist() if i < j}


@settings(max_examples=25)
@given(st.integers(0, 100), st.integers(0, 60), st.integers(0, 64), st.booleans())
def test_all_pairs_of_few_are_found_and_no_others(seed, n, max_bits, by_lists):
    hashes = clumps(seed, n, 6)
    found, there = pairs_of(hashes, max_bits, 0 if by_lists else n), all_pairs(hashes, max_bits)
    assert found == there


@settings(max_examples=2)
@given(st.integers(0, 100))
@pytest.mark.slow
def test_nearly_all_pairs_of_many_are_found_by_lists(seed):
    hashes = clumps(seed, 3000, 5)
    found, there = pairs_of(hashes, 12, 0), all_pairs(hashes, 12)
    assert found <= there
    assert len(found) >= 0.995 * len(there) > 10_000


def test_equal_hashes_are_pairs_once(monkeypatch):
    assert pairs_of(np.full(5, 7, np.uint64), 0, 0) == {(i, j) for i in range(5) for j in range(i + 1, 5)}
    # Where there is no room to remember all, pairs may come again, and none is lost.
    monkeypatch.setattr(module, "_SORTED", 10)
    monkeypatch.setattr(module, "_REMEMBERED", 10)
    hashes = clumps(0, 100, 3)
    found = {tuple(pair) for pairs in near_pairs(hashes, 8, 0) for pair in pairs.tolist()}
    assert found == all_pairs(hashes, 8)


def test_bits_stand_in_another_order():
    rng = np.random.default_rng(0)
    hashes, order = rng.integers(0, 2**63, 9, dtype=np.uint64), rng.permutation(64)
    expected = sum(
        ((hashes >> np.uint64(bit)) & np.uint64(1)) << np.uint64(place) for place, bit in enumerate(order)
    )
    np.testing.assert_array_equal(module._reordered(hashes, order), expected)
