"""Facial-emotion recognition for a competition with noisy labels, and for showing it to people.

    import fercomp

    model = fercomp.load("shipped")
    faces = model.detect("party.jpg")
    faces.to_frame()

Nothing else is imported until one of these names is used for the first time.
"""

from typing import TYPE_CHECKING

from fercomp.core.version import __version__

if TYPE_CHECKING:
    from fercomp.annotate.drawing.draw import draw
    from fercomp.annotate.face_emotions import FaceEmotionsModel, FrameWithEmotion
    from fercomp.annotate.model import Model, load
    from fercomp.core.classes import EMOTIONS
    from fercomp.core.errors import FercompError
    from fercomp.faces.found import Faces
    from fercomp.media.images import read_image

__all__ = [
    "EMOTIONS",
    "FaceEmotionsModel",
    "Faces",
    "FercompError",
    "FrameWithEmotion",
    "Model",
    "__version__",
    "draw",
    "load",
    "read_image",
]

_PLACES = {
    "EMOTIONS": "fercomp.core.classes",
    "FaceEmotionsModel": "fercomp.annotate.face_emotions",
    "Faces": "fercomp.faces.found",
    "FercompError": "fercomp.core.errors",
    "FrameWithEmotion": "fercomp.annotate.face_emotions",
    "Model": "fercomp.annotate.model",
    "draw": "fercomp.annotate.drawing.draw",
    "load": "fercomp.annotate.model",
    "read_image": "fercomp.media.images",
}

# Hidden from type checkers, which would take every misspelt name for one that is looked up here.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Imports a public name when it is first used (PEP 562)."""
        if name not in _PLACES:
            raise AttributeError(f"module 'fercomp' has no attribute {name!r}")
        from importlib import import_module

        try:
            value = getattr(import_module(_PLACES[name]), name)
        except ImportError as error:
            if error.name != "cv2":
                raise
            from fercomp.core.errors import FercompError

            raise FercompError(
                f"fercomp.{name} needs OpenCV, which cannot be loaded ({error}): "
                'pip install "opencv-python-headless>=4.12,<5"'
            ) from error
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
