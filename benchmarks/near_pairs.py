"""Measures how like hashes are found among very many: time, memory, and the share of copies that is found.

Usage: python benchmarks/near_pairs.py N PHOTOS_CSV [PHOTOS_CSV ...]

Makes N hashes out of those in tables that `prepare` wrote: each is one of theirs with some bits exchanged, so
many that the new ones are as clumped as the old ones (share of pairs that differ in at most 16 bits). A tenth
is made by copying others, with differences as frequent as copies have that `prepare` found. Prints by
difference how many of these are found, then time and memory.
"""

import resource
import sys
import time

import numpy as np
import pandas as pd

from fercomp.data.near_pairs import near_pairs

MAX_BITS = 12
CLUMPED = 16
COPIES = 0.1
SAMPLE = 4000


def main() -> None:
    """Prints what is found, and at what cost."""
    n, rng = int(sys.argv[1]), np.random.default_rng(0)
    tables = [pd.read_csv(path, usecols=["phash", "duplicate_group"]) for path in sys.argv[2:]]
    sources = [np.array([int(text, 16) for text in table["phash"]], np.uint64) for table in tables]
    groups = [table["duplicate_group"].to_numpy() for table in tables]
    apart = np.concatenate([differences(*each) for each in zip(sources, groups, strict=True)])
    wanted = float(np.mean([clumped(source, rng) for source in sources]))
    made = {k: strangers(sources, 50_000, k, rng) for k in range(1, 13)}
    shares = {k: clumped(hashes, rng) for k, hashes in made.items()}
    k = min(shares, key=lambda k: abs(np.log(shares[k] / wanted)))
    print(
        f"share of pairs within {CLUMPED} bits: theirs {wanted:.2e}, made with {k} exchanges {shares[k]:.2e}"
    )
    copies = int(n * COPIES)
    hashes = strangers(sources, n - copies, k, rng)
    originals = rng.choice(len(hashes), copies, replace=False)
    bits = rng.choice(apart, copies)
    copied = np.concatenate(
        [exchanged(hashes[originals[bits == b]], b // 2, rng) for b in range(0, MAX_BITS + 1, 2)]
    )
    order = np.concatenate([originals[bits == b] for b in range(0, MAX_BITS + 1, 2)])
    bits = np.sort(bits)
    hashes = np.concatenate([hashes, copied])
    planted = order * n + np.arange(n - copies, n)

    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    found, total = np.zeros(copies, bool), 0
    for pairs in near_pairs(hashes, MAX_BITS):
        total += len(pairs)
        codes = np.sort(pairs[:, 0] * n + pairs[:, 1])
        found |= codes[np.minimum(np.searchsorted(codes, planted), len(codes) - 1)] == planted
    seconds, memory = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for b in range(0, MAX_BITS + 1, 2):
        print(f"{b:2d} bits: {found[bits == b].mean():.4f} of {(bits == b).sum():,} copies")
    print(f"all: {found.mean():.4f}; {total:,} pairs to look at")
    print(f"{n:,} hashes: {seconds:.0f} s, {memory / 1e6:.2f} GB at most, {before / 1e6:.2f} GB before")


def differences(hashes: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Returns in how many bits the photos of a group differ from its first one, where that is an even few."""
    first = pd.Series(hashes).groupby(groups).transform("first").to_numpy()
    later = pd.Series(groups).duplicated().to_numpy()
    bits = np.bitwise_count(hashes ^ first)[later]
    return bits[(bits <= MAX_BITS) & (bits % 2 == 0)]


def clumped(hashes: np.ndarray, rng: np.random.Generator) -> float:
    """Returns the share of pairs of different hashes, of a sample, that differ in few bits."""
    some = rng.choice(np.unique(hashes), min(SAMPLE, len(hashes)), replace=False)
    bits = np.bitwise_count(some[:, None] ^ some[None])
    return float((bits[np.triu_indices(len(some), 1)] <= CLUMPED).mean())


def strangers(sources: list[np.ndarray], n: int, exchanges: int, rng: np.random.Generator) -> np.ndarray:
    """Makes n hashes, as many out of each table."""
    parts = np.array_split(np.arange(n), len(sources))
    drawn = [rng.choice(source, len(part)) for source, part in zip(sources, parts, strict=True)]
    return exchanged(np.concatenate(drawn), exchanges, rng)


def exchanged(hashes: np.ndarray, exchanges: int, rng: np.random.Generator) -> np.ndarray:
    """Turns so many ones of each hash into zeros, and as many zeros into ones: half stay ones, as in any."""
    parts = np.array_split(hashes, max(1, len(hashes) // 50_000))
    return np.concatenate([_exchanged(part, exchanges, rng) for part in parts]) if exchanges else hashes


def _exchanged(hashes: np.ndarray, exchanges: int, rng: np.random.Generator) -> np.ndarray:
    bits = np.unpackbits(hashes.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    draw = rng.random(bits.shape)
    changed = bits.copy()
    for value in (0, 1):
        chosen = np.argpartition(np.where(bits == value, draw, 2), exchanges, axis=1)[:, :exchanges]
        np.put_along_axis(changed, chosen, 1 - value, axis=1)
    return np.packbits(changed, axis=1).view(">u8").ravel().astype(np.uint64)


if __name__ == "__main__":
    main()
