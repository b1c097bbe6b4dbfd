"""Measures what the labels of copies are worth beside a network: `predict.network_votes` and `copy_votes`.

Usage: python benchmarks/copies.py WORKSPACE [MODEL ...]

Takes labelled photos of which there are copies, and their out-of-fold probabilities (`fercomp crossval`), by
several models their mean: each is answered from the network and the labels of the others. Prints what labels
of recompressed copies are worth; then, without these, how often two labels of one picture agree, and
accuracy and log-loss by the votes that the network has, and copies that are not the very same file.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from fercomp.core.classes import EMOTIONS
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, oof_table, pred_probs
from fercomp.labels.votes import per_picture, vote_shares
from fercomp.modeling.bundle.card import OOF

NETWORK_VOTES = (1e9, 8, 6, 4, 3, 2.5, 2, 1.5, 1, 1e-9)
COPY_VOTES = (1.0, 0.5, 0.25, 0.0)


def main() -> None:
    """Prints tables in Markdown."""
    workspace = Workspace(Path(sys.argv[1]))
    photos = PHOTOS.read(workspace.photos).set_index("image_path", drop=False)
    oof = mean_oof(workspace, sys.argv[2:] or ["crossval"])
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
    measure(known[~later].reset_index(drop=True), probabilities[~later])


def mean_oof(workspace: Workspace, models: list[str]) -> pd.DataFrame:
    """Reads out-of-fold probabilities of labelled photos, by several models their mean."""
    tables = [
        oof_table(EMOTIONS).read(workspace.bundle(name) / OOF).drop_duplicates("image_path")
        for name in models
    ]
    first = tables[0].copy()
    if any(set(table["image_path"]) != set(first["image_path"]) for table in tables):
        sys.exit("these models were cross-validated on different photos")
    aligned = [pred_probs(table.set_index("image_path").loc[first["image_path"]]) for table in tables]
    first[list(EMOTIONS)] = np.mean(aligned, axis=0)
    return first


def measure(known: pd.DataFrame, probabilities: np.ndarray) -> None:
    """Prints how often copies agree, and what they are worth."""
    given = np.eye(len(EMOTIONS))[known["emotion"].map(EMOTIONS.index)]
    of_file, of_picture = (
        per_picture(given, known[key].to_numpy()) - given for key in ("sha1", "duplicate_group")
    )
    of_others = of_picture - of_file
    same, other = of_file.any(axis=1), of_others.any(axis=1)
    for title, votes, rows in (("the very same file", of_file, same), ("another file", of_others, other)):
        agree = ((votes * given).sum(axis=1)[rows] / votes.sum(axis=1)[rows]).mean()
        print(f"{title}: {rows.sum()} photos; a copy's label is the same in {agree:.3f} of the cases")
    copied = same | other
    print(f"\n{copied.sum()} photos, accuracy / log-loss")
    print("| votes of the network |", " | ".join(f"`copy_votes` {share:g}" for share in COPY_VOTES), "|")
    print("|---" * (1 + len(COPY_VOTES)) + "|")
    for weight in NETWORK_VOTES:
        cells = []
        for share in COPY_VOTES:
            votes = (of_file + share * of_others)[copied]
            shares = vote_shares(votes, probabilities[copied], np.arange(len(votes)), weight)
            said = (shares * given[copied]).sum(axis=1)
            right = (shares.argmax(axis=1) == given[copied].argmax(axis=1)).mean()
            cells.append(f"{right:.3f} / {-np.log(np.clip(said, 1e-7, 1)).mean():.3f}")
        print(f"| {weight:g} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
