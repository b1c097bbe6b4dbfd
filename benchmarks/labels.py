"""Measures how well label scores and suggestions foretell the label of a copy that they did not see.

Usage: python benchmarks/labels.py WORKSPACE [holdout]

Reads the index and `models/crossval/oof.csv` of a workspace; with `holdout`, of the holdout alone. What
people really think is not known there, but a copy of a picture brings the opinion of one person more.
Recompressed copies, whose labels bring none, are left out.

1. Of the photos with copies, ranked by each score of cleanlab from the network and the photo's own label: how
   often do the other copies contradict the given label, in all and in the worst 9.3 % (2,000 of 21,609)?
2. One copy of each picture is left out. How often is its label the suggested one, and how well does quality
   foretell (area under the curve) that it contradicts another copy, by `relabel.network_votes`?
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator
from cleanlab.rank import get_label_quality_scores
from sklearn.metrics import roc_auc_score

from fercomp.core.classes import EMOTIONS
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, oof_table, pred_probs
from fercomp.labels.votes import per_picture, vote_shares

WORST = 2000 / 21_609
SCORES = (
    ("self_confidence", False),
    ("normalized_margin", False),
    ("confidence_weighted_entropy", False),
    ("self_confidence", True),
    ("normalized_margin", True),
)


def rank(given: np.ndarray, network: np.ndarray, groups: np.ndarray) -> None:
    """Prints table 1."""
    own = np.eye(len(EMOTIONS))[given]
    others = per_picture(own, groups) - own
    copied = others.sum(axis=1) > 0
    contradicted = 1 - (others[np.arange(len(given)), given] / others.sum(axis=1).clip(1))[copied]
    worst = round(copied.sum() * WORST)
    print(f"{copied.sum()} photos with copies, contradicted by {contradicted.mean():.3f}; the worst {worst}:")
    for method, adjusted in SCORES:
        quality = get_label_quality_scores(given, network, method=method, adjust_pred_probs=adjusted)[copied]
        found = contradicted[np.argsort(quality, kind="stable")[:worst]].mean()
        print(f"  {method}{', adjusted' if adjusted else ''}: {found:.3f}")


def suggest(given: np.ndarray, network: np.ndarray, groups: np.ndarray, left: np.ndarray) -> None:
    """Prints table 2; `left` are the photos left out, one of each picture with copies."""
    votes = np.eye(len(EMOTIONS))[given]
    votes[left] = 0
    label_left = np.full(groups.max() + 1, -1)
    label_left[groups[left]] = given[left]
    kept = np.setdiff1d(np.flatnonzero(label_left[groups] >= 0), left)
    contradicts = label_left[groups[kept]] != given[kept]
    print(f"{len(left)} copies left out, contradicting {contradicts.mean():.3f} of {len(kept)} others:")
    for weight in (1e-6, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 1e6):
        shares = vote_shares(votes, network, groups, weight)
        right = (shares[left].argmax(axis=1) == given[left]).mean()
        quality = shares[kept, given[kept]]
        print(f"  network_votes {weight:g}: {right:.3f}, area {roc_auc_score(contradicts, -quality):.3f}")
    right, quality = crowdlab(given, network, groups, left, kept)
    print(f"  CROWDLAB: {right:.3f}, area {roc_auc_score(contradicts, -quality):.3f}")


def crowdlab(
    given: np.ndarray, network: np.ndarray, groups: np.ndarray, left: np.ndarray, kept: np.ndarray
) -> tuple[float, np.ndarray]:
    """Returns how often CROWDLAB's consensus is the label left out, and its quality of each label kept.

    The n-th copy of each picture counts as labelled by annotator n.
    """
    seen = np.setdiff1d(np.arange(len(given)), left)
    annotator = pd.Series(groups[seen]).groupby(groups[seen]).cumcount().to_numpy()
    table = np.full((groups.max() + 1, annotator.max() + 1), np.nan)
    table[groups[seen], annotator] = given[seen]
    copies = per_picture(np.ones((len(groups), 1)), groups)
    pictures = np.zeros((len(table), len(EMOTIONS)))
    pictures[groups] = per_picture(network, groups) / copies
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = get_label_quality_multiannotator(pd.DataFrame(table), pictures, verbose=False)
    consensus = found["label_quality"]["consensus_label"].to_numpy()
    place = pd.Series(annotator, index=seen)
    quality = found["detailed_label_quality"].to_numpy()[groups[kept], place[kept]]
    return float((consensus[groups[left]] == given[left]).mean()), quality


def main() -> None:
    """Prints both tables."""
    workspace = Workspace(Path(sys.argv[1]))
    photos = PHOTOS.read(workspace.photos)
    splits = sys.argv[2:] or ["train", "holdout"]
    photos = photos[photos["split"].isin(splits) & (photos["recompressed"] == 0)].reset_index(drop=True)
    oof = oof_table(EMOTIONS).read(workspace.oof).set_index("image_path").loc[photos["image_path"]]
    given = photos["emotion"].map(EMOTIONS.index).to_numpy()
    groups = np.unique(photos["duplicate_group"], return_inverse=True)[1]
    network = pred_probs(oof)
    print(f"{len(photos)} photos, accuracy {(network.argmax(axis=1) == given).mean():.3f}")
    rank(given, network, groups)
    several = photos[photos.duplicated("duplicate_group", keep=False)]
    left = several.groupby("duplicate_group").sample(1, random_state=0).index.to_numpy()
    suggest(given, network, groups, left)


if __name__ == "__main__":
    main()
