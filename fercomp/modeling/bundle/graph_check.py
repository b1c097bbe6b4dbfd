"""What a card says of a graph: how far its answers are from those of the network that it comes from."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from fercomp.core.params import Group


class GraphCheck(Group):
    """How far a graph's answers are from those of its network, on photos.

    Attributes:
        photos: How many both were asked about, by one view each.
        largest: Largest difference of a number that they gave, with two digits.
        same_class: Of how many photos both name the same class; `null` where they give points alone.
    """

    photos: int = Field(ge=1)
    largest: Annotated[float, Field(ge=0, le=1e6)]
    same_class: Annotated[int, Field(ge=0)] | None

    @model_validator(mode="after")
    def _of_these_photos(self) -> Self:
        if self.same_class is not None and self.same_class > self.photos:
            raise ValueError(f"the same class is named for {self.same_class} of {self.photos} photos")
        return self

    @property
    def told(self) -> str:
        """The same in words."""
        same = "" if self.same_class is None else f"; the same class for {self.same_class:,} of them"
        return f"differs by {self.largest:.2g} at most on {self.photos:,} photos{same}"


def worst_check(checks: Sequence[GraphCheck | None]) -> GraphCheck | None:
    """Returns what holds for all graphs of an ensemble; `None` where a card does not say it."""
    known = [check for check in checks if check]
    if not known or len(known) < len(checks):
        return None
    # Not each was compared on as many photos, so their number goes with that of the same class.
    worst = min(known, key=lambda check: (check.same_class or 0) / check.photos)
    return worst.model_copy(update={"largest": max(check.largest for check in known)})
