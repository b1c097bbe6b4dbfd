"""Features of a frozen backbone, computed once: the head then trains in seconds per epoch.

A view is all photos, each augmented in one way. The pooled features of a view are one array in a file whose
name is a hash of everything they depend on, so that a second run, or a run of another head, finds them.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from fercomp.core.files import atomic_file
from fercomp.core.params import TrainParams
from fercomp.core.progress import track
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.augment import augment
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.network import POOL

_BATCH = 64
_CHUNK = 1024


class FeatureBatches(keras.utils.PyDataset):
    """Features and targets in batches; each epoch takes the next view.

    Args:
        views: V arrays `(N, C)` float32.
        targets: `(N, T)` float32.
        batch_size: Photos per batch.
        seed: Seed of the order; `None` keeps the order.
    """

    def __init__(
        self, views: list[np.ndarray], targets: np.ndarray, batch_size: int, seed: int | None
    ) -> None:
        super().__init__()
        self.targets = targets
        self._views = views
        self._batch_size = batch_size
        self._seed = seed
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Chooses the view and lays out the order of an epoch, counted from 0."""
        n = len(self.targets)
        self._view = self._views[epoch % len(self._views)]
        self._order = (
            np.arange(n) if self._seed is None else np.random.default_rng((self._seed, epoch)).permutation(n)
        )

    def __len__(self) -> int:
        """Returns the number of batches."""
        return -(-len(self.targets) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns one batch: features `(n, C)` float32 and targets `(n, T)` float32."""
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return self._view[rows], self.targets[rows]


def feature_batches(
    model: keras.Model, params: TrainParams, batches: FaceBatches, sha1s: list[str], folder: Path, train: bool
) -> FeatureBatches:
    """Computes the features of photos, or reads them from the cache.

    Args:
        model: A network of `build_network`; its backbone is not changed.
        params: What it was built from; `head_views` and `augment` say which views there are.
        batches: The photos.
        sha1s: SHA-1 of each photo's file.
        folder: The cache.
        train: Augmented views in a random order, or one view of the photos as they are, in their order.

    Returns:
        The features in batches.
    """
    backbone = keras.Model(model.input, model.get_layer(POOL).output)
    key = _key(backbone, params, sha1s)
    views = [
        _view(
            backbone, params, batches, number, folder / f"{key}-{'plain' if number is None else number}.npy"
        )
        for number in (range(params.head_views) if train else [None])
    ]
    return FeatureBatches(views, batches.targets, params.batch_size, params.seed if train else None)


def _view(
    backbone: keras.Model, params: TrainParams, batches: FaceBatches, number: int | None, path: Path
) -> np.ndarray:
    n = len(batches.targets)
    shape = (n, backbone.output_shape[-1])
    cached = _load(path, shape)
    if cached is not None:
        return cached
    features = np.empty(shape, dtype=np.float32)
    title = "features of the frozen backbone"
    for start in track(range(0, n, _CHUNK), title, "chunk"):
        rows = np.arange(start, min(start + _CHUNK, n))
        faces = batches.faces(rows)
        if number is not None:
            faces = augment(faces, params.augment, np.random.default_rng((params.seed, number, start)))
        features[rows] = backbone.predict(faces, batch_size=_BATCH, verbose=0)
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, features, allow_pickle=False)
    return features


def _load(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """Returns the array of a file, `None` where there is none or it is damaged."""
    try:
        features: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return features if features.shape == shape and features.dtype == np.float32 else None


def _key(backbone: keras.Model, params: TrainParams, sha1s: list[str]) -> str:
    digest = hashlib.sha256()
    settings: dict[str, Any] = {
        "backbone": params.backbone,
        "size": params.size,
        "seed": params.seed,
        "precision": params.precision,
        "augment": params.augment.model_dump(),
        "photos": sha1s,
    }
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for weight in backbone.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:32]
