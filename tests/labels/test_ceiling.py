"""The best accuracy that labels allow lies where copies and networks say."""

import numpy as np
import pytest

from fercomp.labels.ceiling import ceiling_of_copies

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
    assert ceiling_of_copies(same, pictures, K)[:3] == (1, 1, 1)
    found = ceiling_of_copies(np.random.default_rng(0).integers(0, K, 4000), pictures, K)
    assert found.low == pytest.approx(1 / K, abs=0.03)
    assert ceiling_of_copies(same, np.arange(4000), K) is None


def test_a_network_beside_the_copies_raises_the_lower_bound_and_not_above_the_truth():
    rng = np.random.default_rng(0)
    shares, labels = opinions(rng, 3000, 0.7)
    pictures = np.tile(np.arange(3000), 2)
    alone = ceiling_of_copies(labels, pictures, K)
    knowing = ceiling_of_copies(labels, pictures, K, np.tile(shares, (2, 1)))
    assert knowing.low > alone.low + 0.05
    assert knowing.low == pytest.approx(shares.max(axis=1).mean(), abs=0.02)
    assert (knowing.agree, knowing.high) == (alone.agree, max(alone.high, knowing.low))
    useless = ceiling_of_copies(labels, pictures, K, np.full((6000, K), 1 / K))
    assert useless.low == pytest.approx(alone.low, abs=0.01)
