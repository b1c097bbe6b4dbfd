"""Steady probabilities and labels: each track's own past, never another one's."""

from dataclasses import dataclass, replace
from math import exp
from typing import Final

import numpy as np

from fercomp.core.classes import UNCERTAIN
from fercomp.decisions.rule import Rule
from fercomp.faces.found import Faces, known
from fercomp.faces.track import LONGEST_STEP
from fercomp.modeling.bundle.model import Answer

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
    point: np.ndarray
    label: str
    seen: float
    classified: float
    rival_since: float | None = None


class Smoother:
    """Decides on the faces of one clip, frame after frame.

    Args:
        rule: How the model decides.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._states: dict[int, _State] = {}

    def update(self, faces: Faces, answer: Answer, time: float) -> Faces:
        """Decides on the faces of the next frame.

        Args:
            faces: The n faces with their tracks.
            answer: What was said of them in this frame alone; NaN where a face was not classified, which a
                track's first row must not be.
            time: Seconds, never earlier than in the call before.

        Returns:
            The faces with what is decided by smoothed probabilities; points are smoothed likewise.
        """
        self._states = {track: s for track, s in self._states.items() if time - s.seen <= LONGEST_STEP}
        raw, points = answer
        given = np.empty((len(faces), 0), np.float32) if points is None else points
        states = [
            self._state(track, row, point, time)
            for track, row, point in zip(known(faces.tracks).tolist(), raw, given, strict=True)
        ]
        pred_probs = np.array([s.pred_probs for s in states], dtype=np.float32)
        return replace(
            faces,
            classes=self._rule.classes,
            pred_probs=pred_probs.reshape(raw.shape),
            raw=raw,
            emotions=tuple(s.label for s in states),
            confidences=np.array([self._probability(s.pred_probs, s.label) for s in states], np.float32),
            valence_arousal=None
            if points is None
            else np.array([s.point for s in states], np.float32).reshape(points.shape),
        )

    def _state(self, track: int, row: np.ndarray, point: np.ndarray, time: float) -> _State:
        state = self._states.get(track)
        if state is None:
            state = self._states[track] = _State(row, point, self._leading(row), time, time)
        elif not np.isnan(row).any():
            share = 1 - exp(-(time - state.classified) / MEMORY)
            state.pred_probs = state.pred_probs + share * (row - state.pred_probs)
            state.point = state.point + share * (point - state.point)
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
        lead = self._probability(state.pred_probs, leading) - self._probability(state.pred_probs, state.label)
        if lead >= CLEAR or time - state.rival_since >= HOLD:
            state.label, state.rival_since = leading, None

    def _leading(self, pred_probs: np.ndarray) -> str:
        return str(self._rule.labels(pred_probs[None])[0])

    def _probability(self, pred_probs: np.ndarray, label: str) -> float:
        """Returns a label's probability; for `uncertain` that of the likeliest class, as on photos."""
        if label == UNCERTAIN:
            return float(pred_probs.max())
        return float(pred_probs[self._rule.classes.index(label)])
