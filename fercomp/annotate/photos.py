"""Annotates photos: decoding, detection, classification, drawing and writing at once."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from fercomp.annotate.drawing.draw import draw, with_room
from fercomp.annotate.output.encoding import encode
from fercomp.annotate.people.sightings import photo_sightings, sighting_rows
from fercomp.annotate.recognise.recogniser import Picture, Recogniser
from fercomp.annotate.records.rows import TRUNCATED, Row, face_rows, problem_row
from fercomp.annotate.sources.found import Photo
from fercomp.annotate.workers import workers
from fercomp.core.errors import FercompError
from fercomp.core.parallel import in_order, threads
from fercomp.media.image_formats import photo_bytes
from fercomp.media.images import decode_photo, read_file
from fercomp.media.problems import ImageProblem, MediaProblem, failed

PHOTO_BATCH: Final = 8
"""Photos whose faces are classified together."""

MOST_PHOTO_BYTES: Final = 256 * 2**20
"""Of pictures that lie before and behind classification each: 26 photos of 108 megapixels would take 8 GB."""


@dataclass
class _Looked:
    """A photo on its way; its picture, or why it cannot be used, and what is wrong with it all the same."""

    photo: Photo
    picture: Picture | MediaProblem
    note: str = ""


@dataclass(frozen=True)
class Done:
    """A photo that is annotated, or cannot be.

    Attributes:
        photo: The photo.
        rows: What comes on record.
        told: What the user is to know of it; mostly empty.
        people: Where people are told apart, the rows of what is kept of them (`sighting_rows`).
    """

    photo: Photo
    rows: Sequence[Row]
    told: str = ""
    people: Sequence[Row] = ()


def annotate_photos(
    photos: Iterable[Photo],
    recogniser: Recogniser,
    write_copy: Callable[[Photo, bytes], None],
    people: bool = False,
) -> Generator[Done, None, None]:
    """Annotates photos, in order; one that cannot be used has a row that says why.

    Args:
        photos: The photos.
        recogniser: Finds and names faces.
        write_copy: Writes an annotated copy; called from several threads.
        people: Whether people are to be told apart.

    Raises:
        FercompError: The disk is full, or the detector is missing.
    """
    # Threads of their own for writing would take turns on the cores with those that look, which costs more
    # than is gained while the disk is waited for.
    with workers(threads()) as pool:
        look = partial(_look, recogniser)
        seen = in_order(
            pool, look, photos, PHOTO_BATCH, lambda photo: photo_bytes(photo.path), MOST_PHOTO_BYTES
        )
        named = _named(recogniser, seen)
        done = partial(_done, write_copy, people)
        yield from in_order(pool, done, named, PHOTO_BATCH, _weight, MOST_PHOTO_BYTES)


def _look(recogniser: Recogniser, photo: Photo) -> _Looked:
    try:
        data = read_file(photo.path)
        decoded = decode_photo(data, str(photo.path))
        note = "" if decoded.missing is None else TRUNCATED
        return _Looked(photo, recogniser.look(decoded.pixels, data), note)
    except ImageProblem as problem:
        return _Looked(photo, problem)
    except Exception as error:
        return _Looked(photo, failed(photo.path, error, ImageProblem))


def _named(recogniser: Recogniser, photos: Iterator[_Looked]) -> Iterator[_Looked]:
    """Classifies the faces of several photos together, which is faster than photo by photo."""
    for group in _groups(photos):
        named = iter(recogniser.name([seen.picture for seen in group if isinstance(seen.picture, Picture)]))
        for seen in group:
            if isinstance(seen.picture, Picture):
                seen.picture = next(named)
        del named
        while group:
            yield group.pop(0)


def _groups(photos: Iterable[_Looked]) -> Iterator[list[_Looked]]:
    """Gives photos together, a few in number and in bytes."""
    group: list[_Looked] = []
    for looked in photos:
        group.append(looked)
        if len(group) == PHOTO_BATCH or sum(map(_weight, group)) > MOST_PHOTO_BYTES:
            yield group
            group = []
    if group:
        yield group


def _weight(looked: _Looked) -> int:
    return looked.picture.frame.image.nbytes if isinstance(looked.picture, Picture) else 0


def _done(write_copy: Callable[[Photo, bytes], None], people: bool, looked: _Looked) -> Done:
    """Writes the copy of a photo and makes its rows; a file that cannot be used is told and has but a row."""
    photo, result = looked.photo, looked.picture
    if isinstance(result, Picture):
        try:
            write_copy(photo, encode(photo, draw(*with_room(result.frame.image, result.faces))))
            told = f"{photo.path} lacks its end: annotated as far as it goes; copy it again"
            rows = [{**row, "note": looked.note} for row in face_rows(photo.file, result.faces)]
            seen = (
                sighting_rows(photo.file, photo_sightings(result.frame.image, result.faces)) if people else ()
            )
            return Done(photo, rows, told if looked.note else "", seen)
        except ImageProblem as problem:
            result = problem
        except FercompError as error:
            result = ImageProblem("not_written", str(error))
        except Exception as error:
            result = failed(photo.path, error, ImageProblem)
    return Done(photo, [problem_row(photo.file, result.reason)], str(result))
