"""What is known of a test photo that stands among the labelled photos too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fercomp.labels.votes import per_picture, vote_shares

if TYPE_CHECKING:
    import pandas as pd


def with_copies(
    pred_probs: np.ndarray,
    photos: "pd.DataFrame",
    labelled: "pd.DataFrame",
    classes: Sequence[str],
    network_votes: float,
    copy_votes: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Weighs a network's probabilities against the labels of copies among the labelled photos.

    Two people who label one picture agree about as often as a network does with one of them
    (docs/experiments/copies.md): a label says as much as a network, both say more than one of them. That of
    another file of the picture says less. The labels of recompressed copies do not count where they are
    ignored.

    Args:
        pred_probs: `(N, K)` float, the network's.
        photos: N photos, of table `PHOTOS`.
        labelled: Labelled photos, of that table.
        classes: The K classes; other labels do not count.
        network_votes: How many people's votes the network counts as, above 0 (`votes.vote_shares`).
        copy_votes: How many votes the label of a copy counts as that is not the very same file, 0 to 1.

    Returns:
        `(N, K)` float32, rows sum to 1, and `(N,)` bool: to which photos there were votes.
    """
    known = labelled[labelled["emotion"].isin(list(classes)) & (labelled["recompressed"] == 0)]
    k = len(classes)
    given = np.eye(k)[[list(classes).index(name) for name in known["emotion"]]].reshape(-1, k)
    of_file, of_picture = (_votes(photos[key], known[key], given) for key in ("sha1", "duplicate_group"))
    votes = of_file + copy_votes * (of_picture - of_file)
    shares = vote_shares(votes, pred_probs, np.arange(len(photos)), network_votes)
    return shares.astype(np.float32), votes.sum(axis=1) > 0


def _votes(keys: "pd.Series", known: "pd.Series", given: np.ndarray) -> np.ndarray:
    """Counts the labels given to the known photos of each key: `(N, K)` for N keys."""
    votes = np.concatenate([np.zeros((len(keys), given.shape[1])), given])
    return per_picture(votes, np.concatenate([keys.to_numpy(), known.to_numpy()]))[: len(keys)]
