"""What happens after each batch: the progress bar moves, and the time may be up."""

import math
from time import monotonic
from typing import Any

from fercomp.core.progress import count_done
from fercomp.modeling.backend.engine import keras
from fercomp.modeling.backend.share import ALONE, Sharing


class Bar(keras.callbacks.Callback):
    """Moves a progress bar batch by batch and shows the running loss.

    Args:
        bar: What `track` gave.
    """

    def __init__(self, bar: Any) -> None:
        super().__init__()
        self._bar = bar

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Counts the batch."""
        count_done(self._bar, 1, is_first=batch == 0)  # the step is traced in the first one
        self._bar.set_postfix(loss=f"{(logs or {}).get('loss', math.nan):.3f}", refresh=False)


class TimeLimit(keras.callbacks.Callback):
    """Ends an epoch after the batch in which the time is up; a run that goes on has what is left of it.

    Args:
        minutes: How long the run may take (`train.minutes`); `None` for no limit.
        share: Who else trains: the first process' clock is right.

    Attributes:
        batches: Batches done in the epoch that is running, or ended last.
    """

    def __init__(self, minutes: float | None, share: Sharing = ALONE) -> None:
        super().__init__()
        self._share = share
        self._seconds = math.inf if minutes is None else 60 * minutes
        self._start = monotonic()
        self.batches = 0

    @property
    def spent(self) -> float:
        """Seconds that the run has taken, with those of an earlier process."""
        return monotonic() - self._start

    @property
    def is_up(self) -> bool:
        """Whether no time is left."""
        if math.isinf(self._seconds):
            return False
        return self._share.of_first(self.spent)[0] >= self._seconds

    def go_on(self, spent: float) -> None:
        """Counts the seconds that an earlier process has taken."""
        self._start -= spent

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Ends the epoch where the time is up."""
        self.batches = batch + 1
        if self.is_up:
            self.model.stop_training = True
