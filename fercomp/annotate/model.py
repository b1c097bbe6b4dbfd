"""The Python API: a trained model that finds the faces in pictures and names their emotions."""

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, overload

import numpy as np

from fercomp.annotate.options import Options
from fercomp.annotate.recognise.recogniser import PHOTO_VIEWS, Picture
from fercomp.annotate.workers import workers
from fercomp.core.arguments import require_path, wrong_type
from fercomp.core.errors import FercompError
from fercomp.core.parallel import in_order, threads
from fercomp.core.paths import Workspace, at_home
from fercomp.faces.crop import require_picture
from fercomp.faces.detect import DETECTORS
from fercomp.faces.found import MIN_SIZE, Faces
from fercomp.media.images import decode_image, read_file
from fercomp.modeling.bundle.find import resolve_model
from fercomp.modeling.bundle.model import Bundle, load_bundle
from fercomp.modeling.bundle.predict import predict_table

if TYPE_CHECKING:
    import pandas as pd

ImageLike = str | os.PathLike[str] | np.ndarray
"""A file, or the pixels of a picture `(h, w, 3)` uint8 RGB. What OpenCV reads is BGR: `image[..., ::-1]`."""

Each = TypeVar("Each", str, Path, np.ndarray, ImageLike)

TOGETHER: Final = 8
"""Pictures of a list whose faces are classified with one call of the network."""


class Model:
    """A trained model, ready to find the faces in pictures and to name their emotions.

        model = fercomp.load("shipped")
        faces = model.detect("party.jpg")
        faces.to_frame()
        fercomp.draw(fercomp.read_image("party.jpg"), faces)

    Args:
        bundle: The trained model.
        options: How to look for faces.

    Attributes:
        bundle: The trained model.
        name: The name of its folder.
        classes: Its K class names.
        recogniser: What finds and names faces.

    Raises:
        FercompError: These are no such things, or the face detector cannot be made.
    """

    def __init__(self, bundle: Bundle, options: Options | None = None) -> None:
        if not isinstance(bundle, Bundle):
            raise wrong_type("a bundle", bundle, "fercomp.load loads a model by its name or folder")
        if not isinstance(options, Options | None):
            raise wrong_type("fercomp.annotate.options.Options", options, "leave them out for the defaults")
        self.bundle = bundle
        self.name = bundle.folder.name
        self.classes = bundle.card.classes
        self.recogniser = (options or Options()).recogniser(bundle)

    def __repr__(self) -> str:
        return f"<fercomp.Model {self.name}: {self.bundle.folder}>"

    @overload
    def detect(self, image: ImageLike) -> Faces: ...
    @overload
    def detect(self, image: list[Each]) -> list[Faces]: ...
    def detect(self, image: ImageLike | list[Each]) -> Faces | list[Faces]:
        """Finds the faces in a picture and names their emotions.

        Args:
            image: A file, `(h, w, 3)` uint8 RGB, or a list of such, which are worked on together.

        Returns:
            The picture's faces; for a list a list, in the same order.

        Raises:
            FercompError: It is no such picture, or its file cannot be used.
        """
        if not isinstance(image, list):
            return self.recogniser.name([self._look(image)])[0].faces
        found: list[Faces] = []
        with workers(threads()) as pool:
            looked = in_order(pool, self._look, image, ahead=TOGETHER)
            while group := list(islice(looked, TOGETHER)):
                found += [picture.faces for picture in self.recogniser.name(group)]
        return found

    def predict(self, paths: Iterable[str | os.PathLike[str]]) -> "pd.DataFrame":
        """Takes each photo for one face, whole, as the competition does, and names its emotion.

        Args:
            paths: N photos that are cut out around a face.

        Returns:
            N rows: `image_path`, `emotion`, `confidence` (the probability of that class; of the likeliest one
            where it is `uncertain`), a column of probabilities for each class, and `valence` and `arousal`
            where the model gives them. The very numbers of `fercomp predict`, nine looks among them; that may
            also count the labels of a photo's copies.

        Raises:
            FercompError: A photo cannot be used.
        """
        if not isinstance(paths, Iterable | os.PathLike) or isinstance(paths, np.ndarray):
            raise wrong_type("paths of photos", paths, "`detect` takes arrays")
        each = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
        if any(isinstance(path, np.ndarray) for path in each):
            raise FercompError("expected paths of photos, got ndarray: `detect` takes arrays")
        names = [require_path(path, "paths of photos") for path in each]
        table = predict_table(self.bundle, Path(), names)
        pred_probs, rule = table[list(self.classes)].to_numpy(np.float32), self.recogniser.rule
        table.insert(1, "emotion", rule.labels(pred_probs))
        table.insert(2, "confidence", rule.confidences(pred_probs))
        return table

    def _look(self, image: ImageLike) -> Picture:
        if isinstance(image, str | os.PathLike):
            name = require_path(image, "the file of a picture")
            data = read_file(Path(name))
            return self.recogniser.look(decode_image(data, name), data)
        return self.recogniser.look(np.ascontiguousarray(require_picture(image)))


def load(
    model: str | Path | None = None,
    *,
    detector: str = DETECTORS[0],
    min_score: float | None = None,
    min_size: float = MIN_SIZE,
    views: int = PHOTO_VIEWS,
    uncertain: bool = True,
) -> Model:
    """Loads a trained model.

        fercomp.load("shipped-large")                    # comes with fercomp, for photos
        fercomp.load("shipped")                          # likewise, half of the time, for clips
        fercomp.load("compact")                          # models/compact, below the current folder
        fercomp.load("~/backup/compact")                 # any model's folder
        fercomp.load("shipped", detector="haar_alt2")

    Args:
        model: `shipped`, `shipped-large`, the name of an experiment, or the path of a model's folder. `None`
            takes the model trained last under `models/`, but for those of `bench` and `study`, and where
            there is none, `shipped-large`; the model's `name` says which.
        detector: Who looks for faces: one of `faces.detect.DETECTORS`. `whole` takes each picture for a face.
        min_score: Lowest score of a face; `None` for the detector's own.
        min_size: Lowest longer side of a face in pixels.
        views: Looks of `detect` at each face, 1 to 9, by models that gain by it; time grows with them.
        uncertain: Whether a face may be called `uncertain`; otherwise it has the likeliest emotion.

    Raises:
        FercompError: There is no such model or detector, or an option is out of range.
    """
    named = None if model is None else at_home(require_path(model, "a model's name or folder"))
    folder = resolve_model(named, Workspace())
    return Model(
        load_bundle(folder), Options(detector, min_score, min_size, views=views, uncertain=uncertain)
    )
