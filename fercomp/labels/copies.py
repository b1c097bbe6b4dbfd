"""What is known of a test photo that stands among the labelled photos too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fercomp.labels.opinions import opinion_shares, per_picture

if TYPE_CHECKING:
    import pandas as pd


def with_copies(
    pred_probs: np.ndarray,
    sha1s: Sequence[str],
    labelled: "pd.DataFrame",
    classes: Sequence[str],
    network_votes: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Weighs a network's probabilities against the labels of the same files among the labelled photos.

    Two people who label one picture agree in 62 % of the cases, a network with one of them in 54 to 60 %
    (docs/labels.md): a label says more than a network, both say more than one of them. Only files that are
    the same byte by byte count. Near-duplicates are less sure to show the same picture, and those of
    labelled photos are often there to contradict: theirs did not help.

    Args:
        pred_probs: `(N, K)` float, the network's.
        sha1s: SHA-1 of the N photos' files.
        labelled: Labelled photos, of table `PHOTOS`.
        classes: The K classes; other labels do not count.
        network_votes: How many people's votes the network counts as, above 0 (`opinions.opinion_shares`).

    Returns:
        `(N, K)` float32, rows sum to 1, and `(N,)` bool: which photos have such a copy.
    """
    known = labelled[labelled["emotion"].isin(list(classes))]
    given = np.eye(len(classes))[[list(classes).index(name) for name in known["emotion"]]]
    n, files = len(sha1s), np.array([*sha1s, *known["sha1"]], dtype=str)
    votes = per_picture(
        np.concatenate([np.zeros((n, len(classes))), given.reshape(-1, len(classes))]), files
    )[:n]
    shares = opinion_shares(votes, pred_probs, np.arange(n), network_votes)
    return shares.astype(np.float32), votes.sum(axis=1) > 0
