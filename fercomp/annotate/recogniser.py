"""From a picture to decisions: find the faces, cut them out, classify, decide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fercomp.decisions.rule import Rule
from fercomp.faces.crop import face_input
from fercomp.faces.found import Detector, Faces, PerThread
from fercomp.modeling.bundle.model import Bundle


@dataclass(frozen=True)
class Seen:
    """A picture whose faces have been found, not yet classified.

    Attributes:
        image: `(h, w, 3)` uint8 RGB.
        faces: Its n faces.
        inputs: `(n, S, S, 3)` uint8 RGB for each of the model's inputs: what the networks get.
    """

    image: np.ndarray
    faces: Faces
    inputs: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Decisions:
    """What is said of n faces.

    Attributes:
        emotions: A class name each, or `uncertain`.
        confidences: `(n,)` float32, the probability of the emotion; of the likeliest class where a threshold
            makes it `uncertain`.
        pred_probs: `(n, K)` float32, the probability of every class.
        valence_arousal: `(n, 2)` float32, -1 to 1 each, where the model gives them.
    """

    emotions: tuple[str, ...]
    confidences: np.ndarray
    pred_probs: np.ndarray
    valence_arousal: np.ndarray | None = None


@dataclass(frozen=True)
class Recognised:
    """A picture with everything that is said of it.

    Attributes:
        image: `(h, w, 3)` uint8 RGB.
        faces: Its n faces.
        decisions: What is said of them.
    """

    image: np.ndarray
    faces: Faces
    decisions: Decisions


def decide(pred_probs: np.ndarray, rule: Rule, points: np.ndarray | None = None) -> Decisions:
    """Decides on faces.

    Args:
        pred_probs: `(n, K)` probabilities.
        rule: How the model decides.
        points: `(n, 2)` valence and arousal, where the model gives them.

    Returns:
        The decisions.
    """
    likeliest = rule.likeliest(pred_probs)[:, None]
    confidences = np.take_along_axis(pred_probs, likeliest, axis=1)[:, 0]
    return Decisions(tuple(rule.labels(pred_probs)), confidences, pred_probs, points)


def cut_faces(image: np.ndarray, boxes: np.ndarray, bundle: Bundle, framed: bool) -> tuple[np.ndarray, ...]:
    """Cuts faces out as a model wants them.

    Args:
        image: `(h, w, 3)` uint8 RGB.
        boxes: `(n, 4)` xyxy in its pixels.
        bundle: The model.
        framed: The boxes frame the face as training photos do: no margin is added.

    Returns:
        `(n, S, S, 3)` uint8 for each of the model's inputs.
    """
    arrays = []
    for size, margin in bundle.inputs:
        inputs = np.empty((len(boxes), size, size, 3), dtype=np.uint8)
        for slot, box in zip(inputs, boxes, strict=True):
            slot[...] = face_input(image, box, size, 0.0 if framed else margin)
        arrays.append(inputs)
    return tuple(arrays)


class Recogniser:
    """Finds and classifies the faces in pictures.

    Args:
        bundle: The trained model.
        make_detector: Makes the face detector; called once per thread that looks at pictures.

    Raises:
        FercompError: The detector cannot be made.
    """

    def __init__(self, bundle: Bundle, make_detector: Callable[[], Detector]) -> None:
        self._bundle = bundle
        self._detector = PerThread(make_detector)

    def look(self, image: np.ndarray) -> Seen:
        """Finds the faces in a picture `(h, w, 3)` uint8 RGB; may be called from several threads."""
        faces = self._detector.detect(image)
        return Seen(image, faces, cut_faces(image, faces.boxes, self._bundle, self._detector.framed))

    def recognise(self, pictures: Sequence[Seen]) -> list[Recognised]:
        """Classifies the faces of several pictures with one call of each network.

        Args:
            pictures: What `look` returned for each.

        Returns:
            The same pictures in the same order.
        """
        if not pictures:
            return []
        rule = self._bundle.card.rule
        inputs = zip(*(picture.inputs for picture in pictures), strict=True)
        answer = self._bundle.answer(*(np.concatenate(arrays) for arrays in inputs))
        ends = np.cumsum([len(picture.faces) for picture in pictures])
        parts = answer.split(ends[:-1])
        return [
            Recognised(picture.image, picture.faces, decide(part.pred_probs, rule, part.points))
            for picture, part in zip(pictures, parts, strict=True)
        ]
