"""What a user may choose about annotating."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Final

from fercomp.annotate.recognise.clip_recogniser import ClipRecogniser
from fercomp.annotate.recognise.recogniser import PHOTO_VIEWS, Recogniser
from fercomp.annotate.records.parquet import TableFormat, require_parquet
from fercomp.core.arguments import require_number
from fercomp.core.errors import FercompError
from fercomp.faces.detect import DETECTORS, make_detector
from fercomp.faces.found import MIN_SIZE, Detector
from fercomp.faces.tta import VIEWS
from fercomp.modeling.bundle.model import Bundle


@dataclass(frozen=True)
class Options:
    """How to look at pictures, and what to write.

    Attributes:
        detector: Name of the face detector.
        min_score: Lowest score of a face; `None` for the detector's own.
        min_size: Lowest longer side of a face in pixels.
        every: Every how many frames of a clip faces are classified.
        video: Whether annotated clips are written, besides their records.
        records: Format of the records. Those as Parquet are there as CSV, too.
        start: Seconds since a clip's beginning from which on it is annotated.
        end: Seconds until which; `None` for its end.
        views: Looks at each face of a photo, averaged by models whose cards say that they gain by it.
        uncertain: Whether a face may be called `uncertain`; otherwise it has the likeliest emotion.
        people: Whether each person gets one number over all files. That compares faces: biometric data are
            kept in the output folder, which they otherwise are not.

    Raises:
        FercompError: A value is out of range, or Parquet is asked for, and pyarrow is not installed.
    """

    detector: str = DETECTORS[0]
    min_score: float | None = None
    min_size: float = MIN_SIZE
    every: int = 1
    video: bool = True
    records: TableFormat = "csv"
    start: float = 0.0
    end: float | None = None
    views: int = PHOTO_VIEWS
    uncertain: bool = True
    people: bool = False

    def __post_init__(self) -> None:
        for name in ("every", "start", "end", "views"):
            if (value := getattr(self, name)) is not None or name != "end":
                require_number(value, name)
        if self.records == "parquet":
            require_parquet()
        if self.every < 1 or self.every != int(self.every):
            raise FercompError(f"every {self.every}: expected at least 1, which classifies every frame")
        if not 1 <= self.views <= len(VIEWS) or self.views != int(self.views):
            raise FercompError(f"views {self.views}: expected a number from 1 to {len(VIEWS)}")
        if self.end is not None and self.end <= self.start:
            raise FercompError(f"end {self.end:g} s: expected a time after the start, {self.start:g} s")

    def make_detector(self, clip: bool = False) -> Detector:
        """Makes the face detector, for one thread.

        Args:
            clip: The pictures are frames of a clip; otherwise photos, which are turned where no face is sure.

        Raises:
            FercompError: See `faces.detect.make_detector`.
        """
        return make_detector(self.detector, self.min_score, self.min_size, clip, second_look=not clip)

    def recogniser(self, bundle: Bundle) -> Recogniser:
        """Makes what finds and names the faces in photos.

        Raises:
            FercompError: The detector cannot be made.
        """
        return Recogniser(bundle, self.make_detector, self.views, self.uncertain)

    def clip_recogniser(self, bundle: Bundle) -> ClipRecogniser:
        """Makes what finds, follows and names the faces of one clip, or of a camera."""
        return ClipRecogniser(bundle, partial(self.make_detector, clip=True), self.every, self.uncertain)


_CLOCK: Final = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)", re.ASCII)


def clock_seconds(text: str) -> float:
    """Reads a time of a clip.

    Args:
        text: Seconds, such as `90` or `7.5`, or `M:SS` or `H:MM:SS`, such as `1:02:30`.

    Returns:
        Seconds.

    Raises:
        FercompError: It is no such time.
    """
    found = _CLOCK.fullmatch(text)
    hours, minutes, seconds = found.groups() if found else (None, None, "nan")
    value = float(seconds) + 60 * int(minutes or 0) + 3600 * int(hours or 0)
    # With a larger unit before them, there are sixty of each.
    if not value < 1e7 or (minutes and float(seconds) >= 60) or (hours and int(minutes or 0) >= 60):
        raise FercompError(f"{text!r} is no time: expected seconds or H:MM:SS, such as 90, 7.5 or 1:02:30")
    return value
