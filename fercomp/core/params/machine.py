"""The group `machine` of `params.yaml`: what this machine can bear."""

from typing import Annotated

from pydantic import Field

from fercomp.core.params.group import Group


class MachineParams(Group):
    """What this machine can bear. No result depends on it.

    Attributes:
        memory_gb: Decoded photos are kept in memory up to this size, and read anew each epoch above it.
        workers: Most threads that read, look at or change photos at once. `null`: one for each core, and four
            where photos are only read.
    """

    memory_gb: Annotated[float, Field(ge=0)] = 2.0
    workers: Annotated[int, Field(ge=1)] | None = None
