"""What each node of a Ray cluster has to know and to see before a model answers there."""

from dataclasses import dataclass
from pathlib import Path

from fercomp.core.errors import FercompError
from fercomp.core.params import Wanted
from fercomp.core.ray.job import SHARED, SharedJob
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.model import Bundle, load_bundle


@dataclass(frozen=True, kw_only=True)
class ModelJob(SharedJob):
    """A model, and the files that it is asked about.

    Attributes:
        bundle: The model's folder, or the name of one that comes with fercomp, which lies elsewhere there.
        fingerprint: The model's.
        device: What is to answer.
    """

    bundle: Path | str
    fingerprint: str
    device: Wanted

    def wrong(self) -> str:
        """Says what is other on this node than it should be; nothing where all is well."""
        if wrong := super().wrong():
            return wrong
        try:
            fingerprint = self.load().fingerprint
        except (FercompError, OSError) as error:
            return f"cannot use the model ({error}): {SHARED}"
        return "" if fingerprint == self.fingerprint else f"has another model in {self.bundle}: {SHARED}"

    def load(self) -> Bundle:
        """Opens the model."""
        folder = CAME_ALONG[self.bundle] if isinstance(self.bundle, str) else self.bundle
        return load_bundle(folder, self.device)

    def begin(self) -> Bundle:
        """Opens the model in an actor.

        Raises:
            FercompError: The node does not see what it should.
        """
        self.prepare()
        return self.load()


def known_as(folder: Path) -> Path | str:
    """Returns by what nodes find a model, `ModelJob.bundle`."""
    names = {place: name for name, place in CAME_ALONG.items()}
    return names.get(folder) or folder.absolute()
