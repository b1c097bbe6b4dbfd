"""Who is one person, by embeddings alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.annotate.people.clusters import SAME_PERSON, nearest_pairs, person_labels
from fercomp.annotate.people.embedder import unit


def drawn(who, spread=0.3, seed=0, width=64):
    """An embedding for each number, near that of its person."""
    rng = np.random.default_rng(seed)
    people = unit(rng.normal(size=(max(who) + 1, width)))
    return unit(people[who] + spread / np.sqrt(width) * rng.normal(size=(len(who), width)))


@pytest.mark.parametrize("part", [2, 5, 100])
def test_people_are_told_apart_in_the_order_of_their_appearance(part):
    who = [3, 3, 0, 1, 3, 0, 2, 1, 1, 0, 3, 2]
    labels = person_labels(drawn(who), [set()] * len(who), part)
    assert labels.tolist() == [0, 0, 1, 2, 0, 1, 3, 2, 2, 1, 0, 3]


@given(
    who=st.lists(st.integers(0, 4), min_size=1, max_size=40),
    part=st.integers(1, 50),
    pairs=st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=30),
)
def test_two_of_one_picture_are_never_one_person(who, part, pairs):
    apart = [set() for _ in who]
    for i, j in pairs:
        if i != j and max(i, j) < len(who):
            apart[i].add(j)
            apart[j].add(i)
    labels = person_labels(drawn(who), apart, part)
    assert all(labels[i] != labels[j] for i in range(len(who)) for j in apart[i])
    assert list(dict.fromkeys(labels.tolist())) == list(range(labels.max() + 1))
    if not any(apart):
        assert len(set(zip(who, labels.tolist(), strict=True))) == len(set(who))


def test_the_same_clusters_as_by_scipy():
    from scipy.cluster.hierarchy import fcluster, linkage

    vectors = drawn(np.random.default_rng(1).integers(0, 30, 200).tolist(), spread=0.9)
    theirs = fcluster(linkage(vectors.astype(float), "average", "cosine"), SAME_PERSON, "distance")
    ours = person_labels(vectors, [set()] * 200)
    assert 30 < ours.max() < 150
    assert len(set(zip(ours.tolist(), theirs.tolist(), strict=True))) == ours.max() + 1 == theirs.max()


def test_nobody_is_nobody():
    assert person_labels(np.empty((0, 8), np.float32), []).tolist() == []


def test_the_nearest_pairs_come_first():
    a = unit(np.array([[1, 0, 0], [0, 1, 0]], np.float32))
    b = unit(np.array([[0.9, 0.1, 0], [0, 1, 0.01], [0, 0, 1]], np.float32))
    assert nearest_pairs(a, b, 0.4) == [(1, 1), (0, 0)]
