"""What people would say of each picture: the labels its copies were given, and a network's votes."""

import numpy as np


def vote_shares(
    votes: np.ndarray, pred_probs: np.ndarray, groups: np.ndarray, weight: float | np.ndarray
) -> np.ndarray:
    """Estimates the share of people who would give each label to a photo's picture.

    Given labels are the votes of a few people. The network's probabilities are what is expected before
    anybody votes: the mean of a Dirichlet distribution that counts as much as `weight` votes. The shares are
    its mean after the votes. They rank labels better than votes or network alone and as CROWDLAB does (Goh et
    al., 2022), which weighs annotators, whom we cannot tell apart (docs/experiments/labels.md).

    Args:
        votes: `(N, K)` float: how many votes each photo brings, such as 1 for its given label.
        pred_probs: `(N, K)` float, by networks that did not see the photos.
        groups: `(N,)` int; photos with the same number show the same picture. They share their votes, and
            the network's probabilities of a picture are the mean over its copies.
        weight: How many votes the network counts as, at least 0; or `(N,)`, of each photo.

    Returns:
        `(N, K)` float64, rows sum to 1.
    """
    copies = per_picture(np.ones((len(groups), 1)), groups)
    voice = np.broadcast_to(weight, len(groups))[:, None] * pred_probs
    total = per_picture(votes, groups) + per_picture(voice, groups) / copies
    shares: np.ndarray = total / total.sum(axis=1, keepdims=True)
    return shares


def per_picture(rows: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Gives each photo the sum over all copies of its picture.

    Args:
        rows: `(N, M)` float.
        groups: `(N,)`; rows with the same value belong to the same picture.

    Returns:
        `(N, M)` float64.
    """
    picture = np.unique(groups, return_inverse=True)[1]
    sums = np.zeros((picture.max(initial=-1) + 1, rows.shape[1]))
    np.add.at(sums, picture, rows)
    result: np.ndarray = sums[picture]
    return result
