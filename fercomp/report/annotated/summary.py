"""`summary.csv`: what the records say of all, of each person, each clip and each track, a row each."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from fercomp.core.classes import UNCERTAIN
from fercomp.core.csv_table import FLOAT_FORMAT
from fercomp.core.files import write_text
from fercomp.report.annotated.tally import Tallies, Tally

SUMMARY: Final = "summary.csv"

SUMMARY_COLUMNS: Final = (
    "of",  # all | photos | person | clip | person_in_clip | track
    "person",
    "name",  # from people.csv
    "file",  # of a clip
    "track",
    "faces",  # in photos and frames
    "seconds",  # for which they are seen in clips
    "begin",  # first and last second in the clip
    "end",
    "emotion",  # the most frequent one
    "share",  # of the faces that show it
    "valence",  # means
    "arousal",
)
"""Columns of the summary. After them, one with the share of each class, and one with that of `uncertain`."""


def write_summary(path: Path, tallies: Tallies, names: Mapping[int, str]) -> None:
    """Writes the summary.

    Args:
        path: The CSV.
        tallies: What was counted.
        names: What people are called.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*SUMMARY_COLUMNS, *tallies.answers))
    for keys, tally in _rows(tallies, names):
        writer.writerow(
            (*(keys.get(name, "") for name in SUMMARY_COLUMNS[:5]), *_cells(tally, tallies.answers))
        )
    write_text(path, text.getvalue())


def _rows(tallies: Tallies, names: Mapping[int, str]) -> Iterator[tuple[dict[str, object], Tally]]:
    yield {"of": "all"}, tallies.whole
    yield {"of": "photos"}, tallies.photos
    for person in sorted(tallies.people):
        yield {"of": "person", "person": person, "name": names.get(person, "")}, tallies.people[person]
    for file, clip in tallies.clips.items():
        yield {"of": "clip", "file": file}, clip.whole
        for (kind, who), tally in sorted(clip.who.items()):
            if kind == "person":
                keys = {"of": "person_in_clip", "person": who, "name": names.get(who, ""), "file": file}
            else:
                keys = {"of": "track", "file": file, "track": who}
            yield keys, tally


def _cells(tally: Tally, answers: tuple[str, ...]) -> list[str]:
    dominant, point = tally.dominant, tally.point
    times = ["", ""] if tally.begin is None else [f"{tally.begin:.2f}", f"{tally.end:.2f}"]
    return [
        str(tally.faces),
        f"{tally.seconds:.2f}",
        *times,
        *([dominant[0], FLOAT_FORMAT % dominant[1]] if dominant else ["", ""]),
        *([FLOAT_FORMAT % value for value in point] if point else ["", ""]),
        *(FLOAT_FORMAT % (tally.emotions[name] / tally.faces) if tally.faces else "" for name in answers),
    ]


def answers_in_order(answers: tuple[str, ...]) -> list[str]:
    """Returns the answers as they are shown: classes by name, `uncertain` last."""
    return [*sorted(name for name in answers if name != UNCERTAIN), UNCERTAIN]
