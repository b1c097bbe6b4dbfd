"""Whether the competition's photos are of another kind than those that models have learned from."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS
from fercomp.modeling.bundle.card import read_card
from fercomp.modeling.bundle.kind import evenly, other_kind


def other_photos(workspace: Workspace, folders: Iterable[Path]) -> dict[str, str]:
    """Looks at some test photos, and at no network.

    Args:
        workspace: Where the index and the photos are.
        folders: Bundles.

    Returns:
        By the name of a bundle's folder a line on how the photos differ; none where they do not, where the
        card does not say what the model learned from, and where there are no photos.
    """

    @cache
    def faces(size: int) -> np.ndarray:
        from fercomp.data.inputs import readable_faces

        photos = PHOTOS.read(workspace.photos)
        paths = photos.loc[photos["split"] == "test", "image_path"].tolist()
        some = [paths[i] for i in evenly(len(paths))]
        return np.array(readable_faces(workspace.raw, some, size, len(some))[1])

    told = {}
    for folder in folders:
        try:
            card = read_card(folder)
            told[folder.name] = other_kind(card.kind, faces(card.size)) if card.kind else ""
        except (FercompError, ImportError):  # told by the rows of these
            continue
    return {name: line for name, line in told.items() if line}
