"""How a batch is shared among devices: those of this process, and of other processes on other hosts.

What is learned does not depend on it. Each batch stays the one that seed and epoch say: a process hands over
the photos that are its own, filled up with empty ones where they cannot be divided evenly, and the compiled
step takes these off again before anything is computed. Batch statistics, dropout and loss are those of the
whole batch.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from fercomp.modeling.backend.engine import keras


@dataclass(frozen=True)
class Sharing:
    """What of each batch is done here. By default, all of it is, on one device.

    Attributes:
        devices: Devices among which a batch is divided, of all processes, as many in each.
        processes: How many processes there are.
        number: Which of them this is, counted from 0.
    """

    devices: int = 1
    processes: int = 1
    number: int = 0
    _scope: Any = field(default=None, repr=False)

    def padded(self, n: int, batch: int) -> int:
        """Returns the number of photos, empty ones included, that are handed over for n of them.

        Args:
            n: Photos of this batch.
            batch: Those of a full one. Both are told apart by their padded number.
        """
        padded = -(-n // self.devices) * self.devices
        clash = self.devices > 1 and n != batch and padded == -(-batch // self.devices) * self.devices
        return padded + self.devices if clash else padded

    def own(self, n: int, batch: int) -> np.ndarray:
        """Returns which photos of a batch of n this process hands over, `(m,)` int."""
        each = self.padded(n, batch) // self.processes
        return np.arange(min(n, self.number * each), min(n, (self.number + 1) * each))

    def filled(self, values: np.ndarray, n: int, batch: int) -> np.ndarray:
        """Fills up what this process hands over of a batch of n, `(m, ...)`, with zeros."""
        missing = self.padded(n, batch) // self.processes - len(values)
        return np.pad(values, [(0, missing)] + [(0, 0)] * (values.ndim - 1)) if missing else values

    def stripped(self, answers: np.ndarray, n: int, batch: int) -> np.ndarray:
        """Takes the answers for empty photos off those for n photos in batches."""
        sizes = [min(batch, n - start) for start in range(0, n, batch)]
        real = [np.arange(self.padded(size, batch)) < size for size in sizes]
        return answers[np.concatenate(real)] if self.devices > 1 else answers

    def adapt(self, model: keras.Model, n: int = 0, batch: int = 1) -> None:
        """Lets a network take what `filled` gives.

        Args:
            model: The network, built for all devices; compiled, where it is to be trained.
            n: Number of photos that it is trained on.
            batch: Photos in a full batch.
        """
        if self.devices == 1:
            return
        import jax

        real = {self.padded(size, batch): size for size in (batch, n % batch) if size}
        train_step, predict_step = model.train_step, model.predict_step
        mesh = self._scope.device_mesh.backend_mesh
        everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())

        def train(state: Any, data: tuple[Any, ...]) -> Any:
            count = real[data[0].shape[0]]
            return train_step(state, tuple(part if part is None else part[:count] for part in data))

        def predict(state: Any, data: tuple[Any, ...]) -> Any:
            answers, variables = predict_step(state, data)
            return jax.lax.with_sharding_constraint(answers, everywhere), variables

        model.train_step, model.predict_step = train, predict

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.number == 0

    def of_first(self, *values: float) -> tuple[float, ...]:
        """Returns the numbers that the first process gives; all processes have to ask."""
        if self.processes == 1:
            return values
        from jax.experimental import multihost_utils

        # As pairs of float32, which is all that JAX passes on by default.
        wide = np.array(values, np.float64)
        said = multihost_utils.broadcast_one_to_all(wide.view(np.uint32), is_source=self.is_first)
        return tuple(np.asarray(said).view(np.float64).tolist())

    def all_say(self, yes: bool) -> bool:
        """Tells whether all processes say yes; all have to ask."""
        if self.processes == 1:
            return yes
        from jax.experimental import multihost_utils

        return bool(np.asarray(multihost_utils.process_allgather(np.array(yes))).all())


ALONE: Final = Sharing()
"""All of each batch, on one device."""
