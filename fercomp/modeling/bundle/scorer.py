"""What answers for a network: Keras on a GPU, OpenVINO on the processor. The only place that chooses."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.params import Wanted
from fercomp.core.progress import count, say
from fercomp.modeling.backend.choice import Device, choose_device
from fercomp.modeling.backend.hub import has_hub, needs_hub
from fercomp.modeling.bundle.card import GRAPH, KERAS_MODEL, Card
from fercomp.modeling.bundle.integrity import check_network
from fercomp.modeling.bundle.runtime import Network, keras_network, openvino_network

GPU_BATCH: Final = 64
"""Photos that a GPU looks at at once. Backends compile anew for each size, so smaller batches are filled."""


def device_of(folder: Path, wanted: Wanted) -> Device:
    """Chooses what answers for a network of a bundle.

    Args:
        folder: The bundle, of one network.
        wanted: `machine.device`.

    Returns:
        The processor, too, where there is a graph only, as in exported models, or where the network needs
        KerasHub, which is not installed. That is said where a GPU is asked for.

    Raises:
        FercompError: See `choose_device`.
    """
    model = folder / KERAS_MODEL
    if model.is_file() and (has_hub() or not needs_hub(model)):
        return choose_device(wanted)
    if wanted == "gpu":
        there = f"{folder} has no {KERAS_MODEL}, which a GPU needs"
        if model.is_file():
            there = f"{model} needs KerasHub, which is not in this environment"
        say(f"{there}: OpenVINO answers on the CPU")
    return "cpu"


def open_network(folder: Path, card: Card, device: Device) -> Network:
    """Opens a network.

    Args:
        folder: The bundle, of one network.
        card: Its card.
        device: From `device_of`.

    Returns:
        The network. Its answers differ between devices by what is on the card (`Card.graph`).

    Raises:
        FercompError: A file is missing or damaged, or is not what the card promises.
    """
    if device == "cpu":
        return _on_processor(folder, card)
    check_network(folder, card, (KERAS_MODEL,))

    def instead() -> Network:
        if card.runtime == "keras":
            raise FercompError(
                f"{folder} does not fit into the GPU's memory, and has no graph for OpenVINO: set "
                "machine.device=cpu"
            )
        return _on_processor(folder, card)

    return gpu_network(lambda: keras_network(folder / KERAS_MODEL, card.size, card.width), instead, card.name)


def _on_processor(folder: Path, card: Card) -> Network:
    if card.runtime == "openvino" and (has_openvino() or not (folder / KERAS_MODEL).is_file()):
        return openvino_network(folder / GRAPH, card.size, card.width)
    if card.runtime == "openvino":
        say(f"OpenVINO is not installed: Keras answers for {card.name}")
        check_network(folder, card, (KERAS_MODEL,))
    return keras_network(folder / KERAS_MODEL, card.size, card.width)


@cache
def has_openvino() -> bool:
    """Says whether OpenVINO is there: in a kernel at Kaggle without internet it may not be."""
    return find_spec("openvino") is not None


def gpu_network(load: Callable[[], Network], instead: Callable[[], Network], name: str) -> Network:
    """Wraps a network that computes on a GPU, whose memory may end.

    A batch that does not fit is halved. Where a single photo does not fit, the processor goes on. Both are
    said.

    Args:
        load: Loads the network onto the GPU.
        instead: Opens what goes on.
        name: The model's name.

    Returns:
        The network, for one thread. It gets full batches only.
    """
    from fercomp.modeling.backend.devices import is_out_of_memory, whole_float32

    network: Network | None = None
    batch = GPU_BATCH  # 0 once it is on the processor

    def run(faces: np.ndarray) -> np.ndarray:
        nonlocal network, batch
        answers: list[np.ndarray] = []
        while left := len(faces) - sum(map(len, answers)):
            part = faces[-left:][:batch] if batch else faces[-left:]
            try:
                with whole_float32():
                    network = network or load()
                    answers.append(network(_filled(part, batch))[: len(part)])
            except Exception as error:
                if not batch or not is_out_of_memory(error):
                    raise
                batch = batch // 2 if network else 0
                if batch:
                    fewer = count(batch, "photo")
                    say(f"{name}: the batch did not fit into the GPU's memory: going on with {fewer}")
                else:
                    say(f"{name} does not fit into the GPU's memory: going on on the CPU")
                    network = instead()
        return np.concatenate(answers)

    return run


def _filled(faces: np.ndarray, batch: int) -> np.ndarray:
    """Returns n faces, and empty ones after them where they are fewer than a batch."""
    lacking = batch - len(faces)
    return np.pad(faces, ((0, lacking), (0, 0), (0, 0), (0, 0))) if lacking > 0 else faces
