"""What a network said of its training photos in earlier epochs, for early-learning regularisation."""

import numpy as np

from fercomp.modeling.backend import keras
from fercomp.modeling.batches import FaceBatches
from fercomp.modeling.losses import ELR_BETA

BATCH = 64
CHUNK = 1024


class EarlierAnswers:
    """The running mean of a network's answers, as further columns of the targets.

    Liu et al. (2020) update the mean of a photo when its batch comes, once an epoch; here it is done for
    all photos after the epoch, on the photos as they are, which needs no state inside the loss.

    Args:
        batches: The training photos, with targets `(N, K)`; they become `(N, 2 K)`.
    """

    def __init__(self, batches: FaceBatches) -> None:
        self._batches = batches
        self._k = batches.targets.shape[1]
        self.restore([np.zeros_like(batches.targets)])

    def update(self, model: keras.Model) -> None:
        """Takes a network's answers of today into the mean."""
        n = len(self._batches.targets)
        rows = np.arange(n)
        chunks = (self._batches.faces(rows[start : start + CHUNK]) for start in range(0, n, CHUNK))
        answers = np.concatenate([model.predict(faces, batch_size=BATCH, verbose=0) for faces in chunks])
        self.restore([ELR_BETA * self.state()[0] + (1 - ELR_BETA) * answers])

    def state(self) -> list[np.ndarray]:
        """Returns the mean `(N, K)` float32 as the only array of a list."""
        return [self._batches.targets[:, self._k :]]

    def restore(self, state: list[np.ndarray]) -> None:
        """Puts the values of `state` back."""
        given = self._batches.targets[:, : self._k]
        self._batches.targets = np.concatenate([given, state[0].astype(np.float32)], axis=1)
