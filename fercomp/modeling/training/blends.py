"""Blends of two photos and what they are taught as: mixup and CutMix.

One photo of a blend has the larger share, and stands in its own place. Targets are `(n, T)` float32; with a
point that is not known, NaN, the blend has none either.
"""

import numpy as np

Batch = tuple[np.ndarray, np.ndarray]


def blended(
    faces: np.ndarray, targets: np.ndarray, mixup: float, cutmix: float, rng: np.random.Generator
) -> Batch:
    """Blends each photo of a batch with another one; where both ways are asked for, by either, in turns.

    Args:
        faces: `(n, S, S, 3)` uint8; left as they are.
        targets: `(n, T)` float32.
        mixup: Both parameters of the Beta distribution of the share in `mix_up`; 0 for none.
        cutmix: Likewise in `cut_mix`.
        rng: Where the random numbers come from.

    Returns:
        Faces and targets of the same shapes and dtypes.
    """
    if mixup and cutmix:
        mixup, cutmix = (mixup, 0.0) if rng.random() < 0.5 else (0.0, cutmix)
    if mixup:
        return mix_up(faces, targets, mixup, rng)
    return cut_mix(faces, targets, cutmix, rng) if cutmix else (faces, targets)


def mix_up(faces: np.ndarray, targets: np.ndarray, alpha: float, rng: np.random.Generator) -> Batch:
    """Adds up each photo of a batch, and its target, with another one (mixup; Zhang et al., 2018).

    Args:
        faces: `(n, S, S, 3)` uint8.
        targets: `(n, T)` float32.
        alpha: Both parameters of the Beta distribution of the share, above 0.
        rng: Where the random numbers come from.

    Returns:
        Faces and targets of the same shapes and dtypes.
    """
    share = float(rng.beta(alpha, alpha))
    share = max(share, 1 - share)
    other = rng.permutation(len(faces))
    mixed = share * faces.astype(np.float32) + (1 - share) * faces[other]
    return np.rint(mixed).astype(np.uint8), _shared(targets, other, share)


def cut_mix(faces: np.ndarray, targets: np.ndarray, alpha: float, rng: np.random.Generator) -> Batch:
    """Covers a rectangle of each photo of a batch by that of another one (CutMix; Yun et al., 2019).

    The rectangle is a square, cut off at the borders; targets are added up by the area that each photo has
    in the end.

    Args:
        faces: `(n, S, S, 3)` uint8; left as they are.
        targets: `(n, T)` float32.
        alpha: Both parameters of the Beta distribution of the share, above 0.
        rng: Where the random numbers come from.

    Returns:
        Faces and targets of the same shapes and dtypes.
    """
    size = faces.shape[1]
    share = float(rng.beta(alpha, alpha))
    half = size * min(share, 1 - share) ** 0.5 / 2
    middle = rng.uniform(0, size, 2)
    (top, left), (bottom, right) = (
        np.clip(np.rint(middle + way * half), 0, size).astype(int) for way in (-1, 1)
    )
    other = rng.permutation(len(faces))
    mixed = faces.copy()
    mixed[:, top:bottom, left:right] = faces[other, top:bottom, left:right]
    covered = (bottom - top) * (right - left) / size**2
    return mixed, _shared(targets, other, 1 - covered)


def _shared(targets: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """Returns targets that keep a share, and have the rest from others."""
    shared: np.ndarray = (share * targets + (1 - share) * targets[other]).astype(np.float32)
    return shared
