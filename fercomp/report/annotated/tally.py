"""Counts what the records of `annotate` say, by person, clip and track, in one pass and little memory."""

import csv
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fercomp.annotate.drawing.timeline import Stretch, go_on
from fercomp.annotate.records.file import RecordFormat, Records
from fercomp.annotate.records.rows import FACE, NO_FACE, Row, whole_number
from fercomp.core.classes import UNCERTAIN
from fercomp.core.errors import FercompError
from fercomp.core.reading import is_there
from fercomp.core.tables import AXES, RAW

NEEDED: Final = ("file", "status", "frame", "time", "face", "track", "faces", "emotion")
"""Columns that the records of every version have."""

MOST_LISTED: Final = 48
"""Photos with faces, and files that could not be used, whose names are kept; of the others, the number."""

_LONGEST_HEADER: Final = 2**20
_LARGEST: Final = 1e12

Who = tuple[str, int]
"""`person` or `track`, and the number."""


@dataclass
class Tally:
    """What is said of somebody, or of a file.

    Attributes:
        faces: Number of faces, in each photo and each frame.
        seconds: For how long they are seen in clips.
        emotions: Number of faces by emotion.
        begin: First time in seconds, in a clip.
        end: Last time.
        stretches: When which emotion is shown, in a clip.
    """

    faces: int = 0
    seconds: float = 0.0
    emotions: Counter[str] = field(default_factory=Counter)
    begin: float | None = None
    end: float = 0.0
    stretches: list[Stretch] = field(default_factory=list)
    _sums: list[float] = field(default_factory=lambda: [0.0, 0.0])
    _points: int = 0

    def add(self, row: Row, seconds: float = 0.0) -> None:
        """Counts a face that is seen for some seconds."""
        self.faces += 1
        self.seconds += seconds
        self.emotions[row["emotion"]] += 1
        valence, arousal = (number(row.get(name, "")) for name in AXES)
        if valence is not None and arousal is not None:
            self._sums = [self._sums[0] + valence, self._sums[1] + arousal]
            self._points += 1

    def show(self, emotion: str, begin: float, end: float) -> None:
        """Goes on with the emotion that is shown, or begins another stretch."""
        self.begin = begin if self.begin is None else self.begin
        self.end = max(self.end, end)
        go_on(self.stretches, begin, end, emotion)

    @property
    def dominant(self) -> tuple[str, float] | None:
        """The most frequent emotion and its share; `None` without faces."""
        ranked = sorted(self.emotions.items(), key=lambda item: (-item[1], item[0]))
        return (ranked[0][0], ranked[0][1] / self.faces) if ranked else None

    @property
    def point(self) -> tuple[float, float] | None:
        """Mean valence and arousal, where the model gives them."""
        return (self._sums[0] / self._points, self._sums[1] / self._points) if self._points else None


@dataclass
class ClipTally:
    """A clip: all of it, and each of those who are seen in it."""

    whole: Tally = field(default_factory=Tally)
    frames: int = 0
    begin: float = math.inf
    end: float = 0.0
    who: dict[Who, Tally] = field(default_factory=lambda: defaultdict(Tally))


@dataclass
class Tallies:
    """All that is on record.

    Attributes:
        answers: The classes, and `uncertain`.
        whole: All faces.
        photos: Those in photos.
        people: By number, over all files.
        clips: By `file`.
        shown: The first photos with faces.
        photo_count: Number of photos that could be used.
        problems: Why the first files could not be used, or only in part.
        problem_count: Number of these files.
    """

    answers: tuple[str, ...]
    whole: Tally = field(default_factory=Tally)
    photos: Tally = field(default_factory=Tally)
    people: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    clips: dict[str, ClipTally] = field(default_factory=lambda: defaultdict(ClipTally))
    shown: list[str] = field(default_factory=list)
    photo_count: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    problem_count: int = 0


def read_tallies(path: Path, names: Mapping[int, str] = MappingProxyType({})) -> Tallies:
    """Counts what a file of records says.

    Args:
        path: A `records.csv` or `records.jsonl`, of this or an earlier version.
        names: What people are called. Those of one name are one person, who has the lowest of their numbers.

    Raises:
        FercompError: It is missing, or no such file.
    """
    kind: RecordFormat = "jsonl" if path.suffix == ".jsonl" else "csv"
    columns = _columns(path, kind)
    classes = [name for name in columns if f"{RAW}{name}" in columns]
    tallies = Tallies(tuple(dict.fromkeys((*classes, UNCERTAIN))))
    lowest = {name: person for person, name in sorted(names.items(), reverse=True)}
    same = {str(person): str(lowest[name]) for person, name in names.items()}
    last: list[Row] = []
    step = 0.0
    for rows in Records(path, columns, kind).pictures():
        rows = [{"person": "", **row} for row in rows]
        rows = [{**row, "person": same.get(row["person"], row["person"])} for row in rows]
        # How long a frame is shown is known by the next one.
        if last:
            after = rows[0] if rows[0]["file"] == last[0]["file"] and rows[0]["frame"] else None
            step = _seconds(last[0], after, step)
            _add_frame(tallies, last, step)
            step = step if after else 0.0
            last = []
        if rows[0]["frame"] and rows[0]["status"] in (FACE, NO_FACE):
            last = rows
        else:
            _add_other(tallies, rows)
    if last:
        _add_frame(tallies, last, step)
    return tallies


def number(text: str) -> float | None:
    """Reads a number; `None` where there is none, or one that nothing can be counted with."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < _LARGEST else None


def _seconds(row: Row, after: Row | None, step: float) -> float:
    now, then = number(row["time"]), number(after["time"]) if after else None
    return then - now if now is not None and then is not None and then > now else step


def _add_frame(tallies: Tallies, rows: Sequence[Row], seconds: float) -> None:
    clip, now = tallies.clips[rows[0]["file"]], number(rows[0]["time"]) or 0.0
    clip.frames += 1
    clip.begin, clip.end = min(clip.begin, now), max(clip.end, now + seconds)
    for row in rows:
        if row["status"] != FACE:
            continue
        person, track = whole_number(row["person"]), whole_number(row["track"])
        whose = [tallies.whole, clip.whole]
        if person is not None:
            whose.append(tallies.people[person])
        if person is not None or track is not None:
            mine = clip.who[("track", track or 0) if person is None else ("person", person)]
            mine.show(row["emotion"], now, now + seconds)
            whose.append(mine)
        for tally in whose:
            tally.add(row, seconds)


def _add_other(tallies: Tallies, rows: Sequence[Row]) -> None:
    """Counts a photo, or a file that could not be used."""
    if rows[0]["status"] not in (FACE, NO_FACE):
        tallies.problem_count += 1
        if len(tallies.problems) < MOST_LISTED:
            tallies.problems.append((rows[0]["file"], rows[0]["status"]))
        return
    tallies.photo_count += 1
    for row in rows:
        if row["status"] == FACE:
            tallies.whole.add(row)
            tallies.photos.add(row)
            person = whole_number(row["person"])
            if person is not None:
                tallies.people[person].add(row)
    if rows[0]["status"] == FACE and len(tallies.shown) < MOST_LISTED:
        tallies.shown.append(rows[0]["file"])


def _columns(path: Path, kind: RecordFormat) -> tuple[str, ...]:
    remedy = "run `fercomp annotate` with --report again"
    if not is_there(path):
        raise FercompError(f"{path} not found: {remedy}")
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            line = file.readline(_LONGEST_HEADER)
        columns = tuple(json.loads(line or "{}")) if kind == "jsonl" else tuple(next(csv.reader([line]), ()))
    except (OSError, ValueError, RecursionError, TypeError, csv.Error) as error:
        raise FercompError(f"{path} cannot be read ({error}): {remedy}") from error
    if kind == "jsonl" and not line:
        return NEEDED
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise FercompError(f"{path} lacks the columns {missing}: {remedy}")
    return columns
