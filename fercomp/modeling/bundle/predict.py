"""Photos to a table of probabilities."""

from collections.abc import Sequence
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
    "a GPU, a smaller network, or one trained with inference.views=false, which looks once, not nine times"
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
    return answer_photos(bundle, raw, image_paths, cache).pred_probs


def answer_photos(
    bundle: Bundle, raw: Path, image_paths: Sequence[str], cache: PhotoCache | None = None
) -> Answer:
    """Says everything a model can say of photos, as `predict_photos` does."""
    # Framed photos are used whole, whatever the margin: only sizes differ.
    sizes = list(dict.fromkeys(size for size, _ in bundle.inputs))
    # The device is asked for before photos are decoded, since there may be none.
    what, gpu = f"classifying {count(len(image_paths), 'photo')}", bundle.device == "gpu"
    foretold = Foretold(what, len(image_paths) / BATCH, gpu, _INSTEAD)
    readers = [open_photos(raw, image_paths, size, cache).in_batches(BATCH, bar=False) for size in sizes]
    parts: list[Answer] = []
    with track(image_paths, "classifying photos", "photo", at_once=True) as bar:
        for batches in zip(*readers, strict=True):
            foretold.begin()
            faces = dict(zip(sizes, batches, strict=True))
            parts.append(bundle.answer(*(faces[size] for size, _ in bundle.inputs), views=len(VIEWS)))
            count_done(bar, len(batches[0]), is_first=len(parts) == 1)
    if not parts:
        return bundle.answer(*(np.empty((0, size, size, 3), np.uint8) for size, _ in bundle.inputs))
    points = [part.points for part in parts if part.points is not None]
    return Answer(
        np.concatenate([part.pred_probs for part in parts]), np.concatenate(points) if points else None
    )


def predict_table(
    bundle: Bundle, raw: Path, image_paths: Sequence[str], cache: PhotoCache | None = None
) -> "pd.DataFrame":
    """Classifies photos as `predict_photos` does.

    Returns:
        N rows: `image_path`, one float32 column of probabilities per class of the model, and `valence` and
        `arousal` where the model gives them.
    """
    import pandas as pd

    answer = answer_photos(bundle, raw, image_paths, cache)
    table = pd.DataFrame(answer.pred_probs, columns=list(bundle.card.classes))
    table.insert(0, "image_path", list(image_paths))
    return table if answer.points is None else table.assign(**dict(zip(AXES, answer.points.T, strict=True)))
