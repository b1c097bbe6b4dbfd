"""The group `machine` of `params.yaml`: what this machine can bear."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from fercomp.core.params.group import Group

Wanted = Literal["auto", "cpu", "gpu"]
"""A device as it is asked for."""


class MachineParams(Group):
    """What this machine can bear. No result depends on it.

    Attributes:
        cache_gb: Decoded photos are kept in `datasets/.photos` up to this size; what finds no room there is
            decoded whenever it is needed. 0 keeps none.
        workers: Most threads that read, look at or change photos at once. `null`: one for each core, and four
            where photos are only read.
        device: What trains and answers for many photos. `auto`: a GPU where Keras sees one, else the
            processor; `cpu`: the processor, whatever is there; `gpu`: no work is begun where Keras sees no
            GPU. `annotate` and `live` run on the processor.
        hosts_wait: Seconds after which a training over several hosts ends where a process does not come at
            the start, or has fallen silent.
    """

    cache_gb: Annotated[float, Field(ge=0, le=1e6)] = 20.0
    workers: Annotated[int, Field(ge=1)] | None = None
    device: Wanted = "auto"
    hosts_wait: Annotated[float, Field(ge=1, le=86400)] = 120.0

    @model_validator(mode="before")
    @classmethod
    def _memory_gb_is_no_more(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "memory_gb" in values:
            raise ValueError(
                "memory_gb is no more, decoded photos are kept on disk: write cache_gb, such as 20"
            )
        return values


BARE: Final = MachineParams(cache_gb=0.0, device="cpu")
"""What every machine has: a processor that answers, and no room for decoded photos."""
