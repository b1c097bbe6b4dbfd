"""A trained model, ready to run: the card and the network of one folder, or the networks of an ensemble."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256
from fercomp.core.parallel import in_order, threads
from fercomp.core.params import Wanted
from fercomp.decisions.calibration import apply_temperature
from fercomp.decisions.circumplex import decoded_probs
from fercomp.faces.tta import VIEWS, View, seen
from fercomp.modeling.backend.choice import Device
from fercomp.modeling.bundle.card import CARD, DECISION, MEMBERS, read_card
from fercomp.modeling.bundle.integrity import check_network, checked_outputs
from fercomp.modeling.bundle.runtime import Network
from fercomp.modeling.bundle.scorer import device_of, open_network

_VIEWERS: Final = 4
"""Most threads that make the views of photos: a GPU looks at them sooner than one could."""


class Input(NamedTuple):
    """One way to cut out a face.

    Attributes:
        size: Side in pixels, S.
        margin: Share of a detected face's box added on each side before cropping.
    """

    size: int
    margin: float


class Answer(NamedTuple):
    """What a model says of n faces.

    Attributes:
        pred_probs: Calibrated probabilities `(n, K)` float32, rows sum to 1.
        points: Valence and arousal `(n, 2)` float32, -1 to 1 each; `None` where the model gives none.
    """

    pred_probs: np.ndarray
    points: np.ndarray | None

    def split(self, ends: np.ndarray) -> "list[Answer]":
        """Returns the answers of the faces before, between and after some numbers of faces."""
        pred_probs = np.split(self.pred_probs, ends)
        points = [None] * len(pred_probs) if self.points is None else np.split(self.points, ends)
        return [Answer(*part) for part in zip(pred_probs, points, strict=True)]


class Bundle:
    """A trained model, ready to run.

    Args:
        folder: The bundle's folder.
        wanted: What is to answer, `machine.device`; by default the processor, which starts at once.

    Attributes:
        folder: The bundle's folder.
        card: What the bundle says of itself.
        members: The bundles of an ensemble; none in a single network.
        inputs: The ways in which a face is to be cut out, each once: one but for ensembles of networks
            that differ in size or margin.

    Raises:
        FercompError: A card cannot be read, or a member has other classes or members of its own.
    """

    def __init__(self, folder: Path, wanted: Wanted = "cpu") -> None:
        self.folder = folder
        self._wanted = wanted
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
        return Bundle(folder, self._wanted)

    @cached_property
    def device(self) -> Device:
        """What answers: `gpu` where it does so for one network at least."""
        if self.members:
            return "gpu" if "gpu" in [member.device for member in self.members] else "cpu"
        return device_of(self.folder, self._wanted)

    @cached_property
    def _network(self) -> Network:
        self._sums  # noqa: B018 - refuses another network's files before they are read
        network = open_network(self.folder, self.card, self.device)
        return lambda faces: checked_outputs(network(faces), self.folder, self.card)

    @cached_property
    def _sums(self) -> Mapping[str, str]:
        return check_network(self.folder, self.card)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over cards, decisions and networks, which tells whether results came from this bundle."""
        said = [sha256(self.folder / file) for file in (CARD, DECISION) if (self.folder / file).is_file()]
        card = said[0] if len(said) == 1 else hashlib.sha256(" ".join(said).encode()).hexdigest()
        return f"{card[:16]}-{self._network_sha256()[:16]}"

    def _network_sha256(self) -> str:
        if self.members:
            return hashlib.sha256(" ".join(m.fingerprint for m in self.members).encode()).hexdigest()
        return self._sums[self.card.network[-1]]

    def predict(self, *faces: np.ndarray, mirrored: np.ndarray | None = None) -> np.ndarray:
        """Classifies faces: the probabilities of `answer`, `(n, K)` float32."""
        return self.answer(*faces, mirrored=mirrored).pred_probs

    def answer(self, *faces: np.ndarray, mirrored: np.ndarray | None = None, views: int = 0) -> Answer:
        """Says everything the model can say of faces, with one call of each network.

        Args:
            *faces: For each of `inputs`, in their order, the same n faces `(n, S, S, 3)` uint8 RGB from
                `faces.crop.face_input`; n may be 0.
            mirrored: `(n,)` bool. A network that averages over a face and its mirror image looks at one of
                the two only: the mirror image of these, the others as they are. In half of the time, for
                callers that average over many pictures of a face.
            views: There is time to look more than once: a network whose card says that it gains by that
                averages over so many views of each face, the first ones of `faces.tta.VIEWS`.

        Returns:
            Probabilities; and points, where the model gives them.

        Raises:
            ValueError: There are more or fewer arrays, or one has another shape or dtype.
            FercompError: A network's file is missing or damaged.
        """
        outputs, head, k = self._outputs(faces, mirrored, views), self.card.head, len(self.card.classes)
        points = None if head == "emotion" else np.clip(outputs[:, -2:], -1.0, 1.0)
        if points is not None and head == "valence_arousal":
            pred_probs = decoded_probs(points, self.card.classes)
        else:
            pred_probs = outputs[:, :k]
        return Answer(apply_temperature(pred_probs, self.card.temperature), points)

    def _outputs(self, faces: tuple[np.ndarray, ...], mirrored: np.ndarray | None, views: int) -> np.ndarray:
        """Returns what the network gives, `(n, W)` float32: means over members, views and mirror images."""
        n = self._check(faces)
        if n == 0:
            return np.empty((0, self.card.width), dtype=np.float32)
        if self.members:
            return self._mean_of_members(faces, mirrored, views)
        if views and self.card.views:
            return self._mean_of_views(faces[0], VIEWS[:views])
        return self._look(faces[0], mirrored)

    def _look(self, faces: np.ndarray, mirrored: np.ndarray | None) -> np.ndarray:
        if not self.card.flip:
            return self._network(faces)
        if mirrored is None:
            both = self._network(np.concatenate([faces, faces[:, :, ::-1]]))
            mean: np.ndarray = (both[: len(faces)] + both[len(faces) :]) / 2
            return mean
        return self._network(np.where(mirrored[:, None, None, None], faces[:, :, ::-1], faces))

    def _mean_of_views(self, faces: np.ndarray, views: Sequence[View]) -> np.ndarray:
        with ThreadPoolExecutor(threads(_VIEWERS)) as pool:  # a network is not to wait for the next view
            looks = in_order(pool, partial(seen, faces), views, _VIEWERS)
            mean: np.ndarray = np.mean([self._network(look) for look in looks], axis=0)
        return mean

    def _mean_of_members(
        self, faces: tuple[np.ndarray, ...], mirrored: np.ndarray | None, views: int
    ) -> np.ndarray:
        given = dict(zip(self.inputs, faces, strict=True))
        outputs = np.stack(
            [m.answer(given[m.inputs[0]], mirrored=mirrored, views=views).pred_probs for m in self.members]
        )
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


def load_bundle(folder: Path, wanted: Wanted = "cpu") -> Bundle:
    """Opens a bundle, as `Bundle` does. Its network is loaded at the first prediction."""
    return Bundle(folder, wanted)
