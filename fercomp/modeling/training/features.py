"""Features of a frozen backbone, computed once: the head then trains in seconds per epoch.

A GPU computes them by Keras; without one, OpenVINO does, which takes a fifth of the time of some networks.

A view is all photos, each augmented in one way. The pooled features of a view are one array in a file whose
name is a hash of everything they depend on, so that a second run, or a run of another head, finds them.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.params import AugmentParams
from fercomp.core.progress import say, track
from fercomp.modeling.backend.devices import has_gpu
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.feed import fed
from fercomp.modeling.backend.share import ALONE, Sharing
from fercomp.modeling.export.graph import export_apart, exported
from fercomp.modeling.training.array_cache import keep, read_kept
from fercomp.modeling.training.augment import Changes
from fercomp.modeling.training.batches import Batches, FaceBatches
from fercomp.modeling.training.network import GREY, POOL

_BATCH = 64
_FEW = 1000
"""Photos, of all views, that Keras looks at before an export would be over."""

_CHUNK = 1024
"""Photos that are changed at once, by random numbers of their own, and then looked at in batches."""

_LARGE = 384
"""Pixels from which on a chunk has fewer photos: at this size it takes 450 MB, up to three times."""


class FeatureBatches(Batches):
    """Features in batches; each epoch takes the next view.

    Args:
        views: V arrays `(N, C)` float32.
        targets: `(N, T)` float32.
        batch_size: Photos per batch.
        seed: Seed of the order; `None` keeps the order.
        share: Which photos of a batch are given here.
    """

    def __init__(
        self,
        views: list[np.ndarray],
        targets: np.ndarray,
        batch_size: int,
        seed: int | None,
        share: Sharing = ALONE,
    ) -> None:
        super().__init__(targets, batch_size, seed, share)
        self._views = views

    def _made(self, rows: np.ndarray, own: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:  # noqa: ARG002
        view = self._views[self._epoch % len(self._views)]
        return view[rows[own]], self.targets[rows[own]]


def feature_batches(
    model: keras.Model,
    batches: FaceBatches,
    folder: Path,
    *,
    seed: int,
    augmentation: AugmentParams | None = None,
    views: int = 1,
    share: Sharing = ALONE,
) -> FeatureBatches:
    """Computes the features of photos, or reads them from the cache.

    Args:
        model: A network of `build_network`; its backbone is not changed.
        batches: The photos.
        folder: The cache.
        seed: Seed of what the backbone starts from, and of views and order.
        augmentation: How photos are changed in each view, which gives them in a random order. By default,
            photos stay as they are, and in their order.
        views: Number of augmented views.
        share: Which photos are looked at here.

    Returns:
        The features in batches.
    """
    backbone = keras.Model(model.input, model.get_layer(POOL).output)
    key = _key(model, backbone.get_weights(), batches.photos.sha1s, seed, augmentation)

    def looked_at(number: int, rows: np.ndarray, own: np.ndarray) -> np.ndarray:
        faces = batches.faces(rows[own])
        if augmentation is None:
            return faces
        rng = np.random.default_rng((seed, number, int(rows[0])))
        return Changes(len(rows), faces.shape[1], augmentation, rng).of(faces, own)

    share.adapt(backbone)
    numbers, n = range(views if augmentation else 1), len(batches.targets)
    ask = cache(partial(_quickest, backbone, len(numbers) * n, share))
    found = [
        _view(backbone, ask, n, folder / f"{key}-{number}.npy", partial(looked_at, number), share)
        for number in numbers
    ]
    return FeatureBatches(found, batches.targets, batches.batch_size, seed if augmentation else None, share)


def _view(
    backbone: keras.Model,
    network: Callable[[], "_Looks"],
    n: int,
    path: Path,
    looked_at: Callable[[np.ndarray, np.ndarray], np.ndarray],
    share: Sharing,
) -> np.ndarray:
    shape = (n, backbone.output_shape[-1])
    cached = read_kept(path, shape)
    if share.all_say(cached is not None) and cached is not None:
        return cached
    features = np.empty(shape, dtype=np.float32)
    title = "features of the frozen backbone"
    size = backbone.input_shape[1]
    chunk = _CHUNK if size <= _LARGE else max(_BATCH, _CHUNK * _LARGE**2 // size**2)
    for start in track(range(0, n, chunk), title, "chunk"):
        rows = np.arange(start, min(start + chunk, n))
        own = _own(len(rows), share)
        features[rows] = network()(looked_at(rows, own), len(rows))
    return keep(features, path) if share.is_first else features


def _own(n: int, share: Sharing) -> np.ndarray:
    """Returns which of n photos this process looks at: its share of each batch."""
    parts = [start + share.own(min(_BATCH, n - start), _BATCH) for start in range(0, n, _BATCH)]
    return np.concatenate(parts)


class _Batches(keras.utils.PyDataset):
    """This process' share of n photos, as `_own` says, in batches for `predict`."""

    def __init__(self, faces: np.ndarray, n: int, share: Sharing) -> None:
        super().__init__()
        self._share = share
        self._sizes = [min(_BATCH, n - start) for start in range(0, n, _BATCH)]
        self._parts = np.split(faces, np.cumsum([len(share.own(size, _BATCH)) for size in self._sizes])[:-1])

    def __len__(self) -> int:
        return len(self._sizes)

    def __getitem__(self, index: int) -> tuple[np.ndarray]:
        return (self._share.filled(self._parts[index], self._sizes[index], _BATCH),)


_Looks = Callable[[np.ndarray, int], np.ndarray]
"""From this process' share of n photos to the features of all of them."""


def _quickest(backbone: keras.Model, photos: int, share: Sharing) -> _Looks:
    """Returns what computes features of so many photos in the least time, export included."""

    def by_keras(faces: np.ndarray, n: int) -> np.ndarray:
        batches = fed(_Batches(faces, n, share))
        return share.stripped(backbone.predict(batches, verbose=0), n, _BATCH)

    whole = backbone.get_layer(POOL).compute_dtype == "float32"
    if photos < _FEW or has_gpu() or not whole or share.devices > 1:
        return by_keras
    try:
        runtime = exported(backbone, export_apart)
    except FercompError as error:
        say(f"{error}; Keras computes the features")
        return by_keras
    return lambda faces, _: runtime(faces)


def _key(
    model: keras.Model,
    weights: list[np.ndarray],
    sha1s: Sequence[str],
    seed: int,
    augmentation: AugmentParams | None,
) -> str:
    digest = hashlib.sha256()
    settings: dict[str, Any] = {
        "backbone": model.name,
        "size": model.input_shape[1],
        "grey": any(layer.name == GREY for layer in model.layers),
        "seed": seed,
        "precision": model.get_layer(POOL).compute_dtype,
        "augment": augmentation.model_dump() if augmentation else None,
        "photos": list(sha1s),
    }
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for weight in weights:
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:32]
