import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercomp.labels.votes import per_picture, vote_shares


def test_copies_share_their_votes():
    votes = np.eye(3)[[0, 1, 1, 2]]
    shares = vote_shares(votes, np.full((4, 3), 1 / 3), np.array([7, 7, 7, 2]), weight=0)
    np.testing.assert_allclose(shares, [[1 / 3, 2 / 3, 0]] * 3 + [[0, 0, 1]])


def test_the_network_counts_as_so_many_votes():
    network = np.array([[0.1, 0.9, 0.0]])
    shares = vote_shares(np.eye(3)[[0]], network, np.array([0]), weight=4)
    np.testing.assert_allclose(shares, [[(1 + 0.4) / 5, 3.6 / 5, 0]])


def test_the_network_says_the_mean_over_copies():
    network = np.array([[1.0, 0.0], [0.0, 1.0]])
    shares = vote_shares(np.eye(2)[[0, 0]], network, np.array([5, 5]), weight=2)
    np.testing.assert_allclose(shares, [[3 / 4, 1 / 4]] * 2)


def test_no_photos():
    assert vote_shares(np.empty((0, 3)), np.empty((0, 3)), np.empty(0, int), 4).shape == (0, 3)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30),
    st.floats(0, 20),
    st.integers(0, 2**31),
)
def test_shares_are_distributions_and_the_same_for_copies(photos, weight, seed):
    labels, groups = (np.array(column) for column in zip(*photos, strict=True))
    network = np.random.default_rng(seed).dirichlet(np.ones(5), len(labels))
    shares = vote_shares(np.eye(5)[labels], network, groups, weight)
    assert shares.min() >= 0
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    for group in set(groups.tolist()):
        assert np.ptp(shares[groups == group], axis=0) == pytest.approx(0)
    np.testing.assert_allclose(
        per_picture(np.ones((len(groups), 1)), groups)[:, 0], [np.sum(groups == g) for g in groups]
    )
