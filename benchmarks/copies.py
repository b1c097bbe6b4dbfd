"""Measures what the labels of copies are worth beside a network: `predict.network_votes`.

Usage: python benchmarks/copies.py WORKSPACE [VOTES ...]

Takes labelled photos of which there are copies, and their out-of-fold probabilities (`fercomp crossval`):
each is answered from the network and the labels of the others. Prints what labels of recompressed copies are
worth; then, without these, for files that are the same byte by byte and for all copies, how often two labels
of one picture agree, and accuracy and log-loss by the number of votes that the network has.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from fercomp.core.classes import EMOTIONS
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, oof_table, pred_probs
from fercomp.labels.opinions import opinion_shares, per_picture
from fercomp.modeling.card import OOF


def main() -> None:
    """Prints tables in Markdown."""
    workspace = Workspace(Path(sys.argv[1]))
    photos = PHOTOS.read(workspace.photos).set_index("image_path", drop=False)
    oof = oof_table(EMOTIONS).read(workspace.bundle("crossval") / OOF).drop_duplicates("image_path")
    known = photos.loc[oof["image_path"]].reset_index(drop=True)
    probabilities = pred_probs(oof)
    labels = known["emotion"].map(EMOTIONS.index).to_numpy()
    right = probabilities.argmax(axis=1) == labels
    later = (known["recompressed"] == 1).to_numpy()
    others = np.isin(known["duplicate_group"], known["duplicate_group"][later]) & ~later
    print(
        f"{later.sum()} recompressed copies, the network names the given label of {right[later].mean():.3f};"
    )
    print(f"{others.sum()} other copies of their pictures: {right[others].mean():.3f}")
    for title, column in (("the very same file", "sha1"), ("all copies", "duplicate_group")):
        print(f"\n{title}: ", end="")
        measure(known[~later].reset_index(drop=True), probabilities[~later], column)


def measure(known: pd.DataFrame, probabilities: np.ndarray, column: str) -> None:
    """Prints one table: copies are photos with the same value in a column."""
    copied = known[column].duplicated(keep=False).to_numpy()
    known, probabilities = known[copied], probabilities[copied]
    labels = known["emotion"].map(EMOTIONS.index).to_numpy()
    given, rows = np.eye(len(EMOTIONS))[labels], np.arange(len(labels))
    others = per_picture(given, np.unique(known[column], return_inverse=True)[1]) - given
    agree = (others[rows, labels] / others.sum(axis=1)).mean()
    print(f"{len(labels)} photos; the label of another copy is the same in {agree:.3f} of the cases")
    print("| votes of the network | accuracy | log-loss |")
    print("|---|---|---|")
    for votes in (float(word) for word in sys.argv[2:] or ("1e9", "6", "4", "3", "2", "1", "1e-9")):
        shares = opinion_shares(others, probabilities, rows, votes)
        right = (shares.argmax(axis=1) == labels).mean()
        loss = -np.log(np.clip(shares[rows, labels], 1e-7, 1)).mean()
        print(f"| {votes:g} | {right:.3f} | {loss:.3f} |", flush=True)


if __name__ == "__main__":
    main()
