"""Blends of two photos and what they are taught as: mixup and CutMix.

One photo of a blend has the larger share, and stands in its own place. Targets are `(n, T)` float32; with a
point that is not known, NaN, the blend has none either.
"""

from dataclasses import dataclass

import numpy as np

Batch = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Blend:
    """How the n photos of a batch are blended.

    Attributes:
        other: `(n,)` int, which photo each of them is blended with.
        share: What a photo keeps of itself.
        covered: Rows and columns that show the other photo alone; `None` where all pixels are added up.
    """

    other: np.ndarray
    share: float
    covered: tuple[slice, slice] | None

    def of(self, faces: np.ndarray, targets: np.ndarray, own: np.ndarray, other: np.ndarray) -> Batch:
        """Blends m photos.

        Args:
            faces: `(p, S, S, 3)` uint8, these and those that they are blended with; left as they are.
            targets: `(p, T)` float32.
            own: Which of the p they are, `(m,)` int.
            other: Which of the p they are blended with, `(m,)` int.

        Returns:
            Faces `(m, S, S, 3)` uint8 and targets `(m, T)` float32.
        """
        if self.covered is None:
            mixed = self.share * faces[own].astype(np.float32) + (1 - self.share) * faces[other]
            mixed = np.rint(mixed).astype(np.uint8)
        else:
            mixed = faces[own]  # a copy
            mixed[:, *self.covered] = faces[other][:, *self.covered]
        taught = self.share * targets[own] + (1 - self.share) * targets[other]
        return mixed, taught.astype(np.float32)


def draw_blend(n: int, size: int, mixup: float, cutmix: float, rng: np.random.Generator) -> Blend | None:
    """Draws how a batch is blended; where both ways are asked for, by either, in turns.

    Args:
        n: Photos in the batch.
        size: Their side in pixels, S.
        mixup: Both parameters of the Beta distribution of the share that photos are added up by (mixup; Zhang
            et al., 2018); 0 for none.
        cutmix: Likewise of the area that is not covered by the other photo (CutMix; Yun et al., 2019). What
            is covered is a square, cut off at the borders; targets are added up by the area that each photo
            has in the end.
        rng: Where the random numbers come from.

    Returns:
        The blend, or `None` where none is asked for.
    """
    if mixup and cutmix:
        mixup, cutmix = (mixup, 0.0) if rng.random() < 0.5 else (0.0, cutmix)
    if not mixup and not cutmix:
        return None
    share = float(rng.beta(mixup or cutmix, mixup or cutmix))
    if mixup:
        return Blend(rng.permutation(n), max(share, 1 - share), None)
    half = size * min(share, 1 - share) ** 0.5 / 2
    middle = rng.uniform(0, size, 2)
    (top, left), (bottom, right) = (
        np.clip(np.rint(middle + way * half), 0, size).astype(int) for way in (-1, 1)
    )
    covered = (bottom - top) * (right - left) / size**2
    return Blend(rng.permutation(n), 1 - covered, (slice(top, bottom), slice(left, right)))
