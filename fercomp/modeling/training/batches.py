"""Batches of photos for `keras.Model.fit`, on any Keras backend."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from fercomp.core.parallel import threads
from fercomp.core.params import AugmentParams
from fercomp.data.inputs import READERS, read_face, read_faces
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.augment import augment
from fercomp.modeling.training.training_set import TrainingSet


class FaceBatches(keras.utils.PyDataset):
    """Photos and targets in batches; order, changes and blends depend on seed and epoch alone.

    Photos are decoded once into memory where they fit, and anew in each epoch where they do not. An
    interrupted run that goes on at epoch `e` sees the very batches an unbroken run would have seen.

    Args:
        photos: N photos and what they are taught as.
        raw: The folder that their paths are relative to.
        size: Side of the model's input in pixels, S.
        batch_size: Photos per batch; the last one may be smaller.
        memory_gb: Largest size in GB of the decoded photos kept in memory.
        seed: Seed of the order; `None` keeps the order and the photos as they are.
        augmentation: How photos are changed; not at all if `None`.
        mixup: Two photos and their targets are blended by a share from Beta(mixup, mixup) (Zhang et al.,
            2018), one share a batch; 0 for none.
        teacher: What is asked about the photos of a batch, changed as they are and before they are blended:
            from faces `(n, S, S, 3)` uint8 and their n paths to probabilities `(n, K)`; nobody if `None`.
        teacher_weight: Share of its answer in the first K columns of the targets.

    Attributes:
        photos: See above.
        targets: `(N, T)` float32, what a batch carries of them.
        batch_size: See above.
    """

    def __init__(
        self,
        photos: TrainingSet,
        raw: Path,
        size: int,
        batch_size: int,
        memory_gb: float,
        seed: int | None = None,
        augmentation: AugmentParams | None = None,
        mixup: float = 0.0,
        teacher: Callable[[np.ndarray, Sequence[str]], np.ndarray] | None = None,
        teacher_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.photos = photos
        self.targets = photos.columns
        self._raw = raw
        self._paths = photos.paths
        self._size = size
        self.batch_size = batch_size
        self._seed = seed
        self._augmentation = augmentation
        self._mixup = mixup
        self._teacher = teacher
        self._teacher_weight = teacher_weight
        in_memory = len(photos) * size * size * 3 <= memory_gb * 1e9
        self._faces = read_faces(raw, self._paths, size) if in_memory else None
        self._makers = threads(READERS)
        self._pool = ThreadPoolExecutor(self._makers)
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Lays out the order of an epoch, counted from 0."""
        self._epoch = epoch
        n = len(self._paths)
        self._order = (
            np.arange(n) if self._seed is None else np.random.default_rng((self._seed, epoch)).permutation(n)
        )
        self._coming: dict[int, Future[tuple[np.ndarray, np.ndarray]]] = {}

    def __len__(self) -> int:
        """Returns the number of batches."""
        return -(-len(self._paths) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns one batch: faces `(n, S, S, 3)` uint8 and targets `(n, T)` float32.

        The next few are made meanwhile: a GPU is not to wait for them. Keras' own workers would do that too,
        but on JAX the first epoch of a process would begin with its second batch.
        """
        for i in range(index, min(index + self._makers, len(self))):
            if i not in self._coming:
                self._coming[i] = self._pool.submit(self._batch, i)
        return self._coming.pop(index).result()

    def _batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        faces, targets = self.faces(rows), self.targets[rows]
        if self._seed is None:
            return faces, targets
        rng = np.random.default_rng((self._seed, self._epoch, index))
        if self._augmentation is not None:
            faces = augment(faces, self._augmentation, rng)
        if self._teacher is not None:
            answers = self._teacher(faces, [self._paths[row] for row in rows])
            k, weight = answers.shape[1], self._teacher_weight
            targets = targets.copy()
            targets[:, :k] = weight * answers + (1 - weight) * targets[:, :k]
        return blend(faces, targets, self._mixup, rng) if self._mixup else (faces, targets)

    def faces(self, rows: np.ndarray) -> np.ndarray:
        """Returns photos as they are: `(n, S, S, 3)` uint8 of `(n,)` int rows."""
        if self._faces is not None:
            chosen: np.ndarray = self._faces[rows]
            return chosen
        return np.stack([read_face(self._raw / self._paths[row], self._size) for row in rows])


def blend(
    faces: np.ndarray, targets: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Blends each photo of a batch, and its target, with another one (mixup; Zhang et al., 2018).

    Args:
        faces: `(n, S, S, 3)` uint8.
        targets: `(n, T)` float32.
        alpha: Both parameters of the Beta distribution of the share, above 0.
        rng: Where the random numbers come from.

    Returns:
        Faces and targets of the same shapes and dtypes. Each photo has the larger share in its own place.
    """
    share = float(rng.beta(alpha, alpha))
    share = max(share, 1 - share)
    other = rng.permutation(len(faces))
    mixed = share * faces.astype(np.float32) + (1 - share) * faces[other]
    return np.rint(mixed).astype(np.uint8), (share * targets + (1 - share) * targets[other]).astype(
        np.float32
    )
