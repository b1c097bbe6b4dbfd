"""The index of all photos: which can be used, which are copies of each other, who belongs to which fold."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from fercomp.core.classes import EMOTIONS
from fercomp.core.csv_checks import path_in_raw
from fercomp.core.errors import FercompError
from fercomp.core.parallel import thread_pool, threads
from fercomp.core.params import PrepareParams
from fercomp.core.progress import count, track, waiting
from fercomp.core.tables import PHOTOS, PROBLEMS
from fercomp.data.competition_files import links_out, photos_on_disk, read_test, read_train
from fercomp.data.duplicates import duplicate_groups, perceptual_hashes, thumbnail
from fercomp.data.folds import divide
from fercomp.data.recompressed import Contradictions, contradictions, recompressed
from fercomp.media.images import decode_photo, jpeg_loss, read_file
from fercomp.media.problems import ImageProblem

_BATCH: Final = 32  # photos handed to a thread at a time; one by one, handing over costs as much as decoding
_SMALL_FILE: Final = 4096  # bytes
_MOST_MISSING: Final = 0.5
"""Share of a labelled photo's rows that may be missing at its end: with fewer, a label is about nothing."""


@dataclass(frozen=True)
class Prepared:
    """What `prepare` found.

    Attributes:
        photos: The usable photos, columns of `core.tables.PHOTOS`.
        problems: Photos and rows that are not used and why, columns of `core.tables.PROBLEMS`.
        contradictions: How often labelled copies contradict their picture's first photo.
    """

    photos: pd.DataFrame
    problems: pd.DataFrame
    contradictions: Contradictions


class _Photo(NamedTuple):
    width: int
    height: int
    sha1: str
    loss: float
    thumbnail: np.ndarray
    missing: float | None


def prepare(raw: Path, params: PrepareParams) -> Prepared:
    """Looks at every photo of the competition once.

    Args:
        raw: The folder with `train.csv`, `sample_submission.csv` and the photos.
        params: Sizes of the division and limits for near-duplicates.

    Returns:
        The index of usable photos and the list of problems. Every row of both CSVs is in one of them, and
        in both where a photo lacks its end and is used as far as it goes.

    Raises:
        FercompError: A CSV is missing or no such table, or no labelled photo or no test photo can be used.
    """
    listed, problems = _listed(raw)
    found = list(
        track(_look_at([raw / path for path in listed["image_path"]]), "photos", "photo", len(listed))
    )
    found = [_for_split(photo, split) for photo, split in zip(found, listed["split"], strict=True)]
    reasons = np.array([_reason(photo) for photo in found], dtype=object)
    noted = listed.assign(reason=reasons)[reasons != ""]
    problems = pd.concat([problems, noted], ignore_index=True)
    usable = np.array([isinstance(photo, _Photo) for photo in found], dtype=bool)
    listed = listed[usable].reset_index(drop=True)
    for split, table in (("train", "train.csv"), ("test", "sample_submission.csv")):
        if not (listed["split"] == split).any():
            reasons_told = Counter(problems.loc[problems["split"] == split, "reason"]).most_common()
            told = ", ".join(f"{count:,} {reason}" for reason, count in reasons_told)
            raise FercompError(
                f"no photo named in {raw / table} can be used ({told}): look at fetch.layout, and run "
                "`fercomp fetch`"
            )
    with waiting(f"looking for copies among {count(len(listed), 'photo')}"):
        photos, counts = _indexed(listed, [photo for photo in found if isinstance(photo, _Photo)], params)
    return Prepared(photos[list(PHOTOS.columns)], problems[list(PROBLEMS.columns)], counts)


def _listed(raw: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reads both CSVs: the photos they name once, and the rows and files that name nothing new."""
    rows = pd.concat(
        [
            read_train(raw / "train.csv").assign(split="train"),
            read_test(raw / "sample_submission.csv").assign(split="test", emotion=""),
        ],
        ignore_index=True,
    )
    paths = rows["image_path"].map(path_in_raw)
    leads_out = links_out(raw)
    # The folder itself, which an empty cell names, is inside; that it is no photo is said later.
    inside = paths.map(lambda path: path == "." or (isinstance(path, str) and not leads_out(path)))
    outside = rows[~inside].assign(reason="outside_raw")
    rows = rows[inside].assign(image_path=paths[inside])

    again = rows.duplicated("image_path")
    first_label = rows.drop_duplicates("image_path").set_index("image_path")["emotion"]
    same = rows["emotion"] == rows["image_path"].map(first_label)
    repeated = rows[again].assign(reason=np.where(same[again], "listed_twice", "listed_with_other_label"))
    listed = rows[~again].reset_index(drop=True)

    not_listed = pd.DataFrame({"image_path": sorted(set(photos_on_disk(raw)) - set(listed["image_path"]))})
    not_listed = not_listed.assign(split="", emotion="", reason="not_listed")
    return listed, pd.concat([outside, repeated, not_listed], ignore_index=True)


def _look_at(paths: Sequence[Path]) -> Iterator[_Photo | str]:
    """Reads and decodes the photos in parallel; for one that cannot be used, gives the reason."""
    batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
    with thread_pool(_threads(paths)) as pool:
        for batch in pool.map(lambda batch: [_photo(path) for path in batch], batches):
            yield from batch


def _threads(paths: Sequence[Path]) -> int:
    """Chooses the number of threads by the size of a hundred files.

    A photo of 48 px is decoded in less time than it takes two threads to pass each other the interpreter's
    lock (measured: 0.19 ms a photo with one thread, 0.28 with two); from 192 px on, threads pay.
    """
    sizes = [_size(path) for path in paths[:: len(paths) // 100 + 1]]
    return threads() if np.mean(sizes or [0]) > _SMALL_FILE else 1


def _size(path: Path) -> int:
    try:
        return len(read_file(path))
    except ImageProblem:
        return 0


def _photo(path: Path) -> _Photo | str:
    try:
        data = read_file(path)
        decoded = decode_photo(data)
    except ImageProblem as problem:
        return problem.reason
    height, width = decoded.pixels.shape[:2]
    sha1 = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return _Photo(width, height, sha1, jpeg_loss(data), thumbnail(decoded.pixels), decoded.missing)


def _for_split(photo: _Photo | str, split: str) -> _Photo | str:
    """Leaves out a labelled photo of which most is missing; a test photo has to be answered anyway."""
    if isinstance(photo, _Photo) and split == "train" and (photo.missing or 0) > _MOST_MISSING:
        return "truncated"
    return photo


def _reason(photo: _Photo | str) -> str:
    if isinstance(photo, str):
        return photo
    return "" if photo.missing is None else "truncated_used"


def _indexed(
    listed: pd.DataFrame, found: Iterable[_Photo], params: PrepareParams
) -> tuple[pd.DataFrame, Contradictions]:
    width, height, sha1, losses, pictures, _ = zip(*found, strict=True)
    thumbnails = np.stack(pictures)
    hashes = perceptual_hashes(thumbnails)
    groups = duplicate_groups(hashes, thumbnails, params.duplicate_bits, params.duplicate_correlation)
    later = recompressed(np.array(losses), groups)
    labelled = (listed["split"] == "train").to_numpy()
    counts = contradictions(listed.loc[labelled, "emotion"].to_numpy(), groups[labelled], later[labelled])
    if params.recompressed == "count" or (params.recompressed == "auto" and not counts.ignored):
        later = np.zeros_like(later)
    doubtful = np.isin(groups, groups[later & labelled])[labelled]
    holdout, fold = _division(listed.loc[labelled, "emotion"], groups[labelled], doubtful, params)
    splits, folds = listed["split"].to_numpy(dtype=object), np.full(len(listed), -1)
    splits[labelled] = np.where(holdout, "holdout", "train")
    folds[labelled] = fold
    index = listed.assign(
        split=splits,
        width=width,
        height=height,
        sha1=sha1,
        phash=[f"{value:016x}" for value in hashes],
        duplicate_group=groups,
        recompressed=later.astype(int),
        fold=folds,
    )
    return index, counts


def _division(
    emotion: pd.Series, groups: np.ndarray, doubtful: np.ndarray, params: PrepareParams
) -> tuple[np.ndarray, np.ndarray]:
    """Chooses the holdout, then folds in which both classes and holdout have their share.

    The holdout is to foretell the score on the test. Pictures with a recompressed copy whose label is ignored
    are left to training, since what contradicts the picture says nothing about a network. Where half of all
    photos have such a copy, they are not, or no photo might be left.
    """
    if doubtful.mean() > 0.5:
        doubtful = np.zeros_like(doubtful)
    classes = emotion.map(EMOTIONS.index).to_numpy()
    holdout = np.zeros(len(classes), dtype=bool)
    shares = (1 - params.holdout, params.holdout)
    holdout[~doubtful] = divide(classes[~doubtful], groups[~doubtful], shares, params.seed) == 1
    equal = (1 / params.folds,) * params.folds
    return holdout, divide(classes * 2 + holdout, groups, equal, params.seed)
