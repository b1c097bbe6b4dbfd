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
from fercomp.modeling.bundle.model import Bundle, load_bundle
from fercomp.modeling.training.targets import smoothed
from fercomp.modeling.training.teacher import accept_teacher


class ViewTeacher:
    """The mean of one or more models, each looking once, on the processor.

    Of a model made by `crossval`, it asks the network of a photo's own fold, which has not learned its label.

    Args:
        folders: The teachers' bundles.
        classes: The student's K classes.
        folds: By the path of a labelled photo, its fold; below 0 where it has none. Of other photos, nothing
            is known but what the teacher says.
        weight: Share of its answer in what a labelled photo is taught as.
        label_smoothing: Share of the answer that is spread evenly over all classes.

    Raises:
        FercompError: A teacher has other classes, gives points alone, or is missing or damaged.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        classes: tuple[str, ...],
        folds: Mapping[str, int],
        weight: float,
        label_smoothing: float,
    ) -> None:
        self._folds, self._weight, self._smoothing = folds, weight, label_smoothing
        self._teachers = [_Teacher(folder, classes) for folder in folders]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the teachers' fingerprints, and over the folds where these say who is asked."""
        digest = hashlib.sha256(" ".join(one.bundle.fingerprint for one in self._teachers).encode())
        if any(one.of_fold for one in self._teachers):
            digest.update(json.dumps(sorted(self._folds.items())).encode())
        return digest.hexdigest()

    def answers(self, faces: np.ndarray, paths: Sequence[str]) -> np.ndarray:
        """Says what the teachers see.

        Args:
            faces: `(n, S, S, 3)` uint8 RGB, the views.
            paths: The n photos that they show.

        Returns:
            Probabilities `(n, K)` float32.
        """
        folds = np.array([self._folds.get(path, -1) for path in paths], dtype=np.int64)
        mean: np.ndarray = np.mean([teacher.answers(faces, folds) for teacher in self._teachers], axis=0)
        return mean.astype(np.float32)

    def taught(self, targets: np.ndarray, faces: np.ndarray, paths: Sequence[str]) -> np.ndarray:
        """Mixes targets with what the teachers see.

        Args:
            targets: `(n, T)` float32, of whose columns the first K are the classes.
            faces: As of `answers`.
            paths: Likewise.

        Returns:
            `(n, T)` float32; of photos without a label, what the teachers see alone.
        """
        answers = smoothed(self.answers(faces, paths), self._smoothing)
        k = answers.shape[1]
        weights = np.array([[self._weight if path in self._folds else 1.0] for path in paths], np.float32)
        mixed = targets.copy()
        mixed[:, :k] = (1 - weights) * targets[:, :k] + weights * answers
        return mixed


Teacher = np.ndarray | ViewTeacher | None
"""What is learned beside labels: probabilities `(N, K)` of the photos, somebody to ask, or nothing."""


class _Teacher:
    """A model, and where it was cross-validated, the network of each fold."""

    def __init__(self, folder: Path, classes: tuple[str, ...]) -> None:
        accept_teacher(folder, classes)
        self.bundle = load_bundle(folder)
        folds = self.bundle.members if (folder / OOF).is_file() else ()
        # `crossval` names the network of fold 3 `<name>-3`.
        numbered = [(member.card.name.rpartition("-")[2], member) for member in folds]
        self.of_fold = {int(fold): member for fold, member in numbered if fold.isdecimal()}

    def answers(self, faces: np.ndarray, folds: np.ndarray) -> np.ndarray:
        """Returns probabilities `(n, K)` float32 of views of photos that are in these folds, `(n,)` int."""
        answers = np.empty((len(faces), len(self.bundle.card.classes)), dtype=np.float32)
        for fold in np.unique(folds):
            chosen = folds == fold
            answers[chosen] = _look(self.of_fold.get(int(fold), self.bundle), faces[chosen])
        return answers


def _look(bundle: Bundle, faces: np.ndarray) -> np.ndarray:
    as_they_are = np.zeros(len(faces), dtype=bool)  # one look each: the loader has mirrored half of them
    return bundle.predict(*(resized(faces, size) for size, _ in bundle.inputs), mirrored=as_they_are)
