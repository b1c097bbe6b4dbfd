"""What a user may choose about annotating."""

from dataclasses import dataclass

from fercomp.annotate.records import RecordFormat
from fercomp.core.errors import FercompError
from fercomp.faces.detect import DETECTORS, make_detector
from fercomp.faces.found import MIN_SIZE, Detector


@dataclass(frozen=True)
class Options:
    """How to look at pictures, and what to write.

    Attributes:
        detector: Name of the face detector.
        min_score: Lowest score of a face; `None` for the detector's own.
        min_size: Lowest longer side of a face in pixels.
        every: Every how many frames of a clip faces are classified.
        video: Whether annotated clips are written, besides their records.
        records: Format of the records.

    Raises:
        FercompError: A value is out of range.
    """

    detector: str = DETECTORS[0]
    min_score: float | None = None
    min_size: float = MIN_SIZE
    every: int = 1
    video: bool = True
    records: RecordFormat = "csv"

    def __post_init__(self) -> None:
        if self.every < 1:
            raise FercompError(f"every {self.every}: expected at least 1, which classifies every frame")

    def make_detector(self, clip: bool = False) -> Detector:
        """Makes the face detector, for one thread.

        Args:
            clip: The pictures are frames of a clip.

        Raises:
            FercompError: See `faces.detect.make_detector`.
        """
        return make_detector(self.detector, self.min_score, self.min_size, clip)
