"""Who is one person: embeddings that are near each other, never two of one picture.

Two clusters are joined while their mean distance is small enough, the nearest first (average linkage, Sokal
and Michener, 1958). SciPy and scikit-learn have that without a word for *never*, and take a third of a second
to be imported. Of many faces, a part at a time is joined like that, and its clusters to those before it.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Final

import numpy as np

SAME_PERSON: Final = 0.40
"""Largest cosine distance of two embeddings of one person (docs/experiments/people.md)."""

_PART: Final = 500
_BLOCK: Final = 256
_NOBODY: Final = -1


def person_labels(vectors: np.ndarray, apart: Sequence[Set[int]], part: int = _PART) -> np.ndarray:
    """Says whose the faces are.

    Args:
        vectors: `(N, D)` float32 of length 1, in the order of their appearance.
        apart: For each, the indices of those that are other people for certain.
        part: How many are compared each with each.

    Returns:
        `(N,)` int64: persons from 0, in the order of their first appearance.
    """
    labels = np.full(len(vectors), _NOBODY, dtype=np.int64)
    sums = np.empty((0, vectors.shape[1]), dtype=np.float32)
    counts = np.empty(0, dtype=np.int64)
    for start in range(0, len(vectors), part):
        here = range(start, min(start + part, len(vectors)))
        groups = _grouped(vectors, here, apart)
        means = np.array([vectors[group].mean(axis=0) for group in groups])
        taken = _joined(groups, means, sums / counts[:, None], apart, labels)
        new = taken.count(_NOBODY)
        sums = np.vstack([sums, np.zeros((new, vectors.shape[1]), np.float32)])
        counts = np.append(counts, np.zeros(new, np.int64))
        for group, mean, person in zip(groups, means, taken, strict=True):
            if person == _NOBODY:
                person, new = len(counts) - new, new - 1
            labels[group] = person
            sums[person] += len(group) * mean
            counts[person] += len(group)
    return _by_appearance(labels)


def nearest_pairs(a: np.ndarray, b: np.ndarray, largest: float) -> list[tuple[int, int]]:
    """Returns the pairs of vectors `(n, D)` and `(m, D)` with a small cosine distance, the smallest first."""
    found = []
    for start in range(0, len(a), _BLOCK):
        distances = 1 - a[start : start + _BLOCK] @ b.T
        rows, columns = np.nonzero(distances <= largest)
        found += [
            (round(float(distances[i, j]), 4), start + int(i), int(j))
            for i, j in zip(rows, columns, strict=True)
        ]
    return [(i, j) for _, i, j in sorted(found)]


def _grouped(vectors: np.ndarray, here: range, apart: Sequence[Set[int]]) -> list[list[int]]:
    """Returns the clusters of a part, in the order of their first appearance."""
    some = vectors[here.start : here.stop]
    distances = 1 - some @ some.T
    np.fill_diagonal(distances, np.inf)
    for i in here:
        others = [j - here.start for j in apart[i] if j in here]
        distances[i - here.start, others] = distances[others, i - here.start] = np.inf
    groups = [[i] for i in here]
    while True:
        a, b = sorted(divmod(int(distances.argmin()), len(groups)))
        if not distances[a, b] <= SAME_PERSON:
            return [group for group in groups if group]
        joined = len(groups[a]) * distances[a] + len(groups[b]) * distances[b]
        distances[a] = distances[:, a] = joined / (len(groups[a]) + len(groups[b]))
        distances[b] = distances[:, b] = distances[a, a] = np.inf
        groups[a], groups[b] = groups[a] + groups[b], []


def _joined(
    groups: Sequence[Sequence[int]],
    means: np.ndarray,
    people: np.ndarray,
    apart: Sequence[Set[int]],
    labels: np.ndarray,
) -> list[int]:
    """Returns the person of earlier parts that each cluster belongs to, `_NOBODY` where there is none."""
    taken = [_NOBODY] * len(groups)
    # Which clusters of this part are other people than which, and than which persons.
    group_of = {i: g for g, group in enumerate(groups) for i in group}
    others = [{group_of[j] for i in group for j in apart[i] if j in group_of} for group in groups]
    forbidden = [{int(labels[j]) for i in group for j in apart[i]} - {_NOBODY} for group in groups]
    for g, person in nearest_pairs(means, people, SAME_PERSON):
        if taken[g] == _NOBODY and person not in forbidden[g]:
            taken[g] = person
            for other in others[g]:
                forbidden[other].add(person)
    return taken


def _by_appearance(labels: np.ndarray) -> np.ndarray:
    order: Mapping[int, int] = {label: i for i, label in enumerate(dict.fromkeys(labels.tolist()))}
    return np.array([order[label] for label in labels.tolist()], dtype=np.int64)
