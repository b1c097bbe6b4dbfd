"""For notebooks: a model that is called on faces, and frames with everything drawn into them."""

from pathlib import Path

import numpy as np

from fercomp.annotate.drawing import draw
from fercomp.annotate.options import Options
from fercomp.annotate.recogniser import Decisions, Recogniser, decide
from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.faces.crop import face_input, whole_box
from fercomp.faces.found import Faces
from fercomp.modeling.bundle.find import SHIPPED_NAME, resolve_model
from fercomp.modeling.bundle.model import load_bundle


class FaceEmotionsModel:
    """A trained model, loaded, to be called on faces.

        model = FaceEmotionsModel()
        model(face)                 # [('happy', 0.93)]

    Args:
        va: The model has to give valence and arousal, too.
        model: An experiment under `models/`, a model folder, or `shipped`.

    Attributes:
        bundle: The model itself.
        classes: Its K class names.

    Raises:
        FercompError: There is no such model, or it gives no valence and arousal where they are asked for.
    """

    def __init__(self, va: bool = False, model: str | Path = SHIPPED_NAME) -> None:
        self.bundle = load_bundle(resolve_model(str(model), Workspace()))
        self.classes = self.bundle.card.classes
        if va and self.bundle.card.head == "emotion":
            raise FercompError(
                f"model {self.bundle.card.name} names emotions, it gives no valence and arousal: leave va "
                "out, or train one with train.head: both"
            )

    def pred_probs(self, *faces: np.ndarray) -> np.ndarray:
        """Classifies faces.

        Args:
            *faces: n pictures framed on a face as training photos are, `(h, w, 3)` uint8 RGB each, of any
                size.

        Returns:
            Probabilities `(n, K)` float32 in the order of `classes`.
        """
        return self.bundle.predict(*self._inputs(faces))

    def valence_arousal(self, *faces: np.ndarray) -> np.ndarray:
        """Places faces, given as to `pred_probs`, in the plane of valence and arousal: `(n, 2)` float32.

        Raises:
            FercompError: The model gives no valence and arousal.
        """
        return self.bundle.valence_arousal(*self._inputs(faces))

    def _inputs(self, faces: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        inputs = [
            np.array([face_input(face, whole_box(face), size, 0.0) for face in faces], dtype=np.uint8)
            for size, _ in self.bundle.inputs
        ]
        return [a.reshape(-1, size, size, 3) for a, (size, _) in zip(inputs, self.bundle.inputs, strict=True)]

    def __call__(self, *faces: np.ndarray) -> list[tuple[str, float]]:
        """Says for each face its emotion, or `uncertain`, and how probable that or the likeliest class is."""
        said = decide(self.pred_probs(*faces), self.bundle.card.rule)
        return [(emotion, float(p)) for emotion, p in zip(said.emotions, said.confidences, strict=True)]


class FrameWithEmotion:
    """Draws into pictures what a model says of the faces in them.

        with_emotion = FrameWithEmotion(FaceEmotionsModel())
        plt.imshow(with_emotion(frame))

    Colours say good, bad or neutral; a model with valence and arousal has them written beside.

    Args:
        model: The model.
        options: How to look for faces.

    Attributes:
        faces: The faces of the last picture.
        decisions: What was said of them.

    Raises:
        FercompError: The detector cannot be made.
    """

    faces: Faces
    decisions: Decisions

    def __init__(self, model: FaceEmotionsModel, options: Options | None = None) -> None:
        self._recogniser = Recogniser(model.bundle, (options or Options()).make_detector)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Finds the faces of a picture and draws frame, emotion and probability of each.

        Args:
            frame: `(h, w, 3)` uint8 RGB; left as it is. What OpenCV reads is BGR: `frame[..., ::-1]`.

        Returns:
            A new picture of the same shape.

        Raises:
            ValueError: It is no such array.
        """
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(f"expected a picture (h, w, 3) uint8, got {frame.shape} {frame.dtype}")
        (seen,) = self._recogniser.recognise([self._recogniser.look(np.ascontiguousarray(frame))])
        self.faces, self.decisions = seen.faces, seen.decisions
        return draw(seen.image, seen.faces, seen.decisions)
