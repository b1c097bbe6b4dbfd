"""The two classes of the study that fercomp began as: one names a face, one draws into frames."""

from pathlib import Path

import numpy as np

from fercomp.annotate.drawing.draw import draw
from fercomp.annotate.model import Model, load
from fercomp.annotate.options import Options
from fercomp.core.arguments import require_number, wrong_type
from fercomp.core.errors import FercompError
from fercomp.core.paths import SHIPPED
from fercomp.faces.crop import require_picture
from fercomp.faces.found import Faces, known

Said = tuple[str, float] | tuple[str, float, float, float]
"""Emotion and probability; with valence and arousal between the two from a model that was asked for them."""


class FaceEmotionsModel:
    """A trained model that is called on faces.

        model = FaceEmotionsModel()
        model.predict(face)    # ("happy", 0.93), and so does model(face)
        FaceEmotionsModel(va=True, model="circle").predict(face)    # ("happy", 0.81, 0.22, 0.93)

    Args:
        va: Tell valence and arousal, too.
        model: See `load`.

    Attributes:
        bundle: The model itself.

    Raises:
        FercompError: There is no such model, or it gives no valence and arousal where they are asked for.
    """

    def __init__(self, va: bool = False, model: str | Path = SHIPPED) -> None:
        self._model = load(model, detector="whole")
        self._va = va
        self.bundle = self._model.bundle
        if va and self.bundle.card.head == "emotion":
            raise FercompError(
                f"model {self._model.name} names emotions, it gives no valence and arousal: leave va "
                "out, or train one with train.head: both"
            )

    def predict(self, face: np.ndarray) -> Said:
        """Says the emotion of a face, or `uncertain`, and how probable that or the likeliest class is.

        Args:
            face: A picture framed on a face as training photos are, `(h, w, 3)` uint8 RGB of any size.

        Raises:
            FercompError: It is no such picture.
        """
        faces = self._model.detect(require_picture(face))
        (emotion,), (confidence,) = known(faces.emotions), known(faces.confidences).tolist()
        if not self._va:
            return emotion, confidence
        ((valence, arousal),) = known(faces.valence_arousal).tolist()
        return emotion, valence, arousal, confidence

    __call__ = predict


class FrameWithEmotion:
    """Draws into pictures what a model says of the faces in them.

        with_emotion = FrameWithEmotion(FaceEmotionsModel())
        plt.imshow(with_emotion(frame))                       # finds the faces
        with_emotion.draw_emotion_frame(frame, x, y, w, h)    # where somebody else has found one

    Green says good, red bad, blue neutral; a model with valence and arousal has them written beside.

    Args:
        model: The model.
        options: How to look for faces.

    Attributes:
        faces: The faces of the last picture.

    Raises:
        FercompError: It is no such model, or the detector cannot be made.
    """

    faces: Faces

    def __init__(self, model: FaceEmotionsModel, options: Options | None = None) -> None:
        if not isinstance(model, FaceEmotionsModel | Model):
            raise wrong_type("a FaceEmotionsModel", model, "make one by FaceEmotionsModel()")
        self._model = Model(model.bundle, options)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Finds the faces of a picture and draws box, emotion and probability of each.

        Args:
            frame: `(h, w, 3)` uint8 RGB; left as it is. What OpenCV reads is BGR: `frame[..., ::-1]`.

        Returns:
            A new picture of the same shape.

        Raises:
            FercompError: It is no such picture.
        """
        self.faces = self._model.detect(require_picture(frame))
        return draw(frame, self.faces)

    def draw_emotion_frame(self, img: np.ndarray, x: int, y: int, w: int, h: int) -> np.ndarray:
        """Names a face that somebody else has found, and draws box, emotion and probability into the picture.

        Args:
            img: `(H, W, 3)` uint8 RGB; it is drawn into.
            x: Left edge of the face's box in pixels, as OpenCV's detectors give it.
            y: Its upper edge.
            w: Its width.
            h: Its height.

        Returns:
            The same picture.

        Raises:
            FercompError: It is no such picture, or cannot be written to, or the box shows nothing of it.
        """
        for name, value in zip("xywh", (x, y, w, h), strict=True):
            require_number(value, name)
        box = np.array([(x, y, x + w, y + h)], dtype=np.float64)
        found = Faces.within(require_picture(img), box, np.ones(1), min_size=1)
        if len(found) == 0:
            size = f"{img.shape[1]}x{img.shape[0]}"
            raise FercompError(f"the box {(x, y, w, h)} shows nothing of a picture of {size} pixels")
        if not img.flags.writeable:  # as Pillow's and some video readers' are
            raise FercompError("the picture may not be written to: hand over img.copy()")
        recogniser = self._model.recogniser
        (picture,) = recogniser.name([recogniser.cut(np.ascontiguousarray(img), found)])
        self.faces = picture.faces
        img[...] = draw(img, self.faces)
        return img
