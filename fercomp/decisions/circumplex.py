"""Emotions as points of the plane of valence and arousal (Russell, 1980, *A circumplex model of affect*).

Valence says how pleasant, arousal how active, -1 to 1 each. An emotion is a ray from the origin, its strength
the distance along it, neutral the origin itself. `uncertain` has no place of its own.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from fercomp.core.classes import UNCERTAIN

VECTORS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "anger": (-0.46, 0.89),
        "contempt": (-0.65, 0.76),
        "disgust": (-0.81, 0.58),
        "fear": (-0.14, 0.99),
        "happy": (0.98, 0.19),
        "neutral": (0.0, 0.0),
        "sad": (-0.90, -0.44),
        "surprise": (0.43, 0.90),
    }
)
"""Valence and arousal of each emotion at its strongest, in hundredths: all but neutral on the unit circle."""

NEUTRAL: Final = "neutral"
NEUTRAL_RADIUS: Final = 0.1
"""A point this near to the origin is neutral."""

SPREAD: Final = 0.1
"""Radius of the disc that a synthetic target is drawn from."""

FAR: Final = 0.1
"""A point farther than this from every ray is uncertain."""

EDGE: Final = 1e-6
"""What float32 may add to a distance."""

RAYS: Final = tuple(name for name in VECTORS if name != NEUTRAL)
"""The emotions that are rays."""


def directions(names: Sequence[str]) -> np.ndarray:
    """Returns the unit vectors of emotions: `(len(names), 2)` float64; of neutral the origin.

    Raises:
        KeyError: One of them has no place in the plane.
    """
    vectors = np.array([VECTORS[name] for name in names]).reshape(-1, 2)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: np.ndarray = vectors / np.where(length == 0, 1.0, length)
    return units


def ray_distances(points: np.ndarray) -> np.ndarray:
    """Returns how far points are from each ray.

    A ray is half a line: behind its beginning, the nearest point of it is the origin.

    Args:
        points: `(n, 2)` valence and arousal.

    Returns:
        `(n, 7)` float64, columns in the order of `RAYS`.
    """
    points = np.asarray(points, dtype=np.float64)
    units = directions(RAYS)
    along = points @ units.T
    across = np.abs(np.outer(points[:, 0], units[:, 1]) - np.outer(points[:, 1], units[:, 0]))
    distances: np.ndarray = np.where(along > 0, across, np.linalg.norm(points, axis=1, keepdims=True))
    return distances


def decode(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Names points.

    Neutral within `NEUTRAL_RADIUS` of the origin; uncertain outside the unit circle or farther than `FAR`
    from every ray; else the emotion of the nearest ray.

    Args:
        points: `(n, 2)` valence and arousal.

    Returns:
        `(n,)` names as str objects, and how strongly they are meant, `(n,)` float64 in 0 to 1: the projection
        on the ray; for neutral 1 less the distance from the origin; for uncertain the distance from the
        nearest ray or, where larger, from the circle.
    """
    points = np.asarray(points, dtype=np.float64)
    distances, norms = ray_distances(points), np.linalg.norm(points, axis=1)
    nearest, nearest_distance = distances.argmin(axis=1), distances.min(axis=1)
    names: np.ndarray = np.array(RAYS, dtype=object)[nearest]
    strength = (points * directions(RAYS)[nearest]).sum(axis=1)
    unsure = (nearest_distance > FAR + EDGE) | (norms > 1 + EDGE)
    names[unsure] = UNCERTAIN
    strength[unsure] = np.maximum(nearest_distance, norms - 1)[unsure]
    neutral = norms <= NEUTRAL_RADIUS
    names[neutral], strength[neutral] = NEUTRAL, 1 - norms[neutral]
    return names, np.clip(strength, 0.0, 1.0)


def decoded_probs(points: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Puts what `decode` says into probabilities, for all that asks for them.

    Args:
        points: `(n, 2)` valence and arousal.
        classes: K class names, which hold all that `decode` can answer.

    Returns:
        `(n, K)` float32, rows sum to 1. The class that is named has 1/K for strength 0 up to 1 for strength
        1, and the others share the rest equally.
    """
    names, strength = decode(points)
    k = len(classes)
    named = np.array([list(classes).index(name) for name in names], dtype=np.int64)
    top = 1 / k + (1 - 1 / k) * np.maximum(strength, EDGE)  # never a tie
    pred_probs = np.repeat((1 - top)[:, None] / (k - 1), k, axis=1)
    pred_probs[np.arange(len(names)), named] = top
    return pred_probs.astype(np.float32)


def ray_targets(emotions: Sequence[str], probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws a point for each labelled photo, as far out on its emotion's ray as the label is probable.

    A point is drawn evenly from the disc of radius `SPREAD` around the place on the ray, inside the unit
    circle, nearer to its own ray than to any other, and outside what is neutral; a place inside that is moved
    to its edge. Neutral is drawn evenly from the disc of `NEUTRAL_RADIUS` around the origin. So `decode`
    gives back the label.

    Args:
        emotions: N labels.
        probabilities: `(N,)` of each label, 0 to 1.
        rng: Where the random numbers come from.

    Returns:
        `(N, 2)` float32; NaN where the label has no place in the plane.
    """
    labels = np.array(emotions, dtype=object)
    rays = np.array([RAYS.index(name) if name in RAYS else -1 for name in labels], dtype=np.int64)
    points = np.full((len(labels), 2), np.nan)
    neutral = labels == NEUTRAL
    points[neutral] = _in_disc(int(neutral.sum()), NEUTRAL_RADIUS - EDGE, rng)
    distance = np.clip(np.asarray(probabilities, dtype=np.float64), NEUTRAL_RADIUS, 1.0)
    centres = directions(RAYS)[rays] * distance[:, None]
    left = np.flatnonzero(rays >= 0)
    while len(left):
        drawn = centres[left] + _in_disc(len(left), SPREAD, rng)
        norms, distances = np.linalg.norm(drawn, axis=1), ray_distances(drawn)
        own = distances.argmin(axis=1) == rays[left]
        good = own & (norms < 1 - EDGE) & (norms > NEUTRAL_RADIUS + EDGE)
        points[left[good]] = drawn[good]
        left = left[~good]
    return points.astype(np.float32)


def mean_targets(pred_probs: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Returns the mean of the emotions' vectors, weighted by their probabilities.

    Nothing is drawn at random, and an expression between two emotions lies between their rays.

    Args:
        pred_probs: `(N, K)` float; what has no place in the plane is left out of the mean.
        classes: K class names.

    Returns:
        `(N, 2)` float32, inside the unit circle.
    """
    placed = [i for i, name in enumerate(classes) if name in VECTORS]
    weights = np.asarray(pred_probs, dtype=np.float64)[:, placed]
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    points: np.ndarray = weights @ directions([classes[i] for i in placed])
    return points.astype(np.float32)


def _in_disc(n: int, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Draws n points evenly from a disc around the origin."""
    distance, angle = radius * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    return np.column_stack([distance * np.cos(angle), distance * np.sin(angle)])
