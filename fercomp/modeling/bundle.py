"""A trained model, ready to run: the card and the network of one folder, or the networks of an ensemble."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256
from fercomp.modeling.calibration import apply_temperature
from fercomp.modeling.card import CARD, GRAPH, GRAPH_WEIGHTS, KERAS_MODEL, MEMBERS, read_card


class Input(NamedTuple):
    """One way to cut out a face.

    Attributes:
        size: Side in pixels, S.
        margin: Share of a detected face's box added on each side before cropping.
    """

    size: int
    margin: float


class Bundle:
    """A trained model, ready to run.

    Args:
        folder: The bundle's folder.

    Attributes:
        folder: The bundle's folder.
        card: What the bundle says of itself.
        members: The bundles of an ensemble; none in a single network.
        inputs: The ways in which a face is to be cut out, each once: one but for ensembles of networks
            that differ in size or margin.

    Raises:
        FercompError: A card cannot be read, or a member has other classes or members of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.card = read_card(folder)
        self.members = tuple(self._member(member.name) for member in self.card.members)
        cards = [member.card for member in self.members] or [self.card]
        self.inputs = tuple(dict.fromkeys(Input(card.size, card.margin) for card in cards))

    def _member(self, name: str) -> "Bundle":
        folder = self.folder / MEMBERS / name
        card = read_card(folder)
        if card.classes != self.card.classes:
            raise FercompError(
                f"{folder} knows the classes {', '.join(card.classes)}, its ensemble "
                f"{', '.join(self.card.classes)}: build it from models of the same classes"
            )
        if card.members:
            raise FercompError(f"{folder} is an ensemble itself: build one from the networks of both")
        return Bundle(folder)

    @cached_property
    def _network(self) -> Callable[[np.ndarray], np.ndarray]:
        from fercomp.modeling.runtime import keras_network, openvino_network

        size, k = self.card.size, len(self.card.classes)
        if self.card.runtime == "openvino":
            return openvino_network(self.folder / GRAPH, size, k)
        return keras_network(self.folder / KERAS_MODEL, size, k)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over cards and networks, which tells whether results came from this bundle."""
        return f"{sha256(self.folder / CARD)[:16]}-{self._network_sha256()[:16]}"

    def _network_sha256(self) -> str:
        if self.members:
            return hashlib.sha256(" ".join(m.fingerprint for m in self.members).encode()).hexdigest()
        network = self.folder / (GRAPH_WEIGHTS if self.card.runtime == "openvino" else KERAS_MODEL)
        if not network.is_file():
            raise FercompError(f"{network} not found: train the model again")
        return sha256(network)

    def predict(self, *faces: np.ndarray, mirrored: np.ndarray | None = None) -> np.ndarray:
        """Classifies faces.

        Args:
            *faces: For each of `inputs`, in their order, the same n faces `(n, S, S, 3)` uint8 RGB from
                `faces.crop.face_input`; n may be 0.
            mirrored: `(n,)` bool. A network that averages over a face and its mirror image looks at one of
                the two only: the mirror image of these, the others as they are. In half of the time, for
                callers that average over many pictures of a face.

        Returns:
            Calibrated probabilities `(n, K)` float32, rows sum to 1.

        Raises:
            ValueError: There are more or fewer arrays, or one has another shape or dtype.
            FercompError: A network's file is missing or damaged.
        """
        n = self._check(faces)
        if n == 0:
            return np.empty((0, len(self.card.classes)), dtype=np.float32)
        if self.members:
            pred_probs = self._mean_of_members(faces, mirrored)
        elif not self.card.flip:
            pred_probs = self._network(faces[0])
        elif mirrored is None:
            both = self._network(np.concatenate([faces[0], faces[0][:, :, ::-1]]))
            pred_probs = (both[:n] + both[n:]) / 2
        else:
            pred_probs = self._network(
                np.where(mirrored[:, None, None, None], faces[0][:, :, ::-1], faces[0])
            )
        return apply_temperature(pred_probs, self.card.temperature)

    def _mean_of_members(self, faces: tuple[np.ndarray, ...], mirrored: np.ndarray | None) -> np.ndarray:
        given = dict(zip(self.inputs, faces, strict=True))
        outputs = np.stack([m.predict(given[m.inputs[0]], mirrored=mirrored) for m in self.members])
        weights = [member.weight for member in self.card.members]
        mean: np.ndarray = np.average(outputs, axis=0, weights=weights)
        return mean.astype(np.float32)

    def _check(self, faces: tuple[np.ndarray, ...]) -> int:
        """Returns the number of faces, n."""
        if len(faces) != len(self.inputs):
            raise ValueError(f"expected {len(self.inputs)} arrays of faces, got {len(faces)}")
        for array, (size, _) in zip(faces, self.inputs, strict=True):
            if array.dtype != np.uint8 or array.shape[1:] != (size, size, 3):
                raise ValueError(f"expected (n, {size}, {size}, 3) uint8, got {array.shape} {array.dtype}")
        if len({len(array) for array in faces}) > 1:
            raise ValueError(f"expected the same n in all arrays, got {[len(array) for array in faces]}")
        return len(faces[0])


def load_bundle(folder: Path) -> Bundle:
    """Opens a bundle. Its network is loaded at the first prediction.

    Raises:
        FercompError: See `Bundle`.
    """
    return Bundle(folder)
