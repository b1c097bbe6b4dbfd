"""Measures how the test's classes differ from the holdout's, and what the holdout's score is worth there.

Usage: python benchmarks/shares.py WORKSPACE MODEL [CLASS=SHARE ...]

Takes a model's `holdout_probs.csv`, and its `test_probs.csv` of `fercomp predict --model MODEL --set
predict.network_votes=null`. What a model says on the mean of photos of each class is known from the holdout;
which shares of the classes would make it say on the mean what it says of the test photos? (Black-box shift
estimation with probabilities; Lipton et al., 2018.) CLASS=SHARE is a share that is known, such as that of the
class that the sample submission names everywhere, from its score. Pictures of which there are recompressed
copies are left out of the holdout: the test has none.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, holdout_table, pred_probs, prediction_table
from fercomp.modeling.bundle.card import HOLDOUT, read_card


def main() -> None:
    """Prints the shares, the holdout's accuracy weighed by them, and what deciding by them gains."""
    workspace, name = Workspace(Path(sys.argv[1])), sys.argv[2]
    classes = read_card(workspace.bundle(name)).classes
    known = {classes.index(word.partition("=")[0]): float(word.partition("=")[2]) for word in sys.argv[3:]}
    photos = PHOTOS.read(workspace.photos).set_index("image_path")
    doubtful = photos.loc[photos["recompressed"] == 1, "duplicate_group"]
    table = holdout_table(classes).read(workspace.bundle(name) / HOLDOUT)
    table = table[~table["image_path"].map(photos["duplicate_group"]).isin(doubtful)]
    holdout = pred_probs(table, classes)
    labels = table["emotion"].map(classes.index).to_numpy()
    test = pred_probs(prediction_table(classes).read(workspace.test_probabilities(name)), classes)

    given = np.bincount(labels, minlength=len(classes)) / len(labels)
    estimated = shares(holdout, labels, test, known)
    print("| class |", " | ".join(classes), "|")
    print("|---" * (1 + len(classes)) + "|")
    for title, row in (("holdout", given), ("test", estimated)):
        print(f"| {title} |", " | ".join(f"{share:.3f}" for share in row), "|")
    print(f"χ² of the holdout's shares {distance(given, holdout, labels, test):.1f},", end=" ")
    print(f"of the estimated ones {distance(estimated, holdout, labels, test):.1f}")

    weights = (estimated / given)[labels]
    weights /= weights.sum()
    right = holdout.argmax(axis=1) == labels
    print(f"accuracy on {len(labels)} holdout photos {right.mean():.4f}, weighed {weights @ right:.4f}")
    gain = ((holdout * estimated / given).argmax(axis=1) == labels).astype(float) - right
    error = np.sqrt((weights**2 * (gain - weights @ gain) ** 2).sum())
    print(f"deciding by these shares: {weights @ gain:+.4f} ± {error:.4f}")


def shares(holdout: np.ndarray, labels: np.ndarray, test: np.ndarray, known: dict[int, float]) -> np.ndarray:
    """Estimates the shares of K classes: those of the least distance, with some of them given."""
    k = holdout.shape[1]
    rules = [{"type": "eq", "fun": lambda q: q.sum() - 1}]
    bounds = [(known.get(i, 0.002), known.get(i, 1.0)) for i in range(k)]
    starts = (np.full(k, 1 / k), np.bincount(labels, minlength=k) / len(labels))
    found = [
        minimize(
            distance,
            start,
            (holdout, labels, test),
            "SLSQP",
            bounds=bounds,
            constraints=rules,
            options={"maxiter": 500},
        )
        for start in starts
    ]
    best: np.ndarray = min(found, key=lambda result: result.fun).x
    return best


def distance(q: np.ndarray, holdout: np.ndarray, labels: np.ndarray, test: np.ndarray) -> float:
    """Returns χ² between what is said of the test photos and what would be with shares q, K - 1 degrees."""
    k = holdout.shape[1]
    parts = [holdout[labels == i] for i in range(k)]
    off = (test.mean(axis=0) - q @ np.array([part.mean(axis=0) for part in parts]))[:-1]
    spread = np.cov(test.T) / len(test) + sum(
        share**2 * np.cov(part.T) / len(part) for share, part in zip(q, parts, strict=True)
    )
    return float(off @ np.linalg.solve(spread[:-1, :-1], off))


if __name__ == "__main__":
    main()
