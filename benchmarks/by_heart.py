"""Simulates models that repeat some of the labels they have learned: how is their word to count in `relabel`?

Usage: python benchmarks/by_heart.py

Of each of 20,000 pictures, people have opinions, of which one is the given label. A network knows the
opinions with errors. Of what it has learned it repeats labels: wholly for a share of photos, or in part for
each photo.
Prints how often the suggestion is what most people say, least and most over what and how much it repeats.
"""

import numpy as np

from fercomp.labels.votes import vote_shares
from fercomp.stages.opinion import by_heart

N, K, VOTES = 20_000, 9, 4.0
KNOWS = (0.6, 0.45, 0.35, 0.25)
"""Networks: the share of the opinions in what they say; the rest is noise."""


def main() -> None:
    """Prints the table of docs/experiments/labels.md."""
    for knows in KNOWS:
        rng = np.random.default_rng(0)
        opinions = rng.dirichlet(np.full(K, 0.12), N) * 0.95 + 0.05 / K
        label = np.array([rng.choice(K, p=shares) for shares in opinions])
        given, most = np.eye(K)[label], opinions.argmax(axis=1)
        honest = knows * opinions + (1 - knows) * rng.dirichlet(np.full(K, 0.5), N)
        accuracy = float((honest.argmax(axis=1) == label).mean())
        ways: dict[str, list[float]] = {"as it is": [], "counts less": [], "taken off the label": []}
        for share in (0.2, 0.5, 0.8):
            repeats = (rng.random(N) < share)[:, None]
            wholly = np.where(repeats, 0.9 * given + 0.1 * honest, honest)
            for network in (wholly, share * given + (1 - share) * honest):
                found = by_heart(float((network.argmax(axis=1) == label).mean()), accuracy)
                less = np.maximum(network - found * given, 0)
                counted = ((network, VOTES), (network, VOTES * (1 - found)), (less, VOTES))
                for scores, (said, weight) in zip(ways.values(), counted, strict=True):
                    scores.append(right(given, said, weight, most))
        told = ", ".join(f"{way} {min(scores):.3f} to {max(scores):.3f}" for way, scores in ways.items())
        print(f"network {accuracy:.3f}: not learned {right(given, honest, VOTES, most):.3f}, {told}")
    print(f"given labels {(label == most).mean():.3f}")


def right(given: np.ndarray, network: np.ndarray, weight: float, most: np.ndarray) -> float:
    """Returns how often the suggested label is what most people say."""
    return float((vote_shares(given, network, np.arange(N), weight).argmax(axis=1) == most).mean())


if __name__ == "__main__":
    main()
