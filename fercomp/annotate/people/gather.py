"""The best faces of each track of a clip, embedded beside the rest of the work."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from fercomp.annotate.people.embedder import RECOGNISABLE, embedded_face, embedding, load_embedder, unit
from fercomp.annotate.people.sightings import Sighting, face_jpeg
from fercomp.annotate.recognise.recogniser import Picture
from fercomp.core.parallel import thread_pool
from fercomp.faces.found import known
from fercomp.faces.quality import face_sizes
from fercomp.faces.track import PATIENCE

MOST_FACES: Final = 3
"""Faces of a track that are embedded."""

APART: Final = 0.3
"""Seconds of which the best face is taken, so that two are not of one moment."""

_MOST_WAITING: Final = 64  # tracks whose faces wait to be embedded, 77 kB each


@dataclass
class _Best:
    """The best face so far of one stretch of `APART` seconds."""

    quality: float
    stretch: int
    size: float
    face: np.ndarray


@dataclass
class _Track:
    number: int
    frames: int = 0
    last: float = 0.0
    apart: set[int] = field(default_factory=set)
    best: list[_Best] = field(default_factory=list)


class TrackGatherer:
    """Collects the faces of one clip, frame after frame.

    Only tracks that may go on are held with their pictures; all others are numbers.

    Args:
        step: Seconds that a frame is shown.
        pool: A thread that embeds.
    """

    def __init__(self, step: float, pool: ThreadPoolExecutor) -> None:
        self._step, self._pool = step, pool
        self._going: dict[int, _Track] = {}
        self._waiting: deque[Future[Sighting | None]] = deque()
        self._done: list[Sighting] = []
        self._met = False

    def add(self, picture: Picture) -> None:
        """Adds the next frame with its faces, which have tracks and qualities."""
        faces, now = picture.faces, picture.frame.time
        tracks = known(faces.tracks).tolist()
        if tracks and not self._met:
            self._met = True
            self._pool.submit(load_embedder)  # while the first tracks go on
        sizes, qualities = face_sizes(faces.boxes), known(faces.qualities)
        for i, number in enumerate(tracks):
            track = self._going.setdefault(number, _Track(number))
            track.frames, track.last = track.frames + 1, now
            track.apart.update(tracks)
            stretch, quality = int(now / APART), float(qualities[i])
            same = [best for best in track.best if best.stretch == stretch]
            least = same[0] if same else min(track.best, key=lambda best: best.quality, default=None)
            if least is not None and (same or len(track.best) == MOST_FACES):
                if quality <= least.quality:
                    continue
                track.best.remove(least)
            face = embedded_face(picture.frame.image, faces, i)
            track.best.append(_Best(quality, stretch, float(sizes[i]), face))
        for track in [track for track in self._going.values() if now - track.last > 2 * PATIENCE]:
            self._finish(track)

    def sightings(self) -> list[Sighting]:
        """Ends the collecting and returns the tracks that can be recognised, in order."""
        for track in list(self._going.values()):
            self._finish(track)
        while self._waiting:
            self._take()
        return sorted(self._done, key=lambda sighting: sighting.track)

    def _finish(self, track: _Track) -> None:
        del self._going[track.number]
        if len(self._waiting) >= _MOST_WAITING:
            self._take()
        self._waiting.append(self._pool.submit(_sighting, track, self._step))

    def _take(self) -> None:
        sighting = self._waiting.popleft().result()
        if sighting is not None:
            self._done.append(sighting)


@contextmanager
def track_gatherer(step: float) -> Iterator[TrackGatherer]:
    """Gives a `TrackGatherer` and the thread that it needs; on leaving early, what waits is dropped."""
    with thread_pool(1) as pool:
        yield TrackGatherer(step, pool)


def _sighting(track: _Track, step: float) -> Sighting | None:
    best, *others = sorted(track.best, key=lambda one: (-one.quality, one.stretch))
    vectors = [embedding(best.face)]
    # Where the best face cannot be recognised, the others are not worth their time.
    if np.linalg.norm(vectors[0]) < RECOGNISABLE:
        return None
    vectors += [vector for one in others if np.linalg.norm(vector := embedding(one.face)) >= RECOGNISABLE]
    vector, seconds = unit(np.sum(vectors, axis=0)), track.frames * step
    apart, picture = frozenset(track.apart - {track.number}), face_jpeg(best.face)
    return Sighting(track.number, track.frames, seconds, best.size, best.quality, apart, vector, picture)
