"""Teachers that are asked about the very view of a photo that their student sees.

What a teacher says of a photo as it is says nothing of a face that was turned, blurred or covered on its way
to the student, who is then told to be sure of what nobody could see. Asked about the same view, the teacher
says what can still be seen of it (Beyer et al., 2022, "a good teacher is patient and consistent").
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fercomp.faces.tta import resized
from fercomp.modeling.bundle.card import OOF
from fercomp.modeling.bundle.model import Bundle
from fercomp.modeling.training.teacher import open_teacher


class ViewTeacher:
    """The mean of one or more models, each looking once; asked by `FaceBatches` about each batch.

    Of a model made by `crossval`, it asks the network of a photo's own fold, which has not learned its label.

    Args:
        folders: The teachers' bundles.
        classes: The student's K classes.
        folds: By the path of a training photo, its fold; below 0 where it has none.

    Raises:
        FercompError: A teacher has other classes, gives points alone, or is missing or damaged.
    """

    def __init__(self, folders: Sequence[Path], classes: tuple[str, ...], folds: Mapping[str, int]) -> None:
        self._folds = folds
        self._teachers = [_Teacher(folder, classes) for folder in folders]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the teachers' fingerprints, and over the folds where these say who is asked."""
        digest = hashlib.sha256(" ".join(one.bundle.fingerprint for one in self._teachers).encode())
        if any(one.of_fold for one in self._teachers):
            digest.update(json.dumps(sorted(self._folds.items())).encode())
        return digest.hexdigest()

    def __call__(self, faces: np.ndarray, paths: Sequence[str]) -> np.ndarray:
        """Says what the teachers see.

        Args:
            faces: `(n, S, S, 3)` uint8 RGB, the views.
            paths: The n training photos that they show.

        Returns:
            Probabilities `(n, K)` float32.
        """
        folds = np.array([self._folds[path] for path in paths], dtype=np.int64)
        answers = [teacher.says(faces, folds) for teacher in self._teachers]
        mean: np.ndarray = np.stack(answers).mean(axis=0)
        return mean.astype(np.float32)


Teacher = np.ndarray | ViewTeacher | None
"""What is learned beside labels: probabilities `(N, K)` of the photos, somebody to ask, or nothing."""


class _Teacher:
    """A model, and where it was cross-validated, the network of each fold."""

    def __init__(self, folder: Path, classes: tuple[str, ...]) -> None:
        self.bundle = open_teacher(folder, classes)
        folds = self.bundle.members if (folder / OOF).is_file() else ()
        # `crossval` names the network of fold 3 `<name>-3`.
        self.of_fold = {int(member.card.name.rpartition("-")[2]): member for member in folds}

    def says(self, faces: np.ndarray, folds: np.ndarray) -> np.ndarray:
        """Returns probabilities `(n, K)` float32 of views of photos that are in these folds, `(n,)` int."""
        answers = np.empty((len(faces), len(self.bundle.card.classes)), dtype=np.float32)
        for fold in np.unique(folds):
            chosen = folds == fold
            answers[chosen] = _look(self.of_fold.get(int(fold), self.bundle), faces[chosen])
        return answers


def _look(bundle: Bundle, faces: np.ndarray) -> np.ndarray:
    as_they_are = np.zeros(len(faces), dtype=bool)  # one look each: the loader has mirrored half of them
    return bundle.predict(*(resized(faces, size) for size, _ in bundle.inputs), mirrored=as_they_are)
