"""Steady probabilities and labels: each track's own past, never another one's."""

from dataclasses import dataclass
from math import exp
from typing import Final

import numpy as np

from fercomp.annotate.recogniser import Decisions
from fercomp.core.classes import UNCERTAIN
from fercomp.faces.track import PATIENCE
from fercomp.modeling.decision import most_likely

MEMORY: Final = 0.4
"""Seconds after which an old probability weighs 1/e."""

HOLD: Final = 0.3
"""Seconds for which another label has to lead before it is shown. Expressions last 0.5 to 4 s (Ekman, 2003,
*Emotions Revealed*); what is shorter is mostly a blink or a blurred frame."""

CLEAR: Final = 0.25
"""Lead in probability with which another label is shown at once."""


@dataclass
class _State:
    pred_probs: np.ndarray
    label: str
    seen: float
    classified: float
    rival_since: float | None = None


class Smoother:
    """Decides on the faces of one clip, frame after frame.

    Args:
        classes: K class names.
        threshold: A face whose likeliest class is less probable is `uncertain`; `None` for never.
    """

    def __init__(self, classes: tuple[str, ...], threshold: float | None) -> None:
        self._classes = classes
        self._threshold = threshold
        self._states: dict[int, _State] = {}

    def update(self, tracks: np.ndarray, raw: np.ndarray, time: float) -> Decisions:
        """Decides on the faces of the next frame.

        Args:
            tracks: `(n,)` the faces' tracks.
            raw: `(n, K)` probabilities of this frame alone; a row of NaN where a face was not classified,
                which a track's first row must not be.
            time: Seconds, never earlier than in the call before.

        Returns:
            The decisions, by smoothed probabilities.
        """
        self._states = {track: s for track, s in self._states.items() if time - s.seen <= PATIENCE}
        states = [self._state(int(track), row, time) for track, row in zip(tracks, raw, strict=True)]
        pred_probs = np.array([s.pred_probs for s in states], dtype=np.float32)
        return Decisions(
            tuple(s.label for s in states),
            np.array([self._probability(s) for s in states], dtype=np.float32),
            pred_probs.reshape(-1, len(self._classes)),
        )

    def _state(self, track: int, row: np.ndarray, time: float) -> _State:
        state = self._states.get(track)
        if state is None:
            state = self._states[track] = _State(row, self._leading(row), time, time)
        elif not np.isnan(row).any():
            share = 1 - exp(-(time - state.classified) / MEMORY)
            state.pred_probs = state.pred_probs + share * (row - state.pred_probs)
            state.classified = time
            self._relabel(state, time)
        state.seen = time
        return state

    def _relabel(self, state: _State, time: float) -> None:
        """Changes the label when another one leads clearly or for long enough."""
        leading = self._leading(state.pred_probs)
        if leading == state.label:
            state.rival_since = None
            return
        if state.rival_since is None:
            state.rival_since = time
        lead = state.pred_probs.max() - self._probability(state)
        if lead >= CLEAR or time - state.rival_since >= HOLD:
            state.label, state.rival_since = leading, None

    def _leading(self, pred_probs: np.ndarray) -> str:
        return str(most_likely(pred_probs[None], self._classes, self._threshold)[0])

    def _probability(self, state: _State) -> float:
        """Returns the label's probability; for `uncertain` that of the likeliest class, as on photos."""
        if state.label == UNCERTAIN:
            return float(state.pred_probs.max())
        return float(state.pred_probs[self._classes.index(state.label)])
