"""What a reviewer did step by step, so that it can be taken back."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

_Photo = TypeVar("_Photo", bound=Hashable)

Change = tuple[str | None, str | None]
"""The decision on a photo before a step and after it; `None`: none."""


class ReviewSteps(Generic[_Photo]):
    """The decisions that hold, and the steps that led to them.

    A step that takes back the one before it, and nothing else, is an undo: both are forgotten. So the steps
    of a journal are known from its decisions alone.

    Attributes:
        decided: The decisions that hold, by photo.
        done: The steps that can be taken back, the last one last: the change of each photo.

    Example:
        >>> steps = ReviewSteps[str]()
        >>> steps.take([("a.png", "happy"), ("b.png", "happy")])
        >>> steps.take([("a.png", "sad")])
        >>> steps.take([("a.png", "happy")])
        >>> steps.done
        [{'a.png': (None, 'happy'), 'b.png': (None, 'happy')}]
    """

    def __init__(self) -> None:
        self.decided: dict[_Photo, str] = {}
        self.done: list[dict[_Photo, Change]] = []

    def take(self, step: Iterable[tuple[_Photo, str | None]]) -> None:
        """Takes a step: decisions on photos, `None` where one is taken back."""
        changes: dict[_Photo, Change] = {}
        for photo, label in step:
            before = changes[photo][0] if photo in changes else self.decided.get(photo)
            changes[photo] = before, label
        changes = {photo: change for photo, change in changes.items() if change[0] != change[1]}
        for photo, (_, label) in changes.items():
            if label is None:
                del self.decided[photo]
            else:
                self.decided[photo] = label
        if self.done and changes == {photo: (b, a) for photo, (a, b) in self.done[-1].items()}:
            self.done.pop()
        elif changes:
            self.done.append(changes)
