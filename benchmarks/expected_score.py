"""How often a score lies in the range that `evaluate` would have told: `decisions/expectation.py`.

    python benchmarks/expected_score.py TABLE PHOTOS

TABLE is a model's `holdout_probs.csv`, PHOTOS the index, `datasets/photos.csv`. Over and over, half of the
pictures play the holdout, and the others the public and the private part, 30 to 70. Several models are
imitated by noise in the logarithms of the probabilities: on each photo, as seeds differ; by class, as class
biases do. The best on the holdout is sent.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from fercomp.core.classes import EMOTIONS
from fercomp.core.tables import PHOTOS, holdout_table, pred_probs
from fercomp.decisions.expectation import expected_range, price_of_choice, shifted_accuracy, worth_of

SPLITS = 400
RIVALS = (1, 4, 16)
PUBLIC = 0.3


def main() -> None:
    """Prints a table in Markdown."""
    table = holdout_table(EMOTIONS).read(Path(sys.argv[1]))
    photos = PHOTOS.read(Path(sys.argv[2])).set_index("image_path")
    groups = photos["duplicate_group"].reindex(table["image_path"]).to_numpy()
    labels = table["emotion"].map(EMOTIONS.index).to_numpy()
    logs = np.log(np.clip(pred_probs(table), 1e-6, 1))
    rng = np.random.default_rng(0)
    print(f"{len(labels)} photos, {len(np.unique(groups))} pictures; {SPLITS} splits, ranges of 90 %")
    print("| models | price | off without it | off with it | public | private | private without the price |")
    print("|---" * 7 + "|")
    for m in RIVALS:
        answers = []
        for _ in range(m):
            noise = rng.normal(0, 0.4, logs.shape) + rng.normal(0, 0.1, logs.shape[1])
            answers.append((logs + noise).argmax(axis=1))
        rows = pd.DataFrame([split(np.stack(answers), labels, groups, rng) for _ in range(SPLITS)]).mean()
        print(f"| {m} |", " | ".join(f"{value:.4f}" for value in rows), "|", flush=True)


def split(
    answers: np.ndarray, labels: np.ndarray, groups: np.ndarray, rng: np.random.Generator
) -> list[float]:
    """Plays a competition once.

    Args:
        answers: `(M, N)` int, of M models.
        labels: `(N,)` int.
        groups: `(N,)` int, of pictures.
        rng: Random numbers.

    Returns:
        The price of the choice; the difference of the holdout's from the private score, as it is and less
        the price; whether the public and the private score lie in their ranges, and the private one in that
        without the price.
    """
    pictures = rng.permutation(np.unique(groups))
    is_holdout = np.isin(groups, pictures[: len(pictures) // 2])
    others = rng.permutation(np.flatnonzero(~is_holdout))
    public, private = np.split(others, [round(PUBLIC * len(others))])
    right = answers == labels
    chosen = right[:, is_holdout].mean(axis=1).argmax()
    price = price_of_choice(right[:, is_holdout], int(rng.integers(2**31)))
    mine = right[chosen]
    accuracy = float(mine[is_holdout].mean())
    worth = worth_of(mine[is_holdout], groups[is_holdout])
    shift = (
        shifted_accuracy(mine[is_holdout], answers[chosen, is_holdout], answers[chosen, others]) - accuracy
    )
    scores = [float(mine[rows].mean()) for rows in (public, private)]
    inside = []
    for score, rows in zip(scores, (public, private), strict=True):
        low, high = expected_range(accuracy - price + shift, worth, len(rows))
        inside.append(float(low <= score <= high))
    low, high = expected_range(accuracy + shift, worth, len(private))
    off = accuracy - scores[1]
    return [price, off, off - price, *inside, float(low <= scores[1] <= high)]


if __name__ == "__main__":
    main()
