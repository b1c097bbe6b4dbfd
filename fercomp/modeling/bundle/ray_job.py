"""What each node of a Ray cluster has to know and to see before a model answers there."""

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256
from fercomp.core.parallel import limit_threads
from fercomp.core.params import Wanted
from fercomp.core.version import __version__
from fercomp.modeling.bundle.find import CAME_ALONG
from fercomp.modeling.bundle.model import Bundle, load_bundle


@dataclass(frozen=True)
class ModelJob:
    """A model, and the files that it is asked about.

    Attributes:
        bundle: The model's folder, or the name of one that comes with fercomp, which lies elsewhere there.
        fingerprint: The model's.
        device: What is to answer.
        threads: How many work at once in an actor.
        sample: One of the photos.
        same: A file that is the same on all nodes: another disk may have one of that name, too.
        sum: Its SHA-256.
        version: Of fercomp.
    """

    bundle: Path | str
    fingerprint: str
    device: Wanted
    threads: int
    sample: Path
    same: Path
    sum: str = field(init=False)
    version: str = field(init=False, default=__version__)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sum", sha256(self.same))

    def wrong(self) -> str:
        """Says what is other on this node than it should be; nothing where all is well."""
        if self.version != __version__:
            return f"has fercomp {__version__}, this machine {self.version}: install the same on both"
        shared = "it has to be on a disk that all nodes see under this path"
        if not os.path.lexists(self.sample):
            return f"does not see {self.sample}: {shared}"
        try:
            seen = sha256(self.same)
        except (FercompError, OSError):
            seen = ""
        if seen != self.sum:
            return f"does not see the same {self.same}: {shared}"
        try:
            fingerprint = self.load().fingerprint
        except (FercompError, OSError) as error:
            return f"cannot use the model ({error}): {shared}"
        return "" if fingerprint == self.fingerprint else f"has another model in {self.bundle}: {shared}"

    def load(self) -> Bundle:
        """Opens the model."""
        folder = CAME_ALONG[self.bundle] if isinstance(self.bundle, str) else self.bundle
        return load_bundle(folder, self.device)

    def begin(self) -> Bundle:
        """Opens the model in an actor, which may be on a node that was not there to be asked.

        Raises:
            FercompError: The node does not see what it should.
        """
        if wrong := self.wrong():
            raise FercompError(f"the Ray node {platform.node()} {wrong}")
        limit_threads(self.threads)
        return self.load()


def known_as(folder: Path) -> Path | str:
    """Returns by what nodes find a model, `ModelJob.bundle`."""
    names = {place: name for name, place in CAME_ALONG.items()}
    return names.get(folder) or folder.absolute()
