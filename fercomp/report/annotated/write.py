"""Writes the page and the summary of an output folder of `annotate`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fercomp.annotate.people.names import PEOPLE, read_names
from fercomp.core.version import __version__
from fercomp.report.annotated.pictures import copies_of, small_frame, small_photo, strips_of
from fercomp.report.annotated.sections import (
    MOST_CLIPS,
    all_section,
    clips_section,
    people_section,
    photos_section,
    problems_section,
)
from fercomp.report.annotated.summary import SUMMARY, SUMMARY_COLUMNS, write_summary
from fercomp.report.annotated.tally import ClipTally, Tallies, read_tallies
from fercomp.report.html.element import element
from fercomp.report.html.notes import Notes
from fercomp.report.html.page import check_place, page_of, write_page

ANNOTATED_PAGE: Final = "report.html"

_PHOTO_SIDE: Final = 140
_FRAME_SIDE: Final = 280


@dataclass(frozen=True)
class AnnotatedReport:
    """What became of a page.

    Attributes:
        page: The HTML file.
        summary: The CSV beside it.
        size: Bytes of the page.
    """

    page: Path
    summary: Path
    size: int


def require_report_places(output: Path, force: bool) -> None:
    """Makes sure that nothing of somebody else would be replaced, before hours of work.

    Raises:
        FercompError: It would.
    """
    check_place(output / ANNOTATED_PAGE, force)
    check_place(output / SUMMARY, force, ",".join(SUMMARY_COLUMNS).encode(), "annotate")


def report_annotated(output: Path, records: Path, force: bool = False) -> AnnotatedReport:
    """Writes `report.html` and `summary.csv` into an output folder of `annotate`.

    Nothing is looked at anew: both repeat the records. The page has small pictures of the annotated copies,
    and of the faces of people where `people-data` has them.

    Args:
        output: The folder.
        records: Its `records.csv` or `records.jsonl`.
        force: Replace what is there, whatever it is.

    Raises:
        FercompError: The records are missing or something else, or a file cannot be written.
    """
    require_report_places(output, force)
    notes, names = Notes(), dict[int, str]()
    with notes.instead():
        names = read_names(output / PEOPLE)
    tallies = read_tallies(records, names)
    write_summary(output / SUMMARY, tallies, names)
    copies = copies_of(output)
    photos = ((file, small_photo(copies[file], _PHOTO_SIDE)) for file in tallies.shown if file in copies)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    made = f"written {now} UTC by fercomp {__version__} of {records.name}"
    sections = {
        "made": [element("span", made)],
        "all": all_section(tallies),
        "people": people_section(tallies, names, strips_of(output, tallies.people)),
        "clips": clips_section(tallies, names, _frames(tallies, copies)),
        "photos": photos_section(tallies, {file: picture for file, picture in photos if picture}),
        "problems": problems_section(tallies, notes.lines),
    }
    html = page_of(f"fercomp annotate: {output.resolve().name}", sections, template="annotated")
    write_page(html, output / ANNOTATED_PAGE, force)
    return AnnotatedReport(output / ANNOTATED_PAGE, output / SUMMARY, len(html.encode()))


def _frames(tallies: Tallies, copies: dict[str, Path]) -> dict[str, str]:
    """Returns a frame of each clip that is shown: the middle of the time in which a face is seen longest."""
    frames = {}
    for file, clip in list(tallies.clips.items())[:MOST_CLIPS]:
        picture = small_frame(copies[file], _moment(clip), _FRAME_SIDE) if file in copies else None
        if picture is not None:
            frames[file] = picture
    return frames


def _moment(clip: ClipTally) -> float:
    """Returns seconds since the beginning of the clip's copy."""
    stretches = [stretch for tally in clip.who.values() for stretch in tally.stretches]
    first, last, _ = max(stretches, key=lambda s: s[1] - s[0], default=(clip.begin, clip.begin, ""))
    return max(0.0, (first + last) / 2 - clip.begin)
