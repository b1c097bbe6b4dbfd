"""Times what scores the holdout against an epoch of training, on the device that there is.

    python benchmarks/scoring.py MODEL [DEVICE]

To be run in the folder of a competition, with a model that `fercomp train` wrote there. DEVICE is `auto`,
`cpu` or `gpu`. Steps of training are timed on noise, photos that are scored come from the cache.
"""

import sys
import time
from pathlib import Path

import numpy as np

from fercomp.core.params import TrainParams
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS
from fercomp.core.timing import seconds_each
from fercomp.data.cache import PhotoCache
from fercomp.modeling.bundle.card import Card, read_card
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.predict import predict_photos
from fercomp.modeling.export.compare import checked_graph

FIRST = 128
"""Photos that are scored before the clock: the network is loaded and compiled."""


def main(model: str, device: str = "auto") -> None:
    """Prints seconds of an epoch and of the holdout by one view and by nine, and how far the graph is off."""
    workspace = Workspace()
    folder = workspace.bundle(model)
    photos, card = PHOTOS.read(workspace.photos), read_card(folder)
    paths = photos.loc[photos["split"] == "holdout", "image_path"].tolist()
    cache = PhotoCache(workspace.decoded)
    epoch = int((photos["split"] == "train").sum()) * seconds_of_training(card)
    print(f"{card.backbone}, {card.size} pixels, asked for {device}: an epoch takes {epoch:.1f} s")
    for views in (False, True):
        bundle = load_bundle(folder, device)
        bundle.card = card.model_copy(update={"views": views, "flip": False})
        predict_photos(bundle, workspace.raw, paths[:FIRST], cache)
        start = time.perf_counter()
        predict_photos(bundle, workspace.raw, paths, cache)
        taken = time.perf_counter() - start
        print(
            f"{9 if views else 1} views of {len(paths):,} photos on the {bundle.device}: {taken:.1f} s, "
            f"{taken / epoch:.3f} of an epoch, {len(paths) / taken:,.0f} photos/s"
        )
    unknown = card.model_copy(update={"graph": None})
    checked = checked_graph(folder, unknown, photos, workspace.raw, cache, device)
    print(f"the graph {checked.graph.told}" if checked.graph else "the graph is too far off")


def seconds_of_training(card: Card) -> float:
    """Returns the seconds that a photo takes in a step of fine-tuning, as the model was trained."""
    from fercomp.modeling.backend.devices import all_devices, precision
    from fercomp.modeling.backend.engine import keras
    from fercomp.modeling.training.network import build_network

    params = TrainParams.model_validate(card.trained["params"])
    with precision(params.precision), all_devices():
        model = build_network(
            card.backbone, card.size, classes=len(card.classes), head=card.head, hidden=params.hidden
        )
        model.compile(keras.optimizers.AdamW(), "mean_squared_error")
        faces = np.zeros((params.batch_size, card.size, card.size, 3), dtype=np.uint8)
        targets = np.zeros((params.batch_size, card.width), dtype=np.float32)
        return seconds_each(lambda: model.train_on_batch(faces, targets), times=10) / params.batch_size


if __name__ == "__main__":
    if len(sys.argv) < 2 or not Path("datasets").is_dir():
        sys.exit(__doc__)
    main(*sys.argv[1:])
