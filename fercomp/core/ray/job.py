"""What each node of a Ray cluster has to see before it works."""

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256
from fercomp.core.parallel import limit_threads
from fercomp.core.version import __version__

SHARED = "it has to be on a disk that all nodes see under this path"


@dataclass(frozen=True, kw_only=True)
class SharedJob:
    """Work on files that all nodes see.

    Attributes:
        threads: How many work at once in a process.
        sample: One of the photos.
        same: A file that is the same on all nodes: another disk may have one of that name, too.
        sum: Its SHA-256.
        version: Of fercomp.
    """

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
        if not os.path.lexists(self.sample):
            return f"does not see {self.sample}: {SHARED}"
        try:
            seen = sha256(self.same)
        except (FercompError, OSError):
            seen = ""
        return "" if seen == self.sum else f"does not see the same {self.same}: {SHARED}"

    def prepare(self) -> None:
        """Makes a process ready for the work, which may be on a node that was not there to be asked.

        Raises:
            FercompError: The node does not see what it should.
        """
        if wrong := self.wrong():
            raise FercompError(f"the Ray node {platform.node()} {wrong}")
        limit_threads(self.threads)
