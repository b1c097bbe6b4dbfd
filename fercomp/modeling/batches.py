"""Batches of photos for `keras.Model.fit`, on any Keras backend."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fercomp.modeling.backend import keras
from fercomp.modeling.photos import READERS, read_face, read_faces


class FaceBatches(keras.utils.PyDataset):
    """Photos and targets in batches, in an order that depends on the seed and the epoch alone.

    Photos are decoded once into memory where they fit, and anew in each epoch where they do not. An
    interrupted run that goes on at epoch `e` sees the very batches an unbroken run would have seen.

    Args:
        raw: The folder that `image_paths` are relative to.
        image_paths: N paths.
        targets: `(N, K)` float32, each row a distribution over the classes.
        size: Side of the model's input in pixels, S.
        batch_size: Photos per batch; the last one may be smaller.
        memory_gb: Largest size in GB of the decoded photos kept in memory.
        seed: Seed of the order; `None` keeps the order of `image_paths`.
    """

    def __init__(
        self,
        raw: Path,
        image_paths: Sequence[str],
        targets: np.ndarray,
        size: int,
        batch_size: int,
        memory_gb: float,
        seed: int | None,
    ) -> None:
        in_memory = len(image_paths) * size * size * 3 <= memory_gb * 1e9
        super().__init__(workers=1 if in_memory else READERS)
        self._raw = raw
        self._paths = list(image_paths)
        self._targets = targets
        self._size = size
        self._batch_size = batch_size
        self._seed = seed
        self._faces = read_faces(raw, self._paths, size) if in_memory else None
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Lays out the order of an epoch, counted from 0."""
        n = len(self._paths)
        self._order = (
            np.arange(n) if self._seed is None else np.random.default_rng((self._seed, epoch)).permutation(n)
        )

    def __len__(self) -> int:
        """Returns the number of batches."""
        return -(-len(self._paths) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns one batch: faces `(n, S, S, 3)` uint8 and targets `(n, K)` float32."""
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        if self._faces is not None:
            return self._faces[rows], self._targets[rows]
        faces = [read_face(self._raw / self._paths[row], self._size) for row in rows]
        return np.stack(faces), self._targets[rows]
