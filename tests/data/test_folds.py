"""Parts are even, and groups stay whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.data.folds import divide


@st.composite
def labelled_groups(draw):
    size = draw(st.integers(1, 150))
    strata = np.array(draw(st.lists(st.integers(0, 8), min_size=size, max_size=size)))
    groups = np.array(draw(st.lists(st.integers(0, 2 * size), min_size=size, max_size=size)))
    return strata, groups


def counts(part: np.ndarray, strata: np.ndarray, parts: int) -> np.ndarray:
    table = np.zeros((parts, strata.max() + 1), dtype=int)
    np.add.at(table, (part, strata), 1)
    return table


@given(labelled_groups(), st.integers(2, 10), st.integers(0, 5))
def test_groups_are_never_split(data, folds, seed):
    strata, groups = data
    part = divide(strata, groups, (1 / folds,) * folds, seed)
    assert len(part) == len(strata)
    assert set(part.tolist()) <= set(range(folds))
    for group in np.unique(groups):
        assert len(set(part[groups == group].tolist())) == 1


@given(st.lists(st.integers(0, 8), min_size=1, max_size=200), st.integers(2, 10), st.integers(0, 5))
def test_single_photos_are_dealt_out_evenly(labels, folds, seed):
    strata = np.array(labels)
    table = counts(divide(strata, np.arange(len(strata)), (1 / folds,) * folds, seed), strata, folds)
    assert np.ptp(table, axis=0).max() <= 1


@given(st.lists(st.integers(0, 8), min_size=1, max_size=200), st.floats(0.01, 0.5), st.integers(0, 5))
def test_a_holdout_takes_its_share_of_each_class_to_the_nearest_photo(labels, share, seed):
    strata = np.array(labels)
    part = divide(strata, np.arange(len(strata)), (1 - share, share), seed)
    wanted = share * np.bincount(strata)
    assert np.abs(counts(part, strata, 2)[1] - wanted).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_groups_of_mixed_classes_are_dealt_out_nearly_evenly(seed):
    rng = np.random.default_rng(seed)
    strata, groups = rng.integers(0, 9, 3000), rng.integers(0, 2000, 3000)
    table = counts(divide(strata, groups, (0.2,) * 5, seed), strata, 5)
    assert np.ptp(table, axis=0).max() <= 3
    assert np.ptp(table.sum(axis=1)) <= 9


def test_copies_are_in_the_holdout_as_often_as_other_photos():
    groups = np.arange(1000).repeat(np.where(np.arange(1000) < 200, 4, 1))
    part = divide(np.zeros(len(groups), dtype=int), groups, (0.8, 0.2), 0)
    assert np.mean(part[groups < 200]) == pytest.approx(0.2, abs=0.01)


def test_copies_that_contradict_each_other_are_in_the_holdout_as_often_as_others():
    rng = np.random.default_rng(0)
    groups = np.arange(4000).repeat(np.where(np.arange(4000) < 2000, 2, 1))
    strata = rng.integers(0, 9, 4000)[groups]
    mixed = groups < 1000  # the pairs of a thousand groups; a thousand more agree
    strata[mixed] = np.where(np.arange(2000) % 2, (strata[mixed] + 1) % 9, strata[mixed])
    part = divide(strata, groups, (0.85, 0.15), 0)
    assert np.mean(part[mixed]) == pytest.approx(0.15, abs=0.015)
    assert np.mean(part[(groups >= 1000) & (groups < 2000)]) == pytest.approx(0.15, abs=0.015)


def test_one_seed_one_division():
    strata, groups = np.arange(300) % 9, np.arange(300) // 2
    first = divide(strata, groups, (0.2,) * 5, 1)
    np.testing.assert_array_equal(first, divide(strata, groups, (0.2,) * 5, 1))
    assert (first != divide(strata, groups, (0.2,) * 5, 2)).any()


def test_the_only_photo_of_a_class_is_trained_on():
    assert divide(np.array([0, 1, 2]), np.arange(3), (0.85, 0.15), 0).tolist() == [0, 0, 0]


def test_nothing_to_divide():
    assert divide(np.array([], dtype=int), np.array([], dtype=int), (0.5, 0.5), 0).tolist() == []
