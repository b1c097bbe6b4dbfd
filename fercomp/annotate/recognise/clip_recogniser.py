"""From the frames of a clip to its faces with their emotions: find, follow, classify, smooth."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fercomp.annotate.recognise.recogniser import Picture, answers, cut_out
from fercomp.annotate.recognise.smoothing import Smoother
from fercomp.faces.found import Detector, Faces, PerThread
from fercomp.faces.track import Tracker
from fercomp.media.clips import Frame
from fercomp.modeling.bundle.model import Answer, Bundle


class ClipRecogniser:
    """Finds, follows and classifies the faces of one clip, or of a camera.

    `detect`, `follow` and `name` may each run in a thread of its own, `detect` in several.

    Args:
        bundle: The trained model.
        make_detector: Makes the face detector; called once for each thread that calls `detect`.
        every: Every how many frames faces are classified; a new face is at once.
        uncertain: See `Rule`.
    """

    def __init__(
        self, bundle: Bundle, make_detector: Callable[[], Detector], every: int = 1, uncertain: bool = True
    ) -> None:
        self._bundle = bundle
        self._detector = PerThread(make_detector)
        self._every = every
        self._tracker = Tracker()
        self._newest = -1
        self._smoother = Smoother(replace(bundle.card.rule, uncertain=uncertain))

    def warm_up(self) -> None:
        """Loads the network, so that not the first face waits for it."""
        self._bundle.predict(*(np.zeros((1, size, size, 3), np.uint8) for size, _ in self._bundle.inputs))

    def forget(self) -> None:
        """Knows nobody any more, since what comes next is another camera's."""
        self._tracker.forget()

    def look(self, frame: Frame) -> Picture:
        """Finds, follows and names the faces of the next frame."""
        (picture,) = self.name([self.follow(frame, self.detect(frame))])
        return picture

    def detect(self, frame: Frame) -> Faces:
        """Finds the faces of a frame, of whichever."""
        return self._detector.detect(frame.image)

    def follow(self, frame: Frame, faces: Faces) -> Picture:
        """Says who the faces of the next frame are, and cuts out those that are to be classified."""
        tracks = self._tracker.update(faces, frame.image, frame.time)
        due = (tracks > self._newest) | (frame.index % self._every == 0)
        self._newest = max(self._newest, int(tracks.max(initial=-1)))
        followed = replace(faces, tracks=tracks)
        return cut_out(frame, followed, due, self._bundle, self._detector.framed)

    def name(self, pictures: Sequence[Picture]) -> list[Picture]:
        """Names the emotions of the faces of the next frames with one call of each network.

        Where the model averages over a face and its mirror image, every other frame shows the one, the next
        the other: the mean over time has both.

        Args:
            pictures: What `follow` returned for each frame, at least one.

        Returns:
            The same frames, their faces named, in the same order.
        """
        turns = [each.frame.index // self._every % 2 == 1 for each in pictures]
        mirrored = np.repeat(turns, [each.due.sum() for each in pictures])
        said = zip(pictures, answers(pictures, self._bundle, mirrored), strict=True)
        return [replace(each, faces=self._smoothed(each, answer), inputs=()) for each, answer in said]

    def _smoothed(self, picture: Picture, answer: Answer) -> Faces:
        points = None if answer.points is None else _spread(answer.points, picture.due)
        every = Answer(_spread(answer.pred_probs, picture.due), points)
        return self._smoother.update(picture.faces, every, picture.frame.time)


def _spread(rows: np.ndarray, due: np.ndarray) -> np.ndarray:
    """Returns `(n, C)` float32 with the m rows where `due` is true, NaN elsewhere."""
    spread = np.full((len(due), rows.shape[1]), np.nan, dtype=np.float32)
    spread[due] = rows
    return spread
