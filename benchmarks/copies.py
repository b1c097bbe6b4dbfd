"""Measures what the label of the same file is worth beside a network: `predict.network_votes`.

Usage: python benchmarks/copies.py WORKSPACE [VOTES ...]

Takes labelled photos whose file is there more than once, and their out-of-fold probabilities
(`fercomp crossval`): each is answered from the network and the labels of the others. Prints how often two
such labels agree, and accuracy and log-loss by the number of votes that the network has.
"""

import sys
from pathlib import Path

import numpy as np

from fercomp.core.classes import EMOTIONS
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, oof_table, pred_probs
from fercomp.labels.opinions import opinion_shares, per_picture
from fercomp.modeling.card import OOF


def main() -> None:
    """Prints a table in Markdown."""
    workspace = Workspace(Path(sys.argv[1]))
    photos = PHOTOS.read(workspace.photos).set_index("image_path", drop=False)
    oof = oof_table(EMOTIONS).read(workspace.bundle("crossval") / OOF).drop_duplicates("image_path")
    known = photos.loc[oof["image_path"]].reset_index(drop=True)
    twins = known["sha1"].duplicated(keep=False).to_numpy()
    known, probabilities = known[twins].reset_index(drop=True), pred_probs(oof[twins])
    labels = np.array([EMOTIONS.index(name) for name in known["emotion"]])
    given, files = np.eye(len(EMOTIONS))[labels], known["sha1"].to_numpy(dtype=str)
    others = per_picture(given, files) - given
    rows = np.arange(len(labels))
    agree = others[rows, labels].sum() / others.sum()
    print(f"{len(labels)} photos; two labels of one file agree in {agree:.3f} of the pairs")
    print("| votes of the network | accuracy | log-loss |")
    print("|---|---|---|")
    for votes in (float(word) for word in sys.argv[2:] or ("1e9", "6", "4", "3", "2", "1", "1e-9")):
        shares = opinion_shares(others, probabilities, rows, votes)
        right = (shares.argmax(axis=1) == labels).mean()
        loss = -np.log(np.clip(shares[rows, labels], 1e-7, 1)).mean()
        print(f"| {votes:g} | {right:.3f} | {loss:.3f} |", flush=True)


if __name__ == "__main__":
    main()
