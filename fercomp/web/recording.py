"""A recording of `fercomp live`: its rows, where it has gaps, and the timeline that is shown when it ends."""

from pathlib import Path
from typing import Any, Final

from fercomp.annotate.drawing.timeline import Timeline
from fercomp.annotate.recognise.recogniser import Picture
from fercomp.annotate.records.file import RecordFormat, Records
from fercomp.annotate.records.rows import columns, frame_rows, problem_row
from fercomp.core.csv_table import FLOAT_FORMAT
from fercomp.faces.track import LONGEST_STEP

LONG_STEP: Final = 1.0
"""Seconds without a frame that are a gap, and three times as long as the step before."""

_SOURCE: Final = "camera"


class Pace:
    """Tells a slow camera from one that does not come: in a background tab, asleep, or unplugged."""

    def __init__(self) -> None:
        self._time: float | None = None
        self._step: float | None = None

    def step(self, time: float) -> tuple[float, bool]:
        """Returns the seconds since the frame before, and whether something is missing between the two.

        Args:
            time: Seconds; of the first frame the step is 0.
        """
        passed = 0.0 if self._time is None else time - self._time
        missing = passed > self._most()
        self._step = passed if self._time is not None else None
        self._time = time
        return passed, missing

    def missing(self, time: float) -> float:
        """Returns the seconds that are missing up to now, 0 where the next frame may still be on its way."""
        passed = 0.0 if self._time is None else time - self._time
        return passed if passed > self._most() else 0.0

    def _most(self) -> float:
        return LONGEST_STEP if self._step is None else min(max(LONG_STEP, 3 * self._step), LONGEST_STEP)


class Recording:
    """What the camera shows from now on, written down frame by frame.

    A gap has a row of its own, with the status `gap`: its `time` is where it begins, its note how long it is.

    Args:
        path: The file, which must not be there.
        kind: Its format.
        classes: The model's.
        time: Now, in seconds.

    Raises:
        FercompError: The file cannot be written.
    """

    def __init__(self, path: Path, kind: RecordFormat, classes: tuple[str, ...], time: float) -> None:
        self.path = path
        self._start = self._now = time
        self._gaps: list[tuple[float, float]] = []
        self._timeline = Timeline()
        self._records = Records(path, columns(classes), kind)
        self._records.rewrite([])
        self._records.__enter__()

    def add(self, picture: Picture, step: float, missing: bool) -> None:
        """Adds the next frame.

        Args:
            picture: The frame with its faces.
            step: Seconds since the frame before.
            missing: Something is missing between the two.
        """
        time = picture.frame.time
        if missing:
            self._add_gap(max(time - step, self._start), time)
        self._now = time
        self._timeline.add(picture, 0.0 if missing else step)
        self._records.append(frame_rows(_SOURCE, picture))

    def clock(self) -> dict[str, float]:
        """Returns how many seconds there are, and how many of them are missing."""
        missing = sum(end - begin for begin, end in self._gaps)
        return {"seconds": round(self._now - self._start, 2), "missing": round(missing, 2)}

    def end(self, time: float, missing: float = 0.0) -> dict[str, Any]:
        """Closes the file, and returns the timeline of those who were seen longest, in seconds.

        Args:
            time: Now.
            missing: The last seconds of these are missing.

        Raises:
            FercompError: The file was removed, and cannot be written again.
        """
        try:
            if missing:
                self._add_gap(max(time - missing, self._start), time)
                self._now = time
            self._records.put_back()
        finally:
            self._records.close()
        people = [
            {"track": track, "stretches": [self._stretch(*stretch) for stretch in stretches]}
            for track, stretches in self._timeline.longest().items()
        ]
        gaps = [[round(begin - self._start, 2), round(end - self._start, 2)] for begin, end in self._gaps]
        return {**self.clock(), "gaps": gaps, "people": people, "everybody": self._timeline.people}

    def _add_gap(self, begin: float, end: float) -> None:
        self._gaps.append((begin, end))
        row = problem_row(_SOURCE, "gap")
        note = f"{end - begin:.1f} s without a frame"
        self._records.append([{**row, "time": FLOAT_FORMAT % begin, "note": note}])

    def _stretch(self, begin: float, end: float, emotion: str) -> tuple[float, float, str]:
        return round(begin - self._start, 2), round(min(end, self._now) - self._start, 2), emotion
