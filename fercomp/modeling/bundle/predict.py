"""Photos to a table of probabilities."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.progress import count, count_done, track
from fercomp.core.tables import AXES
from fercomp.core.timing import Foretold
from fercomp.data.cache import PhotoCache, open_photos
from fercomp.faces.tta import VIEWS
from fercomp.modeling.bundle.model import Answer, Bundle

if TYPE_CHECKING:
    import pandas as pd

BATCH: Final = 64

_INSTEAD: Final = (
    "a GPU, a smaller network, or one look at each photo, not nine: the command that trained the network, "
    "with --set inference.views=false, exports and scores it anew"
)


def predict_photos(
    bundle: Bundle, raw: Path, image_paths: Sequence[str], cache: PhotoCache | None = None
) -> np.ndarray:
    """Classifies photos that are already framed on a face.

    Args:
        bundle: The model.
        raw: The folder that `image_paths` are relative to.
        image_paths: N paths.
        cache: Where decoded photos are kept; by default they are decoded each time.

    Returns:
        Probabilities `(N, K)` float32.

    Raises:
        ImageProblem: A photo cannot be read.
    """
    (answer,) = answer_parts(bundle, raw, [image_paths], cache)
    return answer.pred_probs


def answer_parts(
    bundle: Bundle, raw: Path, parts: Sequence[Sequence[str]], cache: PhotoCache | None = None
) -> Iterator[Answer]:
    """Says of one part of photos after the other all that a model can say; the time is foretold for all."""
    # Framed photos are used whole, whatever the margin: only sizes differ.
    sizes = list(dict.fromkeys(size for size, _ in bundle.inputs))
    # The device is asked for before photos are decoded, since there may be none.
    total, gpu, is_first = sum(map(len, parts)), bundle.device == "gpu", True
    foretold = Foretold(f"classifying {count(total, 'photo')}", total / BATCH, gpu, _INSTEAD)
    with track(parts, "classifying photos", "photo", total, at_once=True) as bar:
        for paths in parts:
            readers = [open_photos(raw, paths, size, cache).in_batches(BATCH, bar=False) for size in sizes]
            answers: list[Answer] = []
            for batches in zip(*readers, strict=True):
                foretold.begin()
                faces = dict(zip(sizes, batches, strict=True))
                answers.append(bundle.answer(*(faces[size] for size, _ in bundle.inputs), views=len(VIEWS)))
                count_done(bar, len(batches[0]), is_first)
                is_first = False
            yield (
                _joined(answers)
                if answers
                else bundle.answer(*(np.empty((0, size, size, 3), np.uint8) for size, _ in bundle.inputs))
            )


def _joined(answers: Sequence[Answer]) -> Answer:
    points = [answer.points for answer in answers if answer.points is not None]
    return Answer(
        np.concatenate([answer.pred_probs for answer in answers]), np.concatenate(points) if points else None
    )


def predict_table(
    bundle: Bundle, raw: Path, image_paths: Sequence[str], cache: PhotoCache | None = None
) -> "pd.DataFrame":
    """Classifies photos as `predict_photos` does.

    Returns:
        N rows: `image_path`, one float32 column of probabilities per class of the model, and `valence` and
        `arousal` where the model gives them.
    """
    (table,) = predict_tables(bundle, raw, [image_paths], cache)
    return table


def predict_tables(
    bundle: Bundle, raw: Path, parts: Sequence[Sequence[str]], cache: PhotoCache | None = None
) -> "Iterator[pd.DataFrame]":
    """Classifies one part of photos after the other, each as `predict_table` does."""
    for image_paths, answer in zip(parts, answer_parts(bundle, raw, parts, cache), strict=True):
        yield _table(bundle, image_paths, answer)


def _table(bundle: Bundle, image_paths: Sequence[str], answer: Answer) -> "pd.DataFrame":
    import pandas as pd

    table = pd.DataFrame(answer.pred_probs, columns=list(bundle.card.classes))
    table.insert(0, "image_path", list(image_paths))
    return table if answer.points is None else table.assign(**dict(zip(AXES, answer.points.T, strict=True)))
