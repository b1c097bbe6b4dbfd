"""From a picture to its faces with their emotions: find them, cut them out, classify, decide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from fercomp.data.inputs import face_of
from fercomp.decisions.rule import Rule
from fercomp.faces.crop import upright_input
from fercomp.faces.found import Detector, Faces, PerThread
from fercomp.faces.quality import face_qualities, levels
from fercomp.media.clips import Frame
from fercomp.modeling.bundle.kind import Compared
from fercomp.modeling.bundle.model import Answer, Bundle

PHOTO_VIEWS: Final = 5
"""Looks at each face of a photo, which is in no hurry: as good as nine (docs/experiments/photos.md)."""


@dataclass(frozen=True)
class Picture:
    """A photo, or a frame of a clip, on its way from the detector to the records.

    Attributes:
        frame: Its pixels and its moment; a photo is frame 0 of itself.
        faces: Its n faces, found, later named.
        due: `(n,)` bool: these m are to be classified. In a clip the others keep what was said of them.
        inputs: `(m, S, S, 3)` uint8 RGB for each of the model's inputs: what the networks get. None once the
            faces are named.
    """

    frame: Frame
    faces: Faces
    due: np.ndarray
    inputs: tuple[np.ndarray, ...]


def cut_out(
    frame: Frame, faces: Faces, due: np.ndarray, bundle: Bundle, framed: bool, data: bytes | None = None
) -> Picture:
    """Cuts the faces out of a frame as a model wants them, and says how well they can be seen.

    Those that are tilted far (`faces.quality.levels`) are turned upright.

    Args:
        frame: The frame.
        faces: Its n faces.
        due: `(n,)` bool, those that are to be classified.
        bundle: The model.
        framed: The boxes frame the face as training photos do: no margin is added.
        data: The file of a photo. Where it is framed, it is read from there as training photos are.
    """
    faces = replace(faces, qualities=face_qualities(frame.image, faces))
    if framed and data is not None:
        return Picture(frame, faces, due, tuple(face_of(data, size)[None] for size, _ in bundle.inputs))
    boxes, tilts = faces.boxes[due], levels(faces)[due].tolist()
    arrays = []
    for size, margin in bundle.inputs:
        inputs = np.empty((len(boxes), size, size, 3), dtype=np.uint8)
        for slot, box, tilt in zip(inputs, boxes, tilts, strict=True):
            slot[...] = upright_input(frame.image, box, tilt, size, 0.0 if framed else margin)
        arrays.append(inputs)
    return Picture(frame, faces, due, tuple(arrays))


def answers(
    pictures: Sequence[Picture], bundle: Bundle, mirrored: np.ndarray | None = None, views: int = 0
) -> list[Answer]:
    """Classifies the faces of several pictures with one call of each network.

    Args:
        pictures: At least one.
        bundle: The model.
        mirrored: See `Bundle.answer`.
        views: Likewise.

    Returns:
        For each picture what is said of the faces that are due.
    """
    inputs = (np.concatenate(arrays) for arrays in zip(*(each.inputs for each in pictures), strict=True))
    ends = np.cumsum([each.due.sum() for each in pictures])
    return bundle.answer(*inputs, mirrored=mirrored, views=views).split(ends[:-1])


def decide(faces: Faces, answer: Answer, rule: Rule) -> Faces:
    """Adds to faces what a model says of them, and what is decided by that."""
    return replace(
        faces,
        classes=rule.classes,
        pred_probs=answer.pred_probs,
        emotions=tuple(rule.labels(answer.pred_probs)),
        confidences=rule.confidences(answer.pred_probs),
        valence_arousal=answer.points,
    )


class Recogniser:
    """Finds and classifies the faces in pictures.

    Args:
        bundle: The trained model.
        make_detector: Makes the face detector; called once per thread that looks at pictures.
        views: See `Bundle.answer`.
        uncertain: See `Rule`.

    Attributes:
        rule: How it decides.
        compared: Says whether the faces are of another kind than the model's photos.

    Raises:
        FercompError: The detector cannot be made.
    """

    def __init__(
        self,
        bundle: Bundle,
        make_detector: Callable[[], Detector],
        views: int = PHOTO_VIEWS,
        uncertain: bool = True,
    ) -> None:
        self._bundle, self._views = bundle, views
        self.rule = replace(bundle.card.rule, uncertain=uncertain)
        self.compared = Compared(bundle.card.kind)
        self._detector = PerThread(make_detector)

    def look(self, image: np.ndarray, data: bytes | None = None) -> Picture:
        """Finds the faces in a picture; may be called from several threads.

        Args:
            image: `(h, w, 3)` uint8 RGB.
            data: The file that it was decoded from, where it is a photo.
        """
        return self.cut(image, self._detector.detect(image), data)

    def cut(self, image: np.ndarray, faces: Faces, data: bytes | None = None) -> Picture:
        """Cuts out the faces that were found in a picture, as `look` does."""
        every = np.ones(len(faces), dtype=bool)
        frame = Frame(0, 0.0, 0, image)
        return cut_out(frame, faces, every, self._bundle, self._detector.framed, data)

    def name(self, pictures: Sequence[Picture]) -> list[Picture]:
        """Names the emotions of the faces of several pictures with one call of each network.

        Args:
            pictures: What `look` returned for each.

        Returns:
            The same pictures, their faces named, in the same order.
        """
        if not pictures:
            return []
        said = list(zip(pictures, answers(pictures, self._bundle, views=self._views), strict=True))
        for each, answer in said:
            self.compared.add(each.inputs[0], answer.pred_probs)
        return [
            replace(each, faces=decide(each.faces, answer, self.rule), inputs=()) for each, answer in said
        ]
