"""From the frames of a clip to decisions: find the faces, follow them, classify, smooth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fercomp.annotate.recogniser import Decisions, cut_faces
from fercomp.annotate.smoothing import Smoother
from fercomp.faces.found import Detector, Faces, PerThread
from fercomp.faces.track import Tracker
from fercomp.media.clips import Frame
from fercomp.modeling.bundle.model import Answer, Bundle


@dataclass(frozen=True)
class Found:
    """A frame whose faces have been found and followed, not yet classified.

    Attributes:
        frame: The frame.
        faces: Its n faces.
        tracks: `(n,)` int64, who they are.
        due: `(n,)` bool: these m are to be classified, the others keep what was said of them.
        inputs: `(m, S, S, 3)` uint8 RGB for each of the model's inputs.
    """

    frame: Frame
    faces: Faces
    tracks: np.ndarray
    due: np.ndarray
    inputs: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Named:
    """A frame with everything that is said of it.

    Attributes:
        frame: The frame.
        faces: Its n faces.
        tracks: `(n,)` int64, who they are.
        decisions: What is said of them, smoothed.
        raw: `(n, K)` float32, probabilities of this frame alone; NaN where a face was not classified in it.
    """

    frame: Frame
    faces: Faces
    tracks: np.ndarray
    decisions: Decisions
    raw: np.ndarray


class ClipRecogniser:
    """Finds, follows and classifies the faces of one clip, or of a camera.

    `detect`, `follow` and `name` may each run in a thread of its own, `detect` in several.

    Args:
        bundle: The trained model.
        make_detector: Makes the face detector; called once for each thread that calls `detect`.
        every: Every how many frames faces are classified; a new face is at once.
    """

    def __init__(self, bundle: Bundle, make_detector: Callable[[], Detector], every: int = 1) -> None:
        self._bundle = bundle
        self._detector = PerThread(make_detector)
        self._every = every
        self._tracker = Tracker()
        self._newest = -1
        self._smoother = Smoother(bundle.card.rule)

    def warm_up(self) -> None:
        """Loads the network, so that not the first face waits for it."""
        self._bundle.predict(*(np.zeros((1, size, size, 3), np.uint8) for size, _ in self._bundle.inputs))

    def find(self, frame: Frame) -> Found:
        """Finds and follows the faces of the next frame."""
        return self.follow(frame, self.detect(frame))

    def detect(self, frame: Frame) -> Faces:
        """Finds the faces of a frame, of whichever."""
        return self._detector.detect(frame.image)

    def follow(self, frame: Frame, faces: Faces) -> Found:
        """Says who the faces of the next frame are, and cuts out those that are to be classified."""
        tracks = self._tracker.update(faces, frame.image, frame.time)
        due = (tracks > self._newest) | (frame.index % self._every == 0)
        self._newest = max(self._newest, int(tracks.max(initial=-1)))
        inputs = cut_faces(frame.image, faces.boxes[due], self._bundle, self._detector.framed)
        return Found(frame, faces, tracks, due, inputs)

    def name(self, frames: Sequence[Found]) -> list[Named]:
        """Classifies the faces of the next frames with one call of each network.

        Where the model averages over a face and its mirror image, every other frame shows the one, the next
        the other: the mean over time has both.

        Args:
            frames: What `find` returned for each, at least one.

        Returns:
            The same frames in the same order.
        """
        inputs = zip(*(found.inputs for found in frames), strict=True)
        due = [int(found.due.sum()) for found in frames]
        mirrored = np.repeat([found.frame.index // self._every % 2 == 1 for found in frames], due)
        answer = self._bundle.answer(*(np.concatenate(arrays) for arrays in inputs), mirrored=mirrored)
        parts = answer.split(np.cumsum(due)[:-1])
        return [self._named(found, part) for found, part in zip(frames, parts, strict=True)]

    def _named(self, found: Found, answer: Answer) -> Named:
        raw = _with_gaps(answer.pred_probs, found.due)
        points = None if answer.points is None else _with_gaps(answer.points, found.due)
        decisions = self._smoother.update(found.tracks, raw, found.frame.time, points)
        return Named(found.frame, found.faces, found.tracks, decisions, raw)


def _with_gaps(rows: np.ndarray, due: np.ndarray) -> np.ndarray:
    """Returns `(n, C)` float32 with the m rows where `due` is true, NaN elsewhere."""
    spread = np.full((len(due), rows.shape[1]), np.nan, dtype=np.float32)
    spread[due] = rows
    return spread
