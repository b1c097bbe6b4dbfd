"""Batches of photos for `keras.Model.fit`, on any Keras backend."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from fercomp.core.parallel import threads
from fercomp.core.params import AugmentParams
from fercomp.data.cache import PhotoCache, open_photos
from fercomp.data.inputs import READERS
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.share import ALONE, Sharing
from fercomp.modeling.training.augment import Changes
from fercomp.modeling.training.blends import draw_blend
from fercomp.modeling.training.training_set import TrainingSet
from fercomp.modeling.training.view_teacher import ViewTeacher


class Batches(keras.utils.PyDataset):
    """Something of each photo, and its target, in batches whose order depends on seed and epoch alone.

    Args:
        targets: `(N, T)` float32.
        batch_size: Photos per batch; the last one may be smaller.
        seed: Seed of the order; `None` keeps it.
        share: Which photos of a batch are given here.

    Attributes:
        targets: See above.
        batch_size: Likewise.
        share: Likewise.
    """

    def __init__(self, targets: np.ndarray, batch_size: int, seed: int | None, share: Sharing) -> None:
        super().__init__()
        self.targets, self.batch_size, self.share = targets, batch_size, share
        self._seed = seed
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Lays out the order of an epoch, counted from 0."""
        n, self._epoch = len(self.targets), epoch
        self._order = np.arange(n)
        if self._seed is not None:
            self._order = np.random.default_rng((self._seed, epoch)).permutation(n)

    def __len__(self) -> int:
        """Returns the number of batches."""
        return -(-len(self.targets) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns this process' share of one batch, m photos: what is given of them, and targets `(m, T)`."""
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        sizes = len(rows), self.batch_size
        given, targets = self._made(rows, self.share.own(*sizes), index)
        return self.share.filled(given, *sizes), self.share.filled(targets, *sizes)

    def _made(self, rows: np.ndarray, own: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Makes those photos of a batch whose places in it are `own`."""
        raise NotImplementedError


class FaceBatches(Batches):
    """Photos in batches; changes and blends, too, depend on seed and epoch alone.

    An interrupted run that goes on at epoch `e` sees the very batches an unbroken run would have seen.

    Args:
        photos: N photos and what they are taught as.
        raw: The folder that their paths are relative to.
        size: Side of the model's input in pixels, S.
        batch_size: Photos per batch; the last one may be smaller.
        cache: Where decoded photos are kept; without one, they are decoded anew in each epoch.
        seed: Seed of the order; `None` keeps the order and the photos as they are.
        augmentation: How photos are changed; not at all if `None`.
        mixup: How photos and their targets are blended, in one way a batch; see `blends.draw_blend`.
        cutmix: Likewise.
        teacher: Who is asked about the photos of a batch, changed as they are, before they are blended.
        share: Which photos of a batch are made here; others are decoded only where these are blended with
            them.

    Attributes:
        photos: See above.
    """

    def __init__(
        self,
        photos: TrainingSet,
        raw: Path,
        size: int,
        batch_size: int,
        cache: PhotoCache | None = None,
        seed: int | None = None,
        augmentation: AugmentParams | None = None,
        mixup: float = 0.0,
        cutmix: float = 0.0,
        teacher: ViewTeacher | None = None,
        share: Sharing = ALONE,
    ) -> None:
        super().__init__(photos.columns, batch_size, seed, share)
        self.photos = photos
        self._photos = open_photos(raw, photos.paths, size, cache)
        self._size = size
        self._augmentation = augmentation
        self._mixup, self._cutmix = mixup, cutmix
        self._teacher = teacher
        self._makers = threads(READERS)
        self._pool = ThreadPoolExecutor(self._makers)

    def start_epoch(self, epoch: int) -> None:
        """Lays out the order of an epoch, counted from 0."""
        super().start_epoch(epoch)
        self._coming: dict[int, Future[tuple[np.ndarray, np.ndarray]]] = {}

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns this process' share of one batch: faces `(m, S, S, 3)` uint8 and targets `(m, T)` float32.

        The next few are made meanwhile: a GPU is not to wait for them. Keras' own workers would do that too,
        but on JAX the first epoch of a process would begin with its second batch.
        """
        for i in range(index, min(index + self._makers, len(self))):
            if i not in self._coming:
                self._coming[i] = self._pool.submit(super().__getitem__, i)
        return self._coming.pop(index).result()

    def _made(self, rows: np.ndarray, own: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Makes those photos of a batch whose places in it are `own`."""
        if self._seed is None:
            return self.faces(rows[own]), self.targets[rows[own]]
        # Every process takes the random numbers of all photos, whoever makes these.
        rng = np.random.default_rng((self._seed, self._epoch, index))
        n, changes = len(rows), None
        if self._augmentation is not None:
            changes = Changes(n, self._size, self._augmentation, rng)
        blend = draw_blend(n, self._size, self._mixup, self._cutmix, rng)
        there = own if blend is None else np.union1d(own, blend.other[own])
        faces, targets = self.faces(rows[there]), self.targets[rows[there]]
        if changes is not None:
            faces = changes.of(faces, there)
        if self._teacher is not None:
            targets = self._teacher.taught(targets, faces, [self.photos.paths[row] for row in rows[there]])
        if blend is None:
            return faces, targets
        places = (np.searchsorted(there, each) for each in (own, blend.other[own]))
        return blend.of(faces, targets, *places)

    def faces(self, rows: np.ndarray) -> np.ndarray:
        """Returns photos as they are: `(n, S, S, 3)` uint8 of `(n,)` int rows."""
        return self._photos.take(rows)
