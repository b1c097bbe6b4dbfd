"""A picture of who showed which emotion when."""

from collections import defaultdict
from pathlib import Path
from typing import Final

from fercomp.annotate.recognise.recogniser import Picture
from fercomp.core.files import atomic_file
from fercomp.core.palette import emotion_colour
from fercomp.core.progress import count
from fercomp.faces.found import known

LARGEST: Final = 12
"""People in the picture: those who are seen longest."""

GAP: Final = 0.5
"""Seconds for which a face may be out of sight without a gap in its line."""

Stretch = tuple[float, float, str]
"""Seconds at which a stretch of one emotion begins and ends, and the emotion."""


def go_on(stretches: list[Stretch], begin: float, end: float, emotion: str) -> None:
    """Goes on with the last stretch where it is of this emotion, or begins another, which ends that one."""
    if stretches and begin - stretches[-1][1] <= GAP:
        first, _, last = stretches[-1]
        stretches[-1] = (first, end if emotion == last else begin, last)
        if emotion == last:
            return
    stretches.append((begin, end, emotion))


class Timeline:
    """Collects the emotions of a clip, a stretch for each change, so that long clips take little memory.

    Args:
        step: Seconds that a frame is shown, where `add` is not told.
    """

    def __init__(self, step: float = 0.0) -> None:
        self._step = step
        self._begin: float | None = None
        self._end = 0.0
        self._stretches: dict[int, list[Stretch]] = defaultdict(list)

    @property
    def people(self) -> int:
        """How many there are."""
        return len(self._stretches)

    def add(self, picture: Picture, step: float | None = None) -> None:
        """Adds the next frame with its faces, which is shown for so many seconds."""
        faces, now = picture.faces, picture.frame.time
        self._begin = now if self._begin is None else self._begin
        self._end = now + (self._step if step is None else step)
        for track, emotion in zip(known(faces.tracks).tolist(), known(faces.emotions), strict=True):
            go_on(self._stretches[track], now, self._end, emotion)

    def longest(self) -> dict[int, list[Stretch]]:
        """Returns the stretches of those who are seen longest, by track, in the order of their tracks."""
        seen = {track: sum(end - begin for begin, end, _ in s) for track, s in self._stretches.items()}
        chosen = sorted(sorted(seen, key=lambda track: -seen[track])[:LARGEST])
        return {track: self._stretches[track] for track in chosen}

    def draw(self, title: str, path: Path) -> None:
        """Draws a line of emotions for each person, over the seconds of the clip, as a PNG.

        Args:
            title: What stands above.
            path: The PNG to write.
        """
        from matplotlib.figure import Figure

        people = self.longest()
        figure = Figure(figsize=(10, 1.6 + 0.34 * max(1, len(people))), layout="constrained")
        axes = figure.add_subplot()
        for row, stretches in enumerate(people.values()):
            for begin, end, emotion in stretches:
                axes.barh(row, end - begin, left=begin, height=0.8, color=emotion_colour(emotion))
        axes.set_yticks(range(len(people)), [f"track {track}" for track in people])
        begin = self._begin if self._begin is not None and self._begin > GAP else 0  # of a section
        axes.set(xlim=(begin, max(self._end, begin + self._step)), ylim=(max(len(people), 1) - 0.5, -0.5))
        everybody = count(self.people, "track")
        shown = everybody if len(people) == self.people else f"{len(people)} longest of {everybody}"
        # A name may have dollars in it, which would be read as a formula.
        axes.set_title(f"{title}: {shown}", parse_math=False)
        axes.set_xlabel("seconds")
        emotions = {emotion for stretches in people.values() for _, _, emotion in stretches}
        for emotion in sorted(emotions):
            axes.bar(0, 0, color=emotion_colour(emotion), label=emotion)
        if emotions:
            figure.legend(loc="outside lower center", ncols=len(emotions), fontsize=8)
        else:
            axes.text(0.5, 0.5, "no faces", transform=axes.transAxes, ha="center", va="center")
        with atomic_file(path) as temporary:
            figure.savefig(temporary, dpi=110)
