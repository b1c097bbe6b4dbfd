"""What a network said of its training photos in earlier epochs, for early-learning regularisation."""

import numpy as np

from fercomp.modeling.backend.engine import keras
from fercomp.modeling.training.batches import FaceBatches
from fercomp.modeling.training.losses import ELR_BETA

_BATCH = 64
_CHUNK = 1024


class EarlierAnswers:
    """The running mean of a network's answers, as further columns of the targets.

    Liu et al. (2020) update the mean of a photo when its batch comes, once an epoch; here it is done for
    all photos after the epoch, on the photos as they are, which needs no state inside the loss.

    Args:
        batches: The training photos, with targets `(N, T)`; they become `(N, T + K)`.
        k: Number of classes, K; the first of the network's outputs are theirs.
    """

    def __init__(self, batches: FaceBatches, k: int) -> None:
        self._batches = batches
        self._k = k
        self._given = batches.targets
        self.restore([np.zeros((len(batches.targets), k), np.float32)])

    def update(self, model: keras.Model) -> None:
        """Takes a network's answers of today into the mean."""
        n = len(self._batches.targets)
        rows = np.arange(n)
        chunks = (self._batches.faces(rows[start : start + _CHUNK]) for start in range(0, n, _CHUNK))
        answers = np.concatenate([model.predict(faces, batch_size=_BATCH, verbose=0) for faces in chunks])
        self.restore([ELR_BETA * self.state()[0] + (1 - ELR_BETA) * answers[:, : self._k]])

    def state(self) -> list[np.ndarray]:
        """Returns the mean `(N, K)` float32 as the only array of a list."""
        return [self._batches.targets[:, self._given.shape[1] :]]

    def restore(self, state: list[np.ndarray]) -> None:
        """Puts the values of `state` back."""
        self._batches.targets = np.concatenate([self._given, state[0].astype(np.float32)], axis=1)
