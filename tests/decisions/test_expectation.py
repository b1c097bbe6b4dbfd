"""Ranges hold scores as often as they say; copies and choices are paid for."""

import math

import numpy as np
import pytest

from fercomp.decisions.expectation import (
    expected_range,
    price_of_choice,
    shifted_accuracy,
    worth_of,
)


@pytest.mark.parametrize(
    ("p", "n", "m"), [(0.6, 1500, 500), (0.6, 1500, 5000), (0.95, 200, 200), (0.5, 60, 40)]
)
def test_nine_of_ten_scores_lie_in_the_range(p, n, m):
    rng = np.random.default_rng(0)
    seen = rng.binomial(n, p, 4000) / n
    scores = rng.binomial(m, p, 4000) / m
    ranges = [expected_range(accuracy, n, m) for accuracy in seen]
    inside = [found.low <= score <= found.high for found, score in zip(ranges, scores, strict=True)]
    assert 0.88 < np.mean(inside) < 0.93


def test_seeds_widen_it_and_ends_stay_shares():
    narrow, wide = expected_range(0.6, 3000, 5000), expected_range(0.6, 3000, 5000, spread=0.02)
    assert wide.low < narrow.low < 0.6 < narrow.high < wide.high
    assert expected_range(1.0, 5, 5).high == 1.0 and expected_range(0.0, 5, 5).low == 0.0
    assert expected_range(1.0, 5, 5).low < 1.0
    for unknown in (expected_range(0.5, 0, 10), expected_range(0.5, 10, 0), expected_range(math.nan, 5, 5)):
        assert all(map(math.isnan, unknown))


def test_copies_that_are_right_or_wrong_together_are_worth_one_photo():
    rng = np.random.default_rng(0)
    once = rng.random(500) < 0.6
    assert worth_of(once, np.arange(500)) == pytest.approx(500, rel=0.01)
    assert worth_of(np.repeat(once, 4), np.repeat(np.arange(500), 4)) == pytest.approx(500, rel=0.01)
    independent = rng.random(2000) < 0.6
    assert worth_of(independent, np.repeat(np.arange(500), 4)) > 1600
    assert worth_of(np.ones(7, bool), np.zeros(7, int)) == 7
    assert worth_of(np.array([True, False]), np.zeros(2, int)) == 2


def test_the_price_of_a_choice_is_what_the_best_loses():
    """Models that are equally good: all of what the best is ahead is luck."""
    rng = np.random.default_rng(0)
    ahead, prices = [], []
    for seed in range(40):
        right = rng.random((8, 400)) < 0.6
        ahead.append(right.mean(axis=1).max() - 0.6)
        prices.append(price_of_choice(right, seed))
    assert np.mean(prices) == pytest.approx(np.mean(ahead), abs=0.008)
    assert np.mean(ahead) > 0.025


def test_nothing_is_paid_where_there_was_no_choice():
    rng = np.random.default_rng(0)
    right = rng.random(400) < 0.6
    assert price_of_choice(right[None]) == 0
    assert price_of_choice(np.stack([right, right, right])) < 0.01
    far_better = np.stack([rng.random(2000) < 0.8, rng.random(2000) < 0.4])
    assert price_of_choice(far_better) < 0.003


def test_other_shares_of_classes_move_the_accuracy():
    decided = np.array([0, 0, 0, 0, 1, 1])
    right = np.array([True, True, True, False, True, False])
    assert shifted_accuracy(right, decided, decided) == pytest.approx(right.mean())
    assert shifted_accuracy(right, decided, np.array([0])) == 0.75
    assert shifted_accuracy(right, decided, np.array([0, 1])) == pytest.approx((0.75 + 0.5) / 2)
    assert shifted_accuracy(right, decided, np.array([2])) == pytest.approx(right.mean())
