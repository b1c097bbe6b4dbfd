"""What is known of a test photo that stands among the labelled photos too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fercomp.labels.opinions import opinion_shares, per_picture

if TYPE_CHECKING:
    import pandas as pd


def with_copies(
    pred_probs: np.ndarray,
    groups: np.ndarray,
    labelled: "pd.DataFrame",
    classes: Sequence[str],
    network_votes: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Weighs a network's probabilities against the labels of copies among the labelled photos.

    Two people who label one picture agree about as often as a network does with one of them
    (docs/labels.md): a label says as much as a network, both say more than one of them. The labels of
    recompressed copies do not count: those are there to contradict.

    Args:
        pred_probs: `(N, K)` float, the network's.
        groups: `(N,)` int, the photos' `duplicate_group`.
        labelled: Labelled photos, of table `PHOTOS`.
        classes: The K classes; other labels do not count.
        network_votes: How many people's votes the network counts as, above 0 (`opinions.opinion_shares`).

    Returns:
        `(N, K)` float32, rows sum to 1, and `(N,)` bool: which photos have such a copy.
    """
    known = labelled[labelled["emotion"].isin(list(classes)) & (labelled["recompressed"] == 0)]
    given = np.eye(len(classes))[[list(classes).index(name) for name in known["emotion"]]]
    n, pictures = len(groups), np.concatenate([groups, known["duplicate_group"].to_numpy()])
    votes = per_picture(
        np.concatenate([np.zeros((n, len(classes))), given.reshape(-1, len(classes))]), pictures
    )[:n]
    shares = opinion_shares(votes, pred_probs, np.arange(n), network_votes)
    return shares.astype(np.float32), votes.sum(axis=1) > 0
