"""A trained model, ready to run: the card and the network of one folder."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256
from fercomp.modeling.calibration import apply_temperature
from fercomp.modeling.card import CARD, GRAPH, GRAPH_WEIGHTS, KERAS_MODEL, read_card


class Bundle:
    """A trained model, ready to run.

    Args:
        folder: The bundle's folder.

    Attributes:
        folder: The bundle's folder.
        card: What the bundle says of itself.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.card = read_card(folder)

    @cached_property
    def _network(self) -> Callable[[np.ndarray], np.ndarray]:
        from fercomp.modeling.runtime import keras_network, openvino_network

        size, k = self.card.size, len(self.card.classes)
        if self.card.runtime == "openvino":
            return openvino_network(self.folder / GRAPH, size, k)
        return keras_network(self.folder / KERAS_MODEL, size, k)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the card and the network, which tells whether results came from this bundle."""
        openvino = self.card.runtime == "openvino"
        network = self.folder / (GRAPH_WEIGHTS if openvino else KERAS_MODEL)
        if not network.is_file():
            raise FercompError(f"{network} not found: train the model again")
        return "-".join(sha256(file)[:16] for file in (self.folder / CARD, network))

    def predict(self, faces: np.ndarray) -> np.ndarray:
        """Classifies faces.

        Args:
            faces: `(n, S, S, 3)` uint8 RGB from `faces.crop.face_input`; n may be 0.

        Returns:
            Calibrated probabilities `(n, K)` float32, rows sum to 1.

        Raises:
            ValueError: The array has another shape or dtype.
            FercompError: The network's file is missing or damaged.
        """
        size = self.card.size
        if faces.dtype != np.uint8 or faces.shape[1:] != (size, size, 3):
            raise ValueError(f"expected (n, {size}, {size}, 3) uint8, got {faces.shape} {faces.dtype}")
        if len(faces) == 0:
            return np.empty((0, len(self.card.classes)), dtype=np.float32)
        return apply_temperature(self._network(faces), self.card.temperature)


def load_bundle(folder: Path) -> Bundle:
    """Opens a bundle. Its network is loaded at the first prediction.

    Raises:
        FercompError: See `read_card`.
    """
    return Bundle(folder)
