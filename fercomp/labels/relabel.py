"""Suggested labels, and how good the given ones are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.params import RelabelParams
from fercomp.core.tables import pred_probs
from fercomp.labels.journal import DROP, Key
from fercomp.labels.votes import per_picture, vote_shares

if TYPE_CHECKING:
    import pandas as pd

COPIES: Final = "copies"
"""More copies of the picture carry the suggested label than any other."""

TIE: Final = "tie"
"""Several labels are equally frequent among the copies; the network decided between them."""

NETWORK: Final = "network"
"""The network's votes outweigh the given labels."""

REVIEW: Final = "review"
"""Somebody looked at the photo and decided."""

_FEWEST_VOTES: Final = 1e-6
"""Votes of a network that should have none: it still decides between tied labels, and where nobody voted."""

REVIEWER_VOTES: Final = 1000
"""How many votes a reviewer's label counts as, for the photo and its copies: more than all others."""


def relabel(
    photos: "pd.DataFrame",
    oof: "pd.DataFrame",
    decisions: Mapping[Key, str],
    params: RelabelParams,
    trust: float | np.ndarray = 1.0,
) -> "pd.DataFrame":
    """Suggests a label for every labelled photo, and says how good its given label is.

    Quality is the share of people expected to give the label that was given: cleanlab's self-confidence,
    taken of `votes.vote_shares`. Of cleanlab's scores it found most labels that other copies of the
    picture contradict (docs/experiments/labels.md). The suggestion is the label expected most often; the
    labels of recompressed copies have no vote. What a reviewer decided comes before everything, and the
    photo's copies follow it, unless the photo is to be dropped.

    Args:
        photos: Table `PHOTOS`.
        oof: Table `oof_table(EMOTIONS)` of all labelled photos, in any order.
        decisions: A class or `drop` by photo, from `journal.read_decisions`.
        params: How votes and network are weighed.
        trust: The share of `network_votes` that the network has, 0 to 1; or `(N,)`, for each labelled photo.

    Returns:
        Table `LABELS`.

    Raises:
        FercompError: There is no labelled photo, or `oof` lacks one or has another given label for it.
    """
    from cleanlab.rank import get_label_quality_scores

    labelled = photos[photos["split"] != "test"].reset_index(drop=True)
    probabilities = _probabilities(labelled, oof)
    given = labelled["emotion"].map(EMOTIONS.index).to_numpy()
    keys = zip(labelled["image_path"], labelled["sha1"], strict=True)
    decided = np.array([decisions.get(key, "") for key in keys], dtype=object)
    groups = labelled["duplicate_group"].to_numpy()
    votes = _votes(given, labelled["recompressed"].to_numpy() == 0, decided)
    weight = np.maximum(params.network_votes * trust, _FEWEST_VOTES)
    shares = vote_shares(votes, probabilities, groups, weight)
    suggested = shares.argmax(axis=1)
    reasons = _reasons(given, suggested, per_picture(votes, groups))
    return labelled[["image_path", "emotion"]].assign(
        suggested=np.where(decided == DROP, "", np.array(EMOTIONS, dtype=object)[suggested]),
        quality=get_label_quality_scores(given, shares, method="self_confidence"),
        reason=np.where(decided != "", REVIEW, reasons),
        **dict(zip(EMOTIONS, shares.T, strict=True)),
    )


def _probabilities(labelled: "pd.DataFrame", oof: "pd.DataFrame") -> np.ndarray:
    """Returns the probabilities of the labelled photos in their order, `(N, K)`."""
    if labelled.empty:
        raise FercompError("no labelled photo in the index: run `fercomp prepare` on more photos")
    found = oof.drop_duplicates("image_path").set_index("image_path").reindex(labelled["image_path"])
    strange = found["emotion"].to_numpy() != labelled["emotion"].to_numpy()
    if strange.any():
        raise FercompError(
            f"the out-of-fold table lacks {strange.sum()} of {len(strange)} labelled photos or has another "
            f"given label for them, such as {labelled.loc[strange, 'image_path'].iloc[0]}: run "
            "`fercomp crossval` again"
        )
    return pred_probs(found)


def _votes(given: np.ndarray, counted: np.ndarray, decided: np.ndarray) -> np.ndarray:
    votes: np.ndarray = np.eye(len(EMOTIONS))[given] * counted[:, None]
    for k, emotion in enumerate(EMOTIONS):
        votes[decided == emotion, k] += REVIEWER_VOTES
    return votes


def _reasons(given: np.ndarray, suggested: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """Says what speaks for each suggestion: an array `(N,)` of texts, empty where it is the given label."""
    frequent = (votes == votes.max(axis=1, keepdims=True)) & (votes > 0)
    voted = frequent[np.arange(len(given)), suggested]
    reasons = np.where(voted, np.where(frequent.sum(axis=1) > 1, TIE, COPIES), NETWORK)
    return np.where(suggested == given, "", reasons)
