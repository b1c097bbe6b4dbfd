"""At the end of a run: who is who over all files, on record and in pictures."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from fercomp.annotate.people.clusters import SAME_PERSON, nearest_pairs, person_labels
from fercomp.annotate.people.embedder import EMBEDDING_WIDTH, unit
from fercomp.annotate.people.names import PEOPLE, PersonCount, read_written, write_people
from fercomp.annotate.people.sightings import THUMBNAIL, Sighting
from fercomp.annotate.people.store import PeopleData
from fercomp.annotate.records.file import Records
from fercomp.annotate.records.rows import Row, whole_number
from fercomp.core.errors import FercompError
from fercomp.core.files import set_aside, write_bytes
from fercomp.core.progress import say, waiting

MOST_THUMBNAILS: Final = 6
"""Faces in the picture of a person: the best ones, each of another track or photo."""

SightingKey = tuple[str, int]
"""A file and the number of a track, or of a face in a photo."""


def assign_people(output: Path, data: PeopleData, records: Records) -> int:
    """Says whose the faces are: in the records, in `people.csv`, and in a picture of each person.

    A person who was there in an earlier run keeps the number; new ones are numbered in the order of their
    first appearance. What is done again gives the same, wherever it was killed.

    Args:
        output: The output folder.
        data: What is kept of the faces, in the order of the records.
        records: The records.

    Returns:
        How many people there are.

    Raises:
        FercompError: A file is damaged or cannot be written.
    """
    with waiting("telling people apart"):
        with records:  # what takes long: records that are taken away meanwhile are put back
            places, sightings = _sightings(data)
            labels, means = _clusters(places, sightings)
            records.put_back()
        names = _names(output / PEOPLE)
        earlier, before = data.known()
        numbers = _numbered(means, earlier, before, names)
        people = dict(zip(places, numbers[labels].tolist(), strict=True))
        records.change(lambda row: _with_person(row, people))
        counts = _counts(people, sightings)
        _write_pictures(data, people, sightings)
        data.remove_others(set(counts))
        write_people(output / PEOPLE, counts, names)
        # Last, and of nobody who is neither seen nor written of: a kill before changes nothing.
        gone = [i for i, person in enumerate(earlier.tolist()) if person not in counts and person in names]
        data.write_known(np.append(numbers, earlier[gone]), np.vstack([means, before[gone]]))
    return len(counts)


def _sightings(data: PeopleData) -> tuple[list[SightingKey], list[Sighting]]:
    places, sightings = [], []
    for file, rows in data.rows_by_file():
        for row in rows:
            sighting = data.sighting(row)
            places.append((file, sighting.track))
            sightings.append(sighting)
    return places, sightings


def _clusters(places: list[SightingKey], sightings: list[Sighting]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cluster of each and the mean of each cluster, `(P, D)` float32 of length 1."""
    index = {place: i for i, place in enumerate(places)}
    apart = [
        {index[file, other] for other in sighting.apart if (file, other) in index}
        for (file, _), sighting in zip(places, sightings, strict=True)
    ]
    vectors = np.array([sighting.vector for sighting in sightings], dtype=np.float32).reshape(
        -1, EMBEDDING_WIDTH
    )
    labels = person_labels(vectors, apart)
    sums = np.zeros((labels.max(initial=-1) + 1, EMBEDDING_WIDTH), dtype=np.float32)
    np.add.at(sums, labels, vectors)
    return labels, unit(sums)


def _names(path: Path) -> dict[int, str]:
    """Reads the names once more: a user may have written some while the run went on."""
    try:
        return read_written(path)
    except FercompError as problem:
        say(f"{problem}; it is now {set_aside(path).name}")
        return {}


def _numbered(
    means: np.ndarray, earlier: np.ndarray, before: np.ndarray, names: Mapping[int, str]
) -> np.ndarray:
    """Returns the number `(P,)` int64 of each cluster: that of the nearest earlier person, or a new one."""
    numbers = np.full(len(means), -1, dtype=np.int64)
    taken: set[int] = set()
    for i, j in nearest_pairs(means, before, SAME_PERSON):
        if numbers[i] < 0 and int(earlier[j]) not in taken:
            numbers[i] = earlier[j]
            taken.add(int(earlier[j]))
    free = max([*earlier.tolist(), *names, -1]) + 1
    new = np.flatnonzero(numbers < 0)
    numbers[new] = np.arange(free, free + len(new))
    return numbers


def _with_person(row: Row, people: Mapping[SightingKey, int]) -> Row:
    number = whole_number(row["track"] or row["face"])
    person = None if number is None else people.get((row["file"], number))
    return {**row, "person": "" if person is None else str(person)}


def _counts(people: Mapping[SightingKey, int], sightings: list[Sighting]) -> dict[int, PersonCount]:
    counts: dict[int, PersonCount] = defaultdict(PersonCount)
    files: dict[int, set[str]] = defaultdict(set)
    for ((file, _), person), sighting in zip(people.items(), sightings, strict=True):
        count = counts[person]
        count.frames += sighting.frames
        count.seconds += sighting.seconds
        count.first = count.first or file
        files[person].add(file)
        count.files = len(files[person])
    return dict(counts)


def _write_pictures(data: PeopleData, people: Mapping[SightingKey, int], sightings: list[Sighting]) -> None:
    """Writes the best faces of each person side by side; few thumbnails are in memory at once."""
    ranked: dict[int, list[tuple[float, SightingKey]]] = defaultdict(list)
    for (place, person), sighting in zip(people.items(), sightings, strict=True):
        ranked[person].append((-sighting.quality, place))
    chosen = {
        place: person for person, ranks in ranked.items() for _, place in sorted(ranks)[:MOST_THUMBNAILS]
    }
    faces: dict[int, list[bytes]] = defaultdict(list)
    for file, rows in data.rows_by_file():
        for row in rows:
            place = file, int(row["track"])
            if place not in chosen:
                continue
            person = chosen[place]
            faces[person].append(data.sighting(row, with_thumbnail=True).thumbnail)
            if len(faces[person]) == min(MOST_THUMBNAILS, len(ranked[person])):
                _write_strip(data.picture_of(person), faces.pop(person))


def _write_strip(path: Path, faces: list[bytes]) -> None:
    usable = [face for face in map(_decoded, faces) if face is not None]
    if usable:
        _, data = cv2.imencode(".jpg", np.hstack(usable), [cv2.IMWRITE_JPEG_QUALITY, 85])
        write_bytes(path, data.tobytes())


def _decoded(data: bytes) -> np.ndarray | None:
    try:
        face = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # nothing, or far too large
        return None
    return face if face is not None and face.shape == (THUMBNAIL, THUMBNAIL, 3) else None
