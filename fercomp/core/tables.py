"""The CSV tables between the stages: their columns and what must be true of them, in one place."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_checks import Check, first_wrong, in_range, inside_raw, matching, one_of, shares, unique
from fercomp.core.csv_table import Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_SIDES: Final = 10**6  # pixels
_NUMBERS: Final = 2**53


def _columns(**kinds: str) -> Mapping[str, str]:
    return MappingProxyType(kinds)


def _given_label(frame: "pd.DataFrame") -> tuple[int, str] | None:
    """Labelled photos have a class and a fold, test photos neither."""
    test = frame["split"] == "test"
    right = frame["emotion"].isin(EMOTIONS).where(~test, frame["emotion"] == "")
    right &= (frame["fold"] >= 0) != test

    def told(row: int) -> str:
        split, emotion, fold = frame.loc[row, ["split", "emotion", "fold"]]
        return f"the emotion {emotion!r} and the fold {fold}, which no photo of {split} can have"

    return first_wrong(~right, told)


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
    (
        inside_raw(),
        unique(),
        one_of("split", ("train", "holdout", "test")),
        _given_label,
        in_range("width", 1, _SIDES),
        in_range("height", 1, _SIDES),
        matching("sha1", "[0-9a-f]{40}", "40 hexadecimal digits"),
        matching("phash", "[0-9a-f]{16}", "16 hexadecimal digits"),
        in_range("duplicate_group", 0, _NUMBERS),
        in_range("recompressed", 0, 1),
        in_range("fold", -1, _NUMBERS),
    ),
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
    (
        inside_raw(),
        unique(),
        one_of("emotion", EMOTIONS),
        one_of("suggested", (*EMOTIONS, "")),
        in_range("quality", 0, 1),
        one_of("reason", ("", "copies", "tie", "network", "review")),
        shares(EMOTIONS),
    ),
)

UNCHANGED: Final = "unchanged"
"""Name of the row of photos as they are in table `ROBUSTNESS`; its strength is 0."""

CHANGES: Final = MappingProxyType(
    {
        "blur": "sigma {:g} of the side",
        "jpeg": "quality {:g}",
        "darkness": "{:g} of the light gone",
        "roll": "{:g} degrees",
        "yaw": "tilt {:g}",  # the share by which the scale changes from the middle to the edge
        "size": "{:g} pixels",
        "grey": "{:g} of the colour gone",
        "noise": "sigma {:g} of white",
        "cover": "{:g} of the face",  # from one edge
    }
)
"""How faces are changed to see what a model bears, and how a strength of each is said."""


def _unchanged_first(frame: "pd.DataFrame") -> tuple[int, str] | None:
    """Photos as they are come first, then changes of as many photos, each once."""
    if frame.empty:
        return 0, f"no row: one of {UNCHANGED} was expected"
    wrong = (frame["change"] == UNCHANGED) != (frame.index == 0)
    wrong |= (frame["n"] != frame["n"].iloc[0]) | frame.duplicated(["change", "strength"])
    what = f"another row than was expected: {UNCHANGED}, then changes of as many photos, each strength once"
    return first_wrong(wrong, lambda _: what)


def _inside_its_interval(frame: "pd.DataFrame") -> tuple[int, str] | None:
    inside = frame["accuracy"].between(frame["accuracy_low"] - 1e-5, frame["accuracy_high"] + 1e-5)
    return first_wrong(~inside, lambda _: "an accuracy outside of its interval")


ROBUSTNESS: Final = Table(
    _columns(
        change="str",  # UNCHANGED, then names of CHANGES
        strength="float64",  # in the unit of the change
        n="int64",  # photos
        accuracy="float64",
        macro_f1="float64",
        accuracy_low="float64",  # ends of the interval that holds the true accuracy in 95 of 100 cases
        accuracy_high="float64",
    ),
    "run `fercomp robustness` again",
    (
        one_of("change", (UNCHANGED, *CHANGES)),
        in_range("strength", 0, _SIDES),
        in_range("n", 1, _NUMBERS),
        *(in_range(name, 0, 1) for name in ("accuracy", "macro_f1", "accuracy_low", "accuracy_high")),
        _unchanged_first,
        _inside_its_interval,
    ),
)

MEASURES: Final = ("loss", "accuracy", "holdout_loss", "holdout_accuracy")
"""What is measured after each epoch; of a refit, nothing on the holdout."""

HISTORY: Final = Table(
    _columns(epoch="int64", phase="str", **dict.fromkeys(MEASURES, "float64")),
    "train the model again, or remove the file, without which there are no curves and no refit",
    (in_range("epoch", 1, _NUMBERS), *(in_range(name, -1e100, 1e100, or_missing=True) for name in MEASURES)),
    may_be_nan=MEASURES,
)

AXES: Final = ("valence", "arousal")
"""Columns of a point, -1 to 1 each."""

TARGETS: Final = ("valence_target", "arousal_target")
"""Columns of the point that a photo is taught as; both `nan`, or empty, where it has none."""


def _whole_point(frame: "pd.DataFrame") -> tuple[int, str] | None:
    missing = frame[list(TARGETS)].isna().sum(axis=1)
    return first_wrong(missing == 1, lambda _: f"one of {' and '.join(TARGETS)}, both or none were expected")


RECORDS: Final = (
    "file",  # path relative to the folder that was annotated
    "status",  # face | no_face | why the file could not be read | gap in a recording
    "frame",  # number of the frame in its clip, from 0; empty for a photo
    "time",  # seconds since the clip's beginning; empty for a photo
    "face",  # number of the face in its picture, from 0, left to right
    "track",  # number of the face's track in the clip, from 0; empty for a photo
    "person",  # number of the person over all files, from 0; empty without `--people`
    "x1",  # pixels of the picture
    "y1",
    "x2",
    "y2",
    "score",  # of the detector
    "roll",  # degrees by which the head is tilted clockwise; empty without landmarks
    "size",  # longer side of the box, pixels
    "quality",  # 0 to 1: how well the face can be seen
    "emotion",  # likeliest class, or `uncertain`
    "confidence",  # probability of the emotion
    "valence",  # -1 to 1, where the model gives it
    "arousal",  # likewise
    "faces",  # number of faces in the picture
    "note",  # `truncated`, or nothing
)
"""Columns of every record of `annotate`. After them, one with the probability of each class, smoothed in
clips, and one `raw_<class>` with that of a clip's frame alone."""

RAW: Final = "raw_"
"""What stands before a class in the name of its column of raw probabilities."""

LANDMARKS: Final = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
"""The points of a face: eyes, tip of the nose, corners of the mouth. Right and left are the person's own, so
the right eye is on the left of a picture."""

LANDMARK_COLUMNS: Final = tuple(f"{name}_{axis}" for name in LANDMARKS for axis in "xy")
"""Columns of these in a table of faces."""

_BESIDE_CLASSES: Final = frozenset({"image_path", *AXES, *TARGETS, *RECORDS, *LANDMARK_COLUMNS})


def taken_names(classes: Sequence[str]) -> list[str]:
    """Returns the classes of a model that are called as another column of a table with them.

    Args:
        classes: The K class names.
    """
    raw = {f"{RAW}{name}" for name in classes}
    return [name for name in classes if name in _BESIDE_CLASSES or name in raw]


def holdout_table(classes: tuple[str, ...], points: bool = False) -> Table:
    """Describes the holdout's `pred_probs`: the photo, its given label, one column per class.

    Args:
        classes: The K class names.
        points: Of a model that gives valence and arousal: then its points and what they should be, too.
    """
    more = (*AXES, *TARGETS) if points else ()
    return _probability_table(("image_path", "emotion"), classes, more, "run `fercomp train`")


def oof_table(classes: tuple[str, ...]) -> Table:
    """Describes `pred_probs` by networks that did not see the photo: columns as those of the holdout's."""
    return _probability_table(("image_path", "emotion"), classes, (), "run `fercomp crossval`")


def prediction_table(classes: tuple[str, ...], points: bool = False) -> Table:
    """Describes the test photos' `pred_probs`: the photo, one column per class, then points if any."""
    return _probability_table(("image_path",), classes, AXES if points else (), "run `fercomp predict`")


def _probability_table(
    texts: tuple[str, ...], classes: tuple[str, ...], points: tuple[str, ...], remedy: str
) -> Table:
    columns = _columns(**dict.fromkeys(texts, "str"), **dict.fromkeys((*classes, *points), "float64"))
    checks: list[Check] = [inside_raw(), unique(), shares(classes)]
    checks += [in_range(name, -1, 1, or_missing=name in TARGETS) for name in points]
    checks += [_whole_point] if TARGETS[0] in points else []
    return Table(columns, remedy, tuple(checks), may_be_nan=TARGETS)


def pred_probs(frame: "pd.DataFrame", classes: tuple[str, ...] = EMOTIONS) -> "np.ndarray":
    """Returns the class columns of a table as `(N, K)` float64."""
    return frame[list(classes)].to_numpy(dtype="float64")
