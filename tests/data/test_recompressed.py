"""Which photos were saved once more, and when their labels are worth less than those of other copies."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.data.recompressed import LEAST, Contradictions, contradictions, recompressed

NAN = float("nan")
photos = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.booleans()), min_size=1, max_size=30
)


def test_later_copies_have_more_loss_than_another_copy():
    losses, groups = np.array([5.0, 3.0, 3.0, 9.0, 2.0, 2.5]), np.array([7, 7, 7, 8, 9, 9])
    assert recompressed(losses, groups).tolist() == [True, False, False, False, False, True]
    assert recompressed(np.array([]), np.array([], dtype=int)).shape == (0,)


def test_what_does_not_tell_its_loss_is_no_later_copy_and_makes_none():
    losses, groups = np.array([NAN, 9.0, NAN, 3.0, 4.0, NAN]), np.array([0, 0, 1, 1, 1, 2])
    assert recompressed(losses, groups).tolist() == [False, False, False, False, True, False]


def counted_by_hand(rows):
    counts = {True: [0, 0], False: [0, 0]}
    for i, (group, label, later) in enumerate(rows):
        first = next((j for j, row in enumerate(rows) if row[0] == group and not row[2]), None)
        if first not in (None, i):
            counts[later][0] += label != rows[first][1]
            counts[later][1] += 1
    return Contradictions(*counts[True], *counts[False])


def found(rows):
    groups, labels, later = zip(*rows, strict=True)
    return contradictions(np.array(labels, dtype=object), np.array(groups), np.array(later))


@given(photos)
def test_each_copy_is_held_against_the_first_photo_that_is_not_recompressed(rows):
    assert found(rows) == counted_by_hand(rows)


@given(photos, st.permutations(range(6)))
def test_the_numbers_of_groups_mean_nothing(rows, numbers):
    assert found([(numbers[group], *rest) for group, *rest in rows]) == found(rows)


def test_a_picture_without_a_first_photo_says_nothing():
    assert found([(1, "a", True), (1, "b", True), (2, "a", False)]) == Contradictions(0, 0, 0, 0)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_the_p_value_is_the_tail_of_the_hypergeometric_distribution(a, b, c, d):
    """Fisher (1922): of all ways to deal out a + c contradictions, those with a or more to recompressed."""
    ways = [comb(a + b, k) * comb(c + d, a + c - k) for k in range(a, min(a + b, a + c) + 1)]
    expected = sum(ways) / comb(a + b + c + d, a + c)
    assert Contradictions(a, a + b, c, c + d).p_value == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_labels_that_differ_no_more_than_by_chance_are_hardly_ever_ignored():
    rng = np.random.default_rng(0)
    drawn = [Contradictions(rng.binomial(90, 0.4), 90, rng.binomial(200, 0.4), 200) for _ in range(1000)]
    assert sum(counts.ignored for counts in drawn) <= 20  # 10 are expected at the most


@pytest.mark.parametrize(
    ("counts", "ignored"),
    [
        (Contradictions(591, 598, 860, 1819), True),  # the photos that the shipped model learned from
        (Contradictions(0, 90, 0, 90), False),
        (Contradictions(0, 90, 60, 90), False),  # more to be trusted than others
        (Contradictions(0, 0, 0, 0), False),
        (Contradictions(LEAST, LEAST, 0, LEAST), True),
        (Contradictions(LEAST - 1, LEAST - 1, 0, 500), False),
        (Contradictions(500, 500, 0, LEAST - 1), False),
    ],
)
def test_when_labels_are_ignored(counts, ignored):
    assert counts.ignored == ignored
