"""The group `fetch.layout` of `params.yaml`: how a competition lays out its files."""

from collections import Counter
from pathlib import PurePosixPath
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from fercomp.core.classes import EMOTIONS
from fercomp.core.params.group import Group

LONGEST_PATH: Final = 200
"""Characters of a path inside the competition's files."""


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    plain = len(path) <= LONGEST_PATH and path.isprintable() and "\\" not in path
    if not plain or not parts or path.startswith("/") or ".." in parts:
        raise ValueError("a path inside the competition's files was expected, such as images/train")
    return "/".join(parts)


def _ours(emotion: str) -> str:
    if emotion not in EMOTIONS:
        raise ValueError(f"one of fercomp's classes was expected: {', '.join(EMOTIONS)}")
    return emotion


Inside = Annotated[str, AfterValidator(_inside)]
Column = Annotated[str, Field(min_length=1, max_length=100)]

MOST_NAMES: Final = 100
"""Names of classes that may be translated."""


class LayoutParams(Group):
    """How a competition's files are laid out, and what its classes are called there.

    The defaults are the layout that the rest of fercomp knows: `fetch` brings any other into that form. What
    is missing is looked for in a zip of the same name, such as `train.zip` or `train.csv.zip`.

    Attributes:
        table: The CSV with the labels of the training photos; `null`: a photo's folder is its label.
        photo: Its column of photos: a path, or a name in the folder `train`.
        label: Its column of classes.
        sample: The CSV that shows what a submission looks like.
        sample_photo: Its column of photos: names in the folder `test`.
        sample_label: Its column of classes.
        train: Folder of the training photos.
        test: Folder of the photos to be predicted; may be that of the training photos.
        suffix: What a photo's id lacks to be the name of its file, such as `.jpg`.
        classes: What the competition calls fercomp's classes, where that is something else: its name, then
            fercomp's, such as `{angry: anger, "5": surprise}`.
    """

    table: Inside | None = "train.csv"
    photo: Column = "image_path"
    label: Column = "emotion"
    sample: Inside = "sample_submission.csv"
    sample_photo: Column = "image_path"
    sample_label: Column = "emotion"
    train: Inside = "train"
    test: Inside = "test_kaggle"
    suffix: Annotated[str, Field(pattern=r"^(\.[A-Za-z0-9]{1,8})?$")] = ""
    classes: dict[str, Annotated[str, AfterValidator(_ours)]] = Field({}, max_length=MOST_NAMES)

    @model_validator(mode="after")
    def _one_name_each(self) -> Self:
        twice = [ours for ours, names in Counter(self.classes.values()).items() if names > 1]
        if twice:
            raise ValueError(f"{twice[0]} has two names: a submission could not say which")
        return self
