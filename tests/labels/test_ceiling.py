"""The best accuracy that labels allow lies where copies and networks say."""

import numpy as np
import pytest

from fercomp.labels.ceiling import ceiling_of_copies, ceiling_of_opinions

K = 5


def opinions(rng, n: int, sure: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a share of people would say of n pictures `(n, K)`, and two persons' labels `(2 n,)`."""
    shares = np.full((n, K), (1 - sure) / (K - 1))
    shares[np.arange(n), rng.integers(0, K, n)] = sure
    said = [[rng.choice(K, p=row) for row in shares] for _ in range(2)]
    return shares, np.concatenate(said)


@pytest.mark.parametrize("sure", [0.5, 0.7, 0.9])
def test_the_best_answer_lies_between_the_bounds(sure):
    rng = np.random.default_rng(0)
    shares, labels = opinions(rng, 3000, sure)
    found = ceiling_of_copies(labels, np.tile(np.arange(3000), 2), K)
    assert found.photos == 6000
    best = shares.max(axis=1).mean()
    assert found.low < best < found.high + 0.02
    # Where all pictures are equally unclear, as here, the upper bound is the truth.
    assert found.high == pytest.approx(best, abs=0.02)


def test_labels_that_agree_allow_all_and_random_ones_no_more_than_chance():
    pictures = np.tile(np.arange(2000), 2)
    same = np.tile(np.random.default_rng(0).integers(0, K, 2000), 2)
    assert ceiling_of_copies(same, pictures, K)[:2] == (1, 1)
    found = ceiling_of_copies(np.random.default_rng(0).integers(0, K, 4000), pictures, K)
    assert found.low == pytest.approx(1 / K, abs=0.03)
    assert ceiling_of_copies(same, np.arange(4000), K) is None


def test_a_network_that_knows_the_right_answer_finds_the_wrong_labels():
    rng = np.random.default_rng(0)
    right = rng.integers(0, K, 3000)
    labels = np.where(rng.random(3000) < 0.25, rng.integers(0, K, 3000), right)
    said = 0.8 * np.eye(K)[right] + 0.04
    assert ceiling_of_opinions(labels, said) == pytest.approx((labels == right).mean(), abs=0.03)
