"""The CSV tables between the stages: their columns, read and written in one place.

A CSV may come from anywhere, so `Table.read` checks what it finds and says what it expected.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fercomp.core.classes import EMOTIONS
from fercomp.core.errors import FercompError
from fercomp.core.files import atomic_file

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FLOAT_FORMAT: Final = "%.6f"

FORMER_NAMES: Final = MappingProxyType({"holdout_probs.csv": "holdout.csv", "test_probs.csv": "test.csv"})
"""What fercomp 0.1 called a model's tables of probabilities; they are read under either name."""


@dataclass(frozen=True)
class Table:
    """The columns of one kind of CSV.

    Attributes:
        columns: Column name to dtype: `"str"`, `"int64"` or `"float64"`. Text that is missing reads
            as the empty string.
        remedy: What a user does when the file is missing or is not such a table.
    """

    columns: Mapping[str, str]
    remedy: str

    def read(self, path: Path) -> "pd.DataFrame":
        """Reads the table and checks it.

        Args:
            path: The CSV, or where it would be were it not under its former name (`existing`). Further
                columns are left out.

        Returns:
            The columns of this table, in its order.

        Raises:
            FercompError: The file is missing, empty, lacks a column or holds a value of another type.
        """
        import pandas as pd

        path = existing(path)
        if not path.is_file():
            raise FercompError(f"{path} not found: {self.remedy}")
        try:
            frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8")
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise FercompError(f"{path} is not a CSV table ({error}): {self.remedy}") from error
        if not isinstance(frame.index, pd.RangeIndex):  # how pandas reads rows longer than the header
            raise FercompError(f"{path} has rows with more values than columns: {self.remedy}")
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise FercompError(
                f"{path} lacks the columns {missing}; it has {list(frame.columns)}: {self.remedy}"
            )
        frame = frame[list(self.columns)]
        try:
            return frame.astype({name: kind for name, kind in self.columns.items() if kind != "str"})
        except (ValueError, OverflowError) as error:
            raise FercompError(f"{path} holds a value of the wrong type ({error}): {self.remedy}") from error

    def write(self, frame: "pd.DataFrame", path: Path) -> None:
        """Writes the columns of this table, in its order, atomically."""
        write_csv(frame[list(self.columns)], path)


def write_csv(frame: "pd.DataFrame", path: Path, index_label: str | None = None) -> None:
    """Writes a table as every CSV of ours is written, on every system: six decimals, Unix line ends.

    Args:
        frame: The table.
        path: The CSV.
        index_label: Name of the index' column, where the index is to be written.
    """
    with atomic_file(path) as temporary:
        frame.to_csv(
            temporary,
            index=index_label is not None,
            index_label=index_label,
            float_format=FLOAT_FORMAT,
            lineterminator="\n",
        )


def existing(path: Path) -> Path:
    """Returns the path of a table or, where only the file of its former name is there, the path of that."""
    former = path.with_name(FORMER_NAMES.get(path.name, path.name))
    return former if former.is_file() and not path.exists() else path


def _columns(**kinds: str) -> Mapping[str, str]:
    return MappingProxyType(kinds)


PHOTOS: Final = Table(
    _columns(
        image_path="str",  # relative to datasets/raw, with forward slashes
        split="str",  # train | holdout | test
        emotion="str",  # given label; empty for test photos
        width="int64",  # pixels, after EXIF rotation
        height="int64",
        sha1="str",  # of the file's bytes
        phash="str",  # 64-bit perceptual hash, 16 hexadecimal digits
        duplicate_group="int64",  # photos with the same number show the same picture
        recompressed="int64",  # 1: saved with more loss than another copy, and its label is not counted
        fold="int64",  # 0 .. folds - 1 for labelled photos, -1 for test photos
    ),
    "run `fercomp prepare`",
)

PROBLEMS: Final = Table(
    _columns(image_path="str", split="str", emotion="str", reason="str"), "run `fercomp prepare`"
)


LABELS: Final = Table(
    _columns(
        image_path="str",  # as in PHOTOS; all labelled photos, in the same order
        emotion="str",  # given label
        suggested="str",  # the same or a better one; empty where a reviewer dropped the photo
        quality="float64",  # of the given label, 0 to 1: the share of people expected to give it
        reason="str",  # of the suggestion: copies | tie | network | review; empty where nobody doubts
        **dict.fromkeys(EMOTIONS, "float64"),  # the share of people expected to give each label
    ),
    "run `fercomp crossval`, then `fercomp relabel`",
)

AXES: Final = ("valence", "arousal")
"""Columns of a point, -1 to 1 each."""

TARGETS: Final = ("valence_target", "arousal_target")
"""Columns of the point that a photo is taught as; `nan` where it has none."""


def holdout_table(classes: tuple[str, ...], points: bool = False) -> Table:
    """Describes the holdout's `pred_probs`: the photo, its given label, one column per class.

    Args:
        classes: The K class names.
        points: Of a model that gives valence and arousal: then its points and what they should be, too.
    """
    first = {"image_path": "str", "emotion": "str"}
    return _probability_table(
        first, (*classes, *((*AXES, *TARGETS) if points else ())), "run `fercomp train`"
    )


def oof_table(classes: tuple[str, ...]) -> Table:
    """Describes `pred_probs` by networks that did not see the photo: columns as those of the holdout's."""
    return _probability_table({"image_path": "str", "emotion": "str"}, classes, "run `fercomp crossval`")


def prediction_table(classes: tuple[str, ...], points: bool = False) -> Table:
    """Describes the test photos' `pred_probs`: the photo, one column per class, then points if any."""
    return _probability_table(
        {"image_path": "str"}, (*classes, *(AXES if points else ())), "run `fercomp predict`"
    )


def _probability_table(first: Mapping[str, str], numbers: tuple[str, ...], remedy: str) -> Table:
    return Table(_columns(**first, **dict.fromkeys(numbers, "float64")), remedy)


def pred_probs(frame: "pd.DataFrame", classes: tuple[str, ...] = EMOTIONS) -> "np.ndarray":
    """Returns the class columns of a table as `(N, K)` float64."""
    return frame[list(classes)].to_numpy(dtype="float64")
