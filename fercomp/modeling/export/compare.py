"""Whether an exported graph answers photos as its network does, looked at once, on the device that scores."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fercomp.core.params import Wanted
from fercomp.core.progress import say
from fercomp.data.cache import PhotoCache, open_photos
from fercomp.data.inputs import Photos
from fercomp.modeling.bundle.card import GRAPH, KERAS_MODEL, Card
from fercomp.modeling.bundle.card_keys import INFERENCE
from fercomp.modeling.bundle.graph_check import GraphCheck
from fercomp.modeling.bundle.kind import evenly
from fercomp.modeling.bundle.runtime import Network, keras_network, openvino_network
from fercomp.modeling.bundle.scorer import device_of, gpu_network
from fercomp.modeling.export.graph import COMPRESSED_TOLERANCE, TOLERANCE

if TYPE_CHECKING:
    import pandas as pd

COMPARED: Final = 256
"""Photos that graph and network are asked about, where there are so many."""

GPU_TOLERANCE: Final = 1e-3
"""As `TOLERANCE`, of a network on a GPU: fast convolution (Lavin and Gray, 2016, *Fast algorithms for
convolutional neural networks*, who measure its errors) rounds otherwise. A wrong graph is off by more."""

_BATCH: Final = 32


class _NoRoom(Exception):
    """A GPU has no memory for a single photo."""


def checked_graph(
    folder: Path,
    card: Card,
    photos: "pd.DataFrame",
    raw: Path,
    cache: PhotoCache | None = None,
    device: Wanted = "cpu",
) -> Card:
    """Compares the graph of a bundle with its Keras network on photos, unless its card says how far they are.

    Args:
        folder: The bundle, with both.
        card: Its card.
        photos: Rows of table `PHOTOS`, of which the labelled ones are taken.
        raw: The folder that their paths are relative to.
        cache: Where decoded photos are kept.
        device: Where the network computes, `machine.device`.

    Returns:
        The card, which says how far; or that the bundle runs on Keras, where that is too far.
    """
    if card.runtime != "openvino" or card.graph is not None:
        return card
    labelled = photos.loc[photos["split"] != "test", "image_path"]
    if labelled.empty:
        return card
    paths = labelled.iloc[evenly(len(labelled), COMPARED)].tolist()
    faces = open_photos(raw, paths, card.size, cache)
    gpu = device_of(folder, device) == "gpu"
    graph = openvino_network(folder / GRAPH, card.size, card.width)
    try:
        check = _differences(graph, _keras(folder, card, gpu), faces, card)
    except _NoRoom:
        say(f"{card.name} does not fit into the GPU's memory: its graph was compared on noise alone")
        return card
    allowed = GPU_TOLERANCE if gpu else TOLERANCE
    if card.trained[INFERENCE]["precision"] == "float16":
        allowed = COMPRESSED_TOLERANCE
    if check.largest <= allowed:
        return card.model_copy(update={"graph": check})
    say(f"the exported graph of {card.name} {check.told}, {allowed:g} is allowed; the bundle runs on Keras")
    return card.model_copy(update={"runtime": "keras"})


def _keras(folder: Path, card: Card, gpu: bool) -> Network:
    load = partial(keras_network, folder / KERAS_MODEL, card.size, card.width)

    def fail() -> Network:
        raise _NoRoom

    return gpu_network(load, fail, card.name) if gpu else load()


def _differences(graph: Network, network: Network, faces: Photos, card: Card) -> GraphCheck:
    largest, same = 0.0, 0
    for batch in faces.in_batches(_BATCH, bar=False):
        ours, theirs = graph(batch), network(batch)
        largest = max(largest, float(np.abs(ours - theirs).max()))
        classes = [answers[:, : len(card.classes)].argmax(axis=1) for answers in (ours, theirs)]
        same += int((classes[0] == classes[1]).sum())
    return GraphCheck(
        photos=len(faces),
        largest=float(f"{largest:.2g}"),
        same_class=None if card.head == "valence_arousal" else same,
    )
